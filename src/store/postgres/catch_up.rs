//! What a router missed, from the audit: exact, because every step is in it, and whole in one read, because a router that saw half a step
//! would serve what never was.

use sqlx::postgres::PgRow;
use sqlx::{Executor, Postgres, Transaction};

use super::read;
use crate::catalog::Version;
use crate::catalog::history::Event;
use crate::store::columns::{column, damaged, signed, unsigned};
use crate::store::{Since, StoreError, StoredTenant};
use crate::tool::{TenantId, ToolId};

/// What became of `tenant` since it was at `have`.
pub(super) async fn since(
    transaction: &mut Transaction<'_, Postgres>,
    tenant: TenantId,
    have: Version,
) -> Result<Result<Since, StoreError>, sqlx::Error> {
    transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
    let query = sqlx::query("SELECT epoch, version FROM tool_router.tenants WHERE tenant = $1").bind(tenant.as_str());
    let now = match query.fetch_optional(&mut **transaction).await?.map(|row| read::version(&row)).transpose() {
        Ok(version) => version.unwrap_or_default(),
        Err(error) => return Ok(Err(error)),
    };
    if now == have {
        return Ok(Ok(Since::Nothing));
    }
    // An older version, or another epoch: the database was restored or replaced.
    let follows = have.number < now.number && (have.epoch == now.epoch || have.number == 0);
    if now.number == 0 {
        return Ok(Ok(Since::Whole(StoredTenant { tenant, version: now, records: Vec::new() })));
    }
    let rows = if follows { touched(transaction, &tenant, have).await? } else { Vec::new() };
    let events = match events(&rows, now.epoch) {
        Ok(events) => events,
        Err(error) => return Ok(Err(error)),
    };
    // A step that is missing was deleted from the audit: then only all there is will do.
    if !follows || events.len() as u64 != now.number - have.number {
        return Ok(read::whole(transaction, tenant, now).await?.map(Since::Whole));
    }
    let there = sqlx::query(
        "SELECT tools.* FROM tool_router.tools JOIN (SELECT DISTINCT source, name FROM tool_router.audit \
         WHERE tenant = $1 AND version > $2) AS touched USING (source, name) WHERE tenant = $1 ORDER BY position, source, name",
    );
    let there = there.bind(tenant.as_str()).bind(signed(have.number)).fetch_all(&mut **transaction).await?;
    let gone = sqlx::query(
        "SELECT DISTINCT source, name FROM tool_router.audit WHERE tenant = $1 AND version > $2 AND NOT EXISTS \
         (SELECT FROM tool_router.tools WHERE tools.tenant = $1 AND tools.source = audit.source AND tools.name = audit.name)",
    );
    let gone = gone.bind(tenant.as_str()).bind(signed(have.number)).fetch_all(&mut **transaction).await?;
    let removals = gone.iter().map(id).collect::<Result<Vec<_>, _>>();
    Ok(read::records(&there).and_then(|upserts| Ok(Since::Steps { version: now, upserts, removals: removals?, events })))
}

async fn touched(
    transaction: &mut Transaction<'_, Postgres>,
    tenant: &TenantId,
    have: Version,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let query = sqlx::query(
        "SELECT version, source, name, before IS NULL AS added, after IS NULL AS removed, before = after AS same, state \
         FROM tool_router.audit WHERE tenant = $1 AND version > $2 ORDER BY version, source, name",
    );
    query.bind(tenant.as_str()).bind(signed(have.number)).fetch_all(&mut **transaction).await
}

/// One event per step: every change is of one source.
fn events(rows: &[PgRow], epoch: u32) -> Result<Vec<Event>, StoreError> {
    let mut events: Vec<Event> = Vec::new();
    for row in rows {
        let version = Version { epoch, number: unsigned(column(row, "version")?) };
        if events.last().is_none_or(|event| event.version != version) {
            events.push(Event { version, source: column(row, "source")?, ..Event::default() });
        }
        let Some(event) = events.last_mut() else { continue };
        let flag = |name: &'static str| column::<Option<bool>, _>(row, name).map(|flag| flag.unwrap_or(false));
        let names = match (flag("added")?, flag("removed")?, flag("same")?) {
            (_, true, _) => &mut event.removed,
            (true, ..) => &mut event.added,
            (_, _, false) => &mut event.changed,
            _ if column::<Option<i64>, _>(row, "state")? == Some(0) => &mut event.enabled,
            _ => &mut event.disabled,
        };
        names.push(column(row, "name")?);
    }
    Ok(events)
}

fn id(row: &PgRow) -> Result<ToolId, StoreError> {
    let (source, name): (String, String) = (column(row, "source")?, column(row, "name")?);
    ToolId::new(&source, &name).map_err(|v| damaged("id", &v))
}
