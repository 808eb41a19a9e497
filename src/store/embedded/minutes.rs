//! Counts of calls in the file. Transactions are the caller's.

use std::ops::Range;

use sqlx::query::Query;
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::outcomes::{Flush, ToolMinute};
use crate::store::StoreError;
use crate::store::columns::signed;
use crate::store::minutes::{COLUMNS, DROPPED_AT_ONCE, FLUSH_MINUTES, counts, lists, read as row};
use crate::tool::TenantId;

/// Adds a flush, unless it is there.
pub(super) async fn add(connection: &mut SqliteConnection, flush: &Flush) -> Result<(), sqlx::Error> {
    let fresh = sqlx::query(
        "INSERT INTO outcome_flushes AS last (router, number, minute) VALUES (?, ?, ?) \
         ON CONFLICT (router) DO UPDATE SET number = excluded.number, minute = excluded.minute WHERE last.number < excluded.number",
    );
    let fresh = fresh.bind(&flush.router).bind(signed(flush.number)).bind(signed(flush.minute));
    if fresh.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(());
    }
    let (names, added) = lists("excluded");
    let places = ", ?".repeat(COLUMNS.len());
    let statement = format!(
        "INSERT INTO outcome_minutes AS kept (minute, tenant, source, name, {names}) VALUES (?, ?, ?, ?{places}) \
         ON CONFLICT (minute, tenant, source, name) DO UPDATE SET {added}"
    );
    for ToolMinute { tenant, tool, minute, tally } in &flush.counts {
        // One text for all, so that it is prepared once.
        let query = sqlx::query(AssertSqlSafe(statement.clone())).bind(signed(*minute));
        let query = query.bind(tenant.as_str()).bind(tool.source()).bind(tool.name());
        counts(tally).into_iter().fold(query, Query::bind).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn read(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    minutes: Range<u64>,
) -> Result<Result<Vec<ToolMinute>, StoreError>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT * FROM outcome_minutes WHERE ? <= minute AND minute < ? AND tenant = ? ORDER BY minute, source, name",
    );
    let rows = rows.bind(signed(minutes.start)).bind(signed(minutes.end)).bind(tenant.as_str());
    Ok(rows.fetch_all(connection).await?.iter().map(row).collect())
}

/// Drops some of the oldest minutes before this one.
pub(super) async fn drop_before(connection: &mut SqliteConnection, before: u64) -> Result<u64, sqlx::Error> {
    let query = sqlx::query("DELETE FROM outcome_flushes WHERE minute < ?");
    query.bind(signed(before.saturating_sub(FLUSH_MINUTES))).execute(&mut *connection).await?;
    let query = sqlx::query("DELETE FROM outcome_minutes WHERE minute < min(?, (SELECT min(minute) FROM outcome_minutes) + ?)");
    let done = query.bind(signed(before)).bind(signed(DROPPED_AT_ONCE)).execute(connection).await?;
    Ok(done.rows_affected())
}
