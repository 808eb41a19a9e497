//! What is written. A batch is a handful of statements however many tools it has: every column travels as one array.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Postgres, Transaction};

use super::read;
use crate::catalog::{Change, TextHash, Version};
use crate::index::vector::Codes;
use crate::store::columns::{Columns, signed};
use crate::store::{AUDIT_STEPS, StoreError};
use crate::tool::TenantId;

/// A change, whole: the version first, which is what two routers would quarrel about.
pub(super) async fn change(
    transaction: &mut Transaction<'_, Postgres>,
    change: Change,
) -> Result<Result<(), StoreError>, sqlx::Error> {
    if !advance(transaction, &change).await? {
        let current = match current_version(transaction, &change.tenant).await? {
            Ok(current) => current,
            Err(error) => return Ok(Err(error)),
        };
        return Ok(Err(StoreError::Moved { expected: change.from, current }));
    }
    let tenant = change.tenant.as_str();
    let rows: Vec<Columns> = change.upserts.iter().map(Columns::of).collect();
    let removed = change.removals.iter().map(|id| (id.source().to_owned(), id.name().to_owned()));
    let (sources, names): (Vec<String>, Vec<String>) =
        rows.iter().map(|row| (row.source.clone(), row.name.clone())).chain(removed).unzip();
    let after: Vec<Option<Vec<u8>>> =
        rows.iter().map(|row| Some(row.fingerprint.clone())).chain(change.removals.iter().map(|_| None)).collect();
    let state: Vec<Option<i64>> = rows.iter().map(|row| Some(row.state)).chain(change.removals.iter().map(|_| None)).collect();
    sqlx::query(
        "INSERT INTO tool_router.audit (tenant, version, source, name, actor, before, after, state) \
         SELECT $1, $2, touched.source, touched.name, $3, tools.fingerprint, touched.after, touched.state \
         FROM unnest($4::text[], $5::text[], $6::bytea[], $7::bigint[]) AS touched (source, name, after, state) \
         LEFT JOIN tool_router.tools ON tools.tenant = $1 AND tools.source = touched.source AND tools.name = touched.name",
    )
    .bind(tenant)
    .bind(signed(change.to.number))
    .bind(&change.actor)
    .bind(&sources)
    .bind(&names)
    .bind(&after)
    .bind(&state)
    .execute(&mut **transaction)
    .await?;
    sqlx::query("DELETE FROM tool_router.audit WHERE tenant = $1 AND version <= $2")
        .bind(tenant)
        .bind(signed(change.to.number) - AUDIT_STEPS)
        .execute(&mut **transaction)
        .await?;
    // Before any is inserted: within a batch a model name may pass from one tool to another.
    sqlx::query(
        "DELETE FROM tool_router.tools USING unnest($2::text[], $3::text[]) AS touched (source, name) \
         WHERE tools.tenant = $1 AND tools.source = touched.source AND tools.name = touched.name",
    )
    .bind(tenant)
    .bind(&sources)
    .bind(&names)
    .execute(&mut **transaction)
    .await?;
    insert(transaction, tenant, rows).await?;
    // Of every model: a text that no tool has any more is no model's business.
    let dropped: Vec<Vec<u8>> = change.dropped_texts.iter().map(|hash| hash.0.to_vec()).collect();
    sqlx::query("DELETE FROM tool_router.vectors WHERE tenant = $1 AND text_hash = ANY ($2::bytea[])")
        .bind(tenant)
        .bind(dropped)
        .execute(&mut **transaction)
        .await?;
    vectors(transaction, tenant, &change.model_id, &change.vectors).await?;
    // Heard by the other routers when this commits, and not otherwise.
    sqlx::query("SELECT pg_catalog.pg_notify('tool_router', $1)").bind(tenant).execute(&mut **transaction).await?;
    Ok(Ok(()))
}

/// Moves the tenant's version; false where it is not the one that the change is based on.
async fn advance(transaction: &mut Transaction<'_, Postgres>, change: &Change) -> Result<bool, sqlx::Error> {
    let tenant = change.tenant.as_str();
    let statement = if change.from.number == 0 {
        "INSERT INTO tool_router.tenants (tenant, epoch, version) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    } else {
        "UPDATE tool_router.tenants SET version = $3 WHERE tenant = $1 AND epoch = $2 AND version = $3 - 1"
    };
    let query = sqlx::query(statement).bind(tenant).bind(i64::from(change.to.epoch)).bind(signed(change.to.number));
    Ok(query.execute(&mut **transaction).await?.rows_affected() == 1)
}

async fn current_version(
    transaction: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
) -> Result<Result<Version, StoreError>, sqlx::Error> {
    let query = sqlx::query("SELECT epoch, version FROM tool_router.tenants WHERE tenant = $1").bind(tenant.as_str());
    let row = query.fetch_optional(&mut **transaction).await?;
    Ok(row.map_or(Ok(Version::default()), |row| read::version(&row)))
}

async fn insert(transaction: &mut Transaction<'_, Postgres>, tenant: &str, rows: Vec<Columns>) -> Result<(), sqlx::Error> {
    macro_rules! each {
        ($field:ident) => {
            rows.iter().map(|row| row.$field.clone()).collect::<Vec<_>>()
        };
    }
    sqlx::query(
        "INSERT INTO tool_router.tools (tenant, source, name, position, model_name, fingerprint, state, registered_at_ms, \
         updated_at_ms, title, description, input_schema, output_schema, annotations, extra, domain, tags, examples, costs) \
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[], \
         $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], \
         $18::text[], $19::bytea[])",
    )
    .bind(tenant)
    .bind(each!(source))
    .bind(each!(name))
    .bind(each!(position))
    .bind(each!(model_name))
    .bind(each!(fingerprint))
    .bind(each!(state))
    .bind(each!(registered_at_ms))
    .bind(each!(updated_at_ms))
    .bind(each!(title))
    .bind(each!(description))
    .bind(each!(input_schema))
    .bind(each!(output_schema))
    .bind(each!(annotations))
    .bind(each!(extra))
    .bind(each!(domain))
    .bind(each!(tags))
    .bind(each!(examples))
    .bind(each!(costs))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn vectors(
    connection: &mut PgConnection,
    tenant: &str,
    model_id: &str,
    vectors: &[(TextHash, Codes)],
) -> Result<(), sqlx::Error> {
    if vectors.is_empty() {
        return Ok(());
    }
    let (hashes, codes): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        vectors.iter().map(|(hash, codes)| (hash.0.to_vec(), codes.to_bytes())).unzip();
    sqlx::query(
        "INSERT INTO tool_router.vectors (tenant, model, text_hash, codes) \
         SELECT $1, $2, * FROM unnest($3::bytea[], $4::bytea[]) \
         ON CONFLICT (tenant, model, text_hash) DO UPDATE SET codes = EXCLUDED.codes",
    )
    .bind(tenant)
    .bind(model_id)
    .bind(hashes)
    .bind(codes)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn prune(
    connection: &mut PgConnection,
    tenant: TenantId,
    model_id: String,
    live: Vec<Vec<u8>>,
) -> Result<u64, sqlx::Error> {
    sqlx::query("DELETE FROM tool_router.vectors WHERE tenant = $1 AND model = $2 AND NOT EXISTS (SELECT FROM unnest($3::bytea[]) AS live (text_hash) WHERE live.text_hash = vectors.text_hash)")
        .bind(tenant.as_str())
        .bind(model_id)
        .bind(live)
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}

pub(super) async fn drop_other_models(
    connection: &mut PgConnection,
    tenant: TenantId,
    model_id: String,
) -> Result<u64, sqlx::Error> {
    let query = sqlx::query("DELETE FROM tool_router.vectors WHERE tenant = $1 AND model <> $2");
    query.bind(tenant.as_str()).bind(model_id).execute(connection).await.map(|done| done.rows_affected())
}

pub(super) async fn set_paused(
    connection: &mut PgConnection,
    tenant: TenantId,
    source: String,
    paused: bool,
) -> Result<(), sqlx::Error> {
    let statement = if paused {
        "INSERT INTO tool_router.paused_sources (tenant, source) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM tool_router.paused_sources WHERE tenant = $1 AND source = $2"
    };
    sqlx::query(statement).bind(tenant.as_str()).bind(source).execute(connection).await.map(drop)
}

/// One statement: of two routers that ask at once, the second sees what the first wrote.
pub(super) async fn lease(
    connection: &mut PgConnection,
    tenant: TenantId,
    source: String,
    holder: String,
    length: Duration,
) -> Result<bool, sqlx::Error> {
    let taken = sqlx::query(
        "INSERT INTO tool_router.leases AS lease (tenant, source, holder, until) \
         VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4)) \
         ON CONFLICT (tenant, source) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until \
         WHERE lease.holder = EXCLUDED.holder OR lease.until < clock_timestamp()",
    );
    let taken = taken.bind(tenant.as_str()).bind(source).bind(holder).bind(length.as_secs_f64());
    taken.execute(connection).await.map(|done| done.rows_affected() == 1)
}

pub(super) async fn release(
    connection: &mut PgConnection,
    tenant: TenantId,
    source: String,
    holder: String,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query("DELETE FROM tool_router.leases WHERE tenant = $1 AND source = $2 AND holder = $3");
    query.bind(tenant.as_str()).bind(source).bind(holder).execute(connection).await.map(drop)
}
