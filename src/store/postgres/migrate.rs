//! The schema and its steps.

use sqlx::{Executor, Postgres, Row, Transaction};

use crate::store::{StoreError, place};

/// Step `i` takes a database from schema version `i` to `i + 1`. Steps are only ever appended, and only add: routers of the version before go on
/// while new ones start.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("outcomes.sql")];

/// Brings the schema up to date. Several routers may start at once: one does it, the others wait for it.
pub(super) async fn bring_up(transaction: &mut Transaction<'_, Postgres>) -> Result<Result<(), StoreError>, sqlx::Error> {
    // "tRtr", as in the files of the embedded store.
    transaction.execute("SELECT pg_advisory_xact_lock(1951560818)").await?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found = version(transaction).await?;
    let from = match found {
        Found::Nothing => 0,
        Found::Other => return Ok(Err(StoreError::Foreign { place: "schema tool_router of the database".to_owned() })),
        Found::Version(version) if known < version => {
            return Ok(Err(StoreError::Newer { place: "in PostgreSQL".to_owned(), found: version, known }));
        }
        Found::Version(version) => version,
    };
    if from == known {
        return Ok(Ok(()));
    }
    transaction.execute("CREATE SCHEMA IF NOT EXISTS tool_router").await?;
    transaction.execute("CREATE TABLE IF NOT EXISTS tool_router.schema_version (version BIGINT NOT NULL)").await?;
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.execute(*step).await?;
    }
    transaction.execute("DELETE FROM tool_router.schema_version").await?;
    sqlx::query("INSERT INTO tool_router.schema_version VALUES ($1)").bind(known).execute(&mut **transaction).await?;
    Ok(Ok(()))
}

/// What is there, without changing anything.
pub(super) async fn look(transaction: &mut Transaction<'_, Postgres>) -> Result<Result<place::Found, StoreError>, sqlx::Error> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let schema = match version(transaction).await? {
        Found::Nothing => return Ok(Ok(place::Found::Nothing)),
        Found::Other => return Ok(Err(StoreError::Foreign { place: "schema tool_router of the database".to_owned() })),
        Found::Version(found) if known < found => {
            return Ok(Err(StoreError::Newer { place: "in PostgreSQL".to_owned(), found, known }));
        }
        Found::Version(version) => version,
    };
    let tenants = super::read::versions(transaction).await?;
    let clock = sqlx::query("SELECT extract(epoch FROM clock_timestamp())::float8").fetch_one(&mut **transaction).await?;
    Ok(Ok(place::Found::Store { schema, known, tenants, now: clock.try_get(0).ok() }))
}

enum Found {
    Nothing,
    /// A schema of that name with other things in it.
    Other,
    Version(i64),
}

async fn version(transaction: &mut Transaction<'_, Postgres>) -> Result<Found, sqlx::Error> {
    let row = sqlx::query(
        "SELECT to_regclass('tool_router.schema_version') IS NOT NULL AS ours, \
         EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('tool_router')) AS used",
    )
    .fetch_one(&mut **transaction)
    .await?;
    if row.try_get::<bool, _>("ours")? {
        let row = sqlx::query("SELECT version FROM tool_router.schema_version").fetch_one(&mut **transaction).await?;
        return Ok(Found::Version(row.try_get(0)?));
    }
    Ok(if row.try_get::<bool, _>("used")? { Found::Other } else { Found::Nothing })
}
