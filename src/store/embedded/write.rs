//! What is written, statement by statement. Transactions are the caller's.

use sqlx::SqliteConnection;

use crate::catalog::{Change, Record, TextHash};
use crate::index::vector::Codes;
use crate::store::AUDIT_STEPS;
use crate::store::columns::{Columns, signed};

/// A change, whole; the caller began the transaction and checked the version.
pub(super) async fn change(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    let tenant = change.tenant.as_str();
    sqlx::query(
        "INSERT INTO tenants (tenant, epoch, version) VALUES (?1, ?2, ?3) ON CONFLICT (tenant) DO UPDATE SET version = ?3",
    )
    .bind(tenant)
    .bind(change.to.epoch)
    .bind(signed(change.to.number))
    .execute(&mut *connection)
    .await?;
    audit(&mut *connection, change).await?;
    for id in &change.removals {
        sqlx::query("DELETE FROM tools WHERE tenant = ? AND source = ? AND name = ?")
            .bind(tenant)
            .bind(id.source())
            .bind(id.name())
            .execute(&mut *connection)
            .await?;
    }
    for record in &change.upserts {
        upsert(connection, tenant, record).await?;
    }
    // Of every model: a text that no tool has any more is no model's business.
    for hash in &change.dropped_texts {
        let query = sqlx::query("DELETE FROM vectors WHERE tenant = ? AND text_hash = ?");
        query.bind(tenant).bind(&hash.0[..]).execute(&mut *connection).await?;
    }
    vectors(connection, tenant, &change.model_id, &change.vectors).await
}

/// Who did what. Before the tools are written: of what they were only the fingerprint is kept.
async fn audit(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    let (tenant, version) = (change.tenant.as_str(), signed(change.to.number));
    let after = change.upserts.iter().map(|record| (&record.tool.id, Some(Columns::of(record))));
    for (id, after) in change.removals.iter().map(|id| (id, None)).chain(after) {
        let query = sqlx::query(
            "INSERT INTO audit (tenant, version, source, name, actor, before, after, state) VALUES (?1, ?2, ?3, ?4, ?5, \
             (SELECT fingerprint FROM tools WHERE tenant = ?1 AND source = ?3 AND name = ?4), ?6, ?7)",
        );
        let query = query.bind(tenant).bind(version).bind(id.source()).bind(id.name()).bind(&change.actor);
        let state = after.as_ref().map(|columns| columns.state);
        query.bind(after.map(|columns| columns.fingerprint)).bind(state).execute(&mut *connection).await?;
    }
    let query = sqlx::query("DELETE FROM audit WHERE tenant = ? AND version <= ?").bind(tenant);
    query.bind(version - AUDIT_STEPS).execute(connection).await.map(drop)
}

pub(super) async fn vectors(
    connection: &mut SqliteConnection,
    tenant: &str,
    model_id: &str,
    vectors: &[(TextHash, Codes)],
) -> Result<(), sqlx::Error> {
    for (hash, codes) in vectors {
        sqlx::query("INSERT OR REPLACE INTO vectors (tenant, model, text_hash, codes) VALUES (?, ?, ?, ?)")
            .bind(tenant)
            .bind(model_id)
            .bind(&hash.0[..])
            .bind(codes.to_bytes())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn delete_vectors(
    connection: &mut SqliteConnection,
    tenant: &str,
    model_id: &str,
    hashes: Vec<Vec<u8>>,
) -> Result<u64, sqlx::Error> {
    let mut dropped = 0;
    for hash in hashes {
        let query = sqlx::query("DELETE FROM vectors WHERE tenant = ? AND model = ? AND text_hash = ?");
        dropped += query.bind(tenant).bind(model_id).bind(hash).execute(&mut *connection).await?.rows_affected();
    }
    Ok(dropped)
}

async fn upsert(connection: &mut SqliteConnection, tenant: &str, record: &Record) -> Result<(), sqlx::Error> {
    let columns = Columns::of(record);
    // Not `INSERT OR REPLACE`: that would also silently delete another tool that has the model name.
    sqlx::query("DELETE FROM tools WHERE tenant = ? AND source = ? AND name = ?")
        .bind(tenant)
        .bind(&columns.source)
        .bind(&columns.name)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO tools (tenant, source, name, position, model_name, fingerprint, state, registered_at_ms, updated_at_ms, \
         title, description, input_schema, output_schema, annotations, extra, domain, tags, examples, costs) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(tenant)
    .bind(columns.source)
    .bind(columns.name)
    .bind(columns.position)
    .bind(columns.model_name)
    .bind(columns.fingerprint)
    .bind(columns.state)
    .bind(columns.registered_at_ms)
    .bind(columns.updated_at_ms)
    .bind(columns.title)
    .bind(columns.description)
    .bind(columns.input_schema)
    .bind(columns.output_schema)
    .bind(columns.annotations)
    .bind(columns.extra)
    .bind(columns.domain)
    .bind(columns.tags)
    .bind(columns.examples)
    .bind(columns.costs)
    .execute(connection)
    .await?;
    Ok(())
}
