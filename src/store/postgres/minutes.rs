//! Counts of calls in the database.

use std::ops::Range;

use sqlx::postgres::PgConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, Transaction};

use crate::outcomes::{Flush, ToolMinute};
use crate::store::StoreError;
use crate::store::columns::signed;
use crate::store::minutes::{COLUMNS, DROPPED_AT_ONCE, FLUSH_MINUTES, counts, lists, read as row};
use crate::tool::TenantId;

/// Adds a flush, unless it is there. Its rows are locked in their order, which is every router's: two that add to the same wait for each other
/// and never both.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Postgres>,
    flush: Flush,
) -> Result<Result<(), StoreError>, sqlx::Error> {
    let fresh = sqlx::query(
        "INSERT INTO tool_router.outcome_flushes AS last (router, number, minute) VALUES ($1, $2, $3) \
         ON CONFLICT (router) DO UPDATE SET number = EXCLUDED.number, minute = EXCLUDED.minute WHERE last.number < EXCLUDED.number",
    );
    let fresh = fresh.bind(&flush.router).bind(signed(flush.number)).bind(signed(flush.minute));
    if fresh.execute(&mut **transaction).await?.rows_affected() == 0 || flush.counts.is_empty() {
        return Ok(Ok(()));
    }
    let (names, added) = lists("EXCLUDED");
    let arrays: String = (0..COLUMNS.len()).map(|i| format!(", ${}::bigint[]", i + 5)).collect();
    let statement = format!(
        "INSERT INTO tool_router.outcome_minutes AS kept (minute, tenant, source, name, {names}) \
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]{arrays}) \
         ON CONFLICT (minute, tenant, source, name) DO UPDATE SET {added}"
    );
    let mut rows = flush.counts;
    rows.sort_by(|a, b| (a.minute, &a.tenant, &a.tool).cmp(&(b.minute, &b.tenant, &b.tool)));
    let text = |of: fn(&ToolMinute) -> &str| rows.iter().map(|row| of(row).to_owned()).collect::<Vec<String>>();
    let query = sqlx::query(AssertSqlSafe(statement)).bind(rows.iter().map(|row| signed(row.minute)).collect::<Vec<i64>>());
    let query = query.bind(text(|row| row.tenant.as_str())).bind(text(|row| row.tool.source())).bind(text(|row| row.tool.name()));
    let mut columns: [Vec<i64>; COLUMNS.len()] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
    for row in &rows {
        columns.iter_mut().zip(counts(&row.tally)).for_each(|(column, count)| column.push(count));
    }
    columns.into_iter().fold(query, Query::bind).execute(&mut **transaction).await?;
    Ok(Ok(()))
}

pub(super) async fn read(
    connection: &mut PgConnection,
    tenant: TenantId,
    minutes: Range<u64>,
) -> Result<Result<Vec<ToolMinute>, StoreError>, sqlx::Error> {
    // By the bytes of a name, as everywhere else, and not by the language of the database.
    let rows = sqlx::query(
        "SELECT * FROM tool_router.outcome_minutes WHERE $1 <= minute AND minute < $2 AND tenant = $3 \
         ORDER BY minute, source COLLATE \"C\", name COLLATE \"C\"",
    );
    let rows = rows.bind(signed(minutes.start)).bind(signed(minutes.end)).bind(tenant.as_str());
    Ok(rows.fetch_all(connection).await?.iter().map(row).collect())
}

/// Drops some of the oldest minutes before this one.
pub(super) async fn drop_before(
    transaction: &mut Transaction<'_, Postgres>,
    before: u64,
) -> Result<Result<u64, StoreError>, sqlx::Error> {
    let query = sqlx::query("DELETE FROM tool_router.outcome_flushes WHERE minute < $1");
    query.bind(signed(before.saturating_sub(FLUSH_MINUTES))).execute(&mut **transaction).await?;
    let query = sqlx::query(
        "DELETE FROM tool_router.outcome_minutes \
         WHERE minute < LEAST($1, (SELECT min(minute) FROM tool_router.outcome_minutes) + $2)",
    );
    let done = query.bind(signed(before)).bind(signed(DROPPED_AT_ONCE)).execute(&mut **transaction).await?;
    Ok(Ok(done.rows_affected()))
}
