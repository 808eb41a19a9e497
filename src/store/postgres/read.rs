//! What is read back.

use std::collections::{HashMap, HashSet};

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor, Postgres, Row, Transaction};

use crate::catalog::{Record, TextHash, Version};
use crate::index::vector::Codes;
use crate::store::columns::{Columns, column, damaged, unsigned, vector};
use crate::store::{StoreError, StoredTenant, StoredVector};
use crate::tool::TenantId;

/// The version of every tenant.
pub(super) async fn versions(connection: &mut PgConnection) -> Result<Vec<(TenantId, Version)>, sqlx::Error> {
    let rows = sqlx::query("SELECT tenant, epoch, version FROM tool_router.tenants").fetch_all(connection).await?;
    let one = |row: &PgRow| Some((TenantId::new(row.try_get("tenant").ok()?), version(row).ok()?));
    Ok(rows.iter().filter_map(one).collect())
}

/// Every tenant with its tools, as of one moment.
pub(super) async fn everything(
    transaction: &mut Transaction<'_, Postgres>,
) -> Result<Result<Vec<StoredTenant>, StoreError>, sqlx::Error> {
    transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let tenants = sqlx::query("SELECT tenant, epoch, version FROM tool_router.tenants").fetch_all(&mut **transaction).await?;
    let mut all = Vec::with_capacity(tenants.len());
    for row in tenants {
        let tenant = TenantId::new(row.try_get("tenant")?);
        let version = match version(&row) {
            Ok(version) => version,
            Err(error) => return Ok(Err(error)),
        };
        match whole(transaction, tenant, version).await? {
            Ok(tenant) => all.push(tenant),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(all))
}

/// One tenant with all its tools.
pub(super) async fn whole(
    transaction: &mut Transaction<'_, Postgres>,
    tenant: TenantId,
    version: Version,
) -> Result<Result<StoredTenant, StoreError>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM tool_router.tools WHERE tenant = $1 ORDER BY position, source, name")
        .bind(tenant.as_str())
        .fetch_all(&mut **transaction)
        .await?;
    Ok(records(&rows).map(|records| StoredTenant { tenant, version, records }))
}

pub(super) fn records(rows: &[PgRow]) -> Result<Vec<Record>, StoreError> {
    rows.iter().map(|row| Columns::read(row)?.record()).collect()
}

/// A tenant's version from a row that has `epoch` and `version`.
pub(super) fn version(row: &PgRow) -> Result<Version, StoreError> {
    let epoch = u32::try_from(column::<i64, _>(row, "epoch")?).map_err(|e| damaged("epoch", &e))?;
    Ok(Version { epoch, number: unsigned(column(row, "version")?) })
}

pub(super) async fn vectors(
    connection: &mut PgConnection,
    tenant: TenantId,
    model_id: String,
    dimension: usize,
) -> Result<HashMap<TextHash, Codes>, sqlx::Error> {
    let query = sqlx::query("SELECT text_hash, codes FROM tool_router.vectors WHERE tenant = $1 AND model = $2");
    let rows = query.bind(tenant.as_str()).bind(model_id).fetch_all(connection).await?;
    Ok(codes(&rows, dimension))
}

/// The vectors of every model.
pub(super) async fn all_vectors(
    transaction: &mut Transaction<'_, Postgres>,
    tenant: TenantId,
) -> Result<Result<Vec<StoredVector>, StoreError>, sqlx::Error> {
    let query = sqlx::query("SELECT model, text_hash, codes FROM tool_router.vectors WHERE tenant = $1").bind(tenant.as_str());
    Ok(Ok(query.fetch_all(&mut **transaction).await?.iter().filter_map(vector).collect()))
}

/// The vectors of these texts.
pub(super) async fn vectors_of(
    connection: &mut PgConnection,
    tenant: TenantId,
    model_id: String,
    dimension: usize,
    texts: Vec<Vec<u8>>,
) -> Result<HashMap<TextHash, Codes>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT text_hash, codes FROM tool_router.vectors WHERE tenant = $1 AND model = $2 AND text_hash = ANY ($3::bytea[])",
    )
    .bind(tenant.as_str())
    .bind(model_id)
    .bind(texts)
    .fetch_all(connection)
    .await?;
    Ok(codes(&rows, dimension))
}

fn codes(rows: &[PgRow], dimension: usize) -> HashMap<TextHash, Codes> {
    // A vector that does not read is embedded again: it is derived, so nothing is lost.
    let one = |row: &PgRow| {
        let hash: [u8; 32] = column::<&[u8], _>(row, "text_hash").ok()?.try_into().ok()?;
        Some((TextHash(hash), Codes::from_bytes(column(row, "codes").ok()?, dimension)?))
    };
    rows.iter().filter_map(one).collect()
}

pub(super) async fn paused_sources(connection: &mut PgConnection, tenant: TenantId) -> Result<HashSet<String>, sqlx::Error> {
    let query = sqlx::query("SELECT source FROM tool_router.paused_sources WHERE tenant = $1").bind(tenant.as_str());
    query.fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
}
