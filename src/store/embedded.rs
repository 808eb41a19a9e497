//! SQLite in one file: WAL, `synchronous=FULL`, one connection that holds the file's lock.
//!
//! Why one connection: there is one writer, and reads happen at start only. Why the exclusive lock: two routers on one file would each serve
//! their own memory of it; the second is told so at once. FULL syncs the log before `COMMIT` returns, which is the promise behind every
//! acknowledgement. The lock dies with the process, so a kill -9 leaves nothing to clean up.

mod minutes;
mod write;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, Sqlite, SqliteConnection};
use tokio::sync::watch;

use super::columns::{Columns, column, unsigned, vector};
use super::place::Found;
use super::{Since, Store, StoreError, StoredTenant, StoredVector};
use crate::catalog::{Change, TextHash, Version};
use crate::disk::Disk;
use crate::index::vector::Codes;
use crate::outcomes::{Flush, ToolMinute};
use crate::tool::TenantId;

/// Step `i` takes a store from schema version `i` to `i + 1`. Steps are only ever appended.
const STEPS: &[&str] =
    &[include_str!("schema.sql"), include_str!("paused_sources.sql"), include_str!("audit.sql"), include_str!("outcomes.sql")];
/// Marks the file as ours ("tRtr").
const APPLICATION_ID: i64 = 0x7452_7472;
/// SQLite's page size, for turning a size limit into pages.
const PAGE_BYTES: u64 = 4096;

/// What to open and how far it may grow.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The file; made when absent, with its folder.
    pub path: PathBuf,
    /// Most the file may take, in MiB. `None`: as much as the disk has.
    pub max_mib: Option<u64>,
}

/// The store.
pub struct EmbeddedStore {
    pool: SqlitePool,
    path: PathBuf,
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the file, or makes it, and brings its schema up to date.
    ///
    /// # Errors
    /// In use, not ours, of a newer schema, not writable.
    pub async fn open(options: &EmbeddedOptions) -> Result<Self, StoreError> {
        let path = options.path.clone();
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|e| StoreError::Unavailable { detail: format!("folder {} cannot be made: {e}", folder.display()) })?;
        }
        // SQLite only says that its input or output failed.
        if Disk::of(&path).is_ok_and(|disk| disk.read_only) {
            let detail = format!("{}: its file system is read-only", path.display());
            return Err(StoreError::Unavailable { detail });
        }
        let connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // The lock is held from the first statement on; a router that is just stopping gets a moment to let go.
            .busy_timeout(Duration::from_secs(2));
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(connect)
            .await
            .map_err(|e| sort(&e, &path))?;
        let store = Self { pool, path };
        store.prepare(options.max_mib).await?;
        Ok(store)
    }

    async fn prepare(&self, max_mib: Option<u64>) -> Result<(), StoreError> {
        let failed = |e: sqlx::Error| sort(&e, &self.path);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
        let owner: i64 = sqlx::query("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
        let tables: i64 =
            sqlx::query("SELECT count(*) FROM sqlite_master").fetch_one(&mut *connection).await.map_err(failed)?.get(0);
        let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        if owner != APPLICATION_ID && (0 < tables || version != 0) {
            return Err(StoreError::Foreign { place: self.path.display().to_string() });
        }
        if known < version {
            return Err(StoreError::Newer { place: self.path.display().to_string(), found: version, known });
        }
        // Not before here: the journal mode is written into the file, and a file that is not ours stays as it is.
        connection.execute("PRAGMA journal_mode = WAL").await.map_err(failed)?;
        if let Some(mib) = max_mib {
            let pages = mib.saturating_mul(1024 * 1024) / PAGE_BYTES;
            connection.execute(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).await.map_err(failed)?;
        }
        // One transaction: a router killed here finds the old version again. Also takes the write lock, so a second router stops here.
        connection.execute("BEGIN IMMEDIATE").await.map_err(failed)?;
        for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
            connection.execute(*step).await.map_err(failed)?;
        }
        connection
            .execute(AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {known}")))
            .await
            .map_err(failed)?;
        connection.execute("COMMIT").await.map_err(failed)?;
        Ok(())
    }

    /// The one door for writes: begun, committed or rolled back here.
    async fn write(&self, change: &Change) -> Result<(), StoreError> {
        let failed = |e: sqlx::Error| sort(&e, &self.path);
        let mut connection = self.begin().await?;
        let current = current_version(&mut connection, &change.tenant).await.map_err(failed)?;
        let fresh = current.is_none() && change.from.number == 0;
        if !fresh && current != Some(change.from) {
            self.finish::<()>(connection, Err(sqlx::Error::RowNotFound)).await.ok();
            return Err(StoreError::Moved { expected: change.from, current: current.unwrap_or_default() });
        }
        let written = write::change(&mut connection, change).await;
        self.finish(connection, written).await
    }

    /// Begins a transaction by hand. sqlx counts depth on its own side, and SQLite ends a transaction by itself when the disk is full:
    /// the two then disagree for ever, and every later write fails.
    async fn begin(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let failed = |e: sqlx::Error| sort(&e, &self.path);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // Only a caller who was cancelled half way leaves one open; without one this fails, as it should.
        connection.execute("ROLLBACK").await.ok();
        connection.execute("BEGIN IMMEDIATE").await.map_err(failed)?;
        Ok(connection)
    }

    /// Commits what was done, or takes all of it back.
    async fn finish<T>(&self, mut connection: PoolConnection<Sqlite>, done: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let committed = match done {
            Ok(value) => connection.execute("COMMIT").await.map(|_| value),
            Err(error) => Err(error),
        };
        match committed {
            Ok(value) => Ok(value),
            Err(error) => {
                connection.execute("ROLLBACK").await.ok();
                Err(sort(&error, &self.path))
            }
        }
    }
}

/// Looks at a file without changing it.
///
/// # Errors
/// In use, not ours, of a newer schema, not readable.
pub(super) async fn look(path: &Path) -> Result<Found, StoreError> {
    if !path.exists() {
        return Ok(Found::Nothing);
    }
    let failed = |e: sqlx::Error| sort(&e, path);
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_millis(200));
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
    let mut pragma = async |name: &'static str| -> Result<i64, StoreError> {
        let row = sqlx::query(AssertSqlSafe(format!("PRAGMA {name}"))).fetch_one(&mut connection).await.map_err(failed)?;
        Ok(row.get(0))
    };
    let (owner, schema) = (pragma("application_id").await?, pragma("user_version").await?);
    let (place, known) = (path.display().to_string(), i64::try_from(STEPS.len()).unwrap_or(i64::MAX));
    if owner == 0 && schema == 0 && pragma("page_count").await? == 0 {
        return Ok(Found::Nothing);
    }
    if owner != APPLICATION_ID {
        return Err(StoreError::Foreign { place });
    }
    if known < schema {
        return Err(StoreError::Newer { place, found: schema, known });
    }
    let query = sqlx::query("SELECT tenant, epoch, version FROM tenants");
    let rows = query.fetch_all(&mut connection).await.map_err(failed)?;
    let one = |row: &SqliteRow| Some((TenantId::new(row.try_get("tenant").ok()?), version(row).ok()?));
    Ok(Found::Store { schema, known, tenants: rows.iter().filter_map(one).collect(), now: None })
}

async fn current_version(connection: &mut SqliteConnection, tenant: &TenantId) -> Result<Option<Version>, sqlx::Error> {
    let row = sqlx::query("SELECT epoch, version FROM tenants WHERE tenant = ?")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| version(&row)).transpose()
}

fn version(row: &SqliteRow) -> Result<Version, sqlx::Error> {
    Ok(Version { epoch: row.try_get("epoch")?, number: unsigned(row.try_get("version")?) })
}

impl Store for EmbeddedStore {
    fn load(&self) -> BoxFuture<'_, Result<Vec<StoredTenant>, StoreError>> {
        async move {
            let failed = |e: sqlx::Error| sort(&e, &self.path);
            let tenants =
                sqlx::query("SELECT tenant, epoch, version FROM tenants").fetch_all(&self.pool).await.map_err(failed)?;
            let mut all = Vec::with_capacity(tenants.len());
            for row in tenants {
                let name: String = column(&row, "tenant")?;
                let rows = sqlx::query("SELECT * FROM tools WHERE tenant = ? ORDER BY position, source, name")
                    .bind(&name)
                    .fetch_all(&self.pool)
                    .await
                    .map_err(failed)?;
                let records = rows.iter().map(|row| Columns::read(row)?.record()).collect::<Result<_, _>>()?;
                all.push(StoredTenant { tenant: TenantId::new(&name), version: version(&row).map_err(failed)?, records });
            }
            Ok(all)
        }
        .boxed()
    }

    /// The lock keeps all others out.
    fn heard(&self) -> Option<watch::Receiver<()>> {
        None
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(TenantId, Version)>, StoreError>> {
        async move {
            let failed = |e: sqlx::Error| sort(&e, &self.path);
            let rows = sqlx::query("SELECT tenant, epoch, version FROM tenants").fetch_all(&self.pool).await.map_err(failed)?;
            rows.iter()
                .map(|row| Ok((TenantId::new(&column::<String, _>(row, "tenant")?), version(row).map_err(failed)?)))
                .collect()
        }
        .boxed()
    }

    /// All there is: nobody misses a step of a store that no other router can write.
    fn since<'a>(&'a self, tenant: &'a TenantId, have: Version) -> BoxFuture<'a, Result<Since, StoreError>> {
        async move {
            let stored = self.load().await?.into_iter().find(|stored| stored.tenant == *tenant);
            let stored = stored.unwrap_or_else(|| StoredTenant {
                tenant: tenant.clone(),
                version: Version::default(),
                records: Vec::new(),
            });
            Ok(if stored.version == have { Since::Nothing } else { Since::Whole(stored) })
        }
        .boxed()
    }

    fn vectors_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
        texts: &'a [TextHash],
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>> {
        async move {
            let mut vectors = self.vectors(tenant, model_id, dimension).await?;
            let wanted: HashSet<&TextHash> = texts.iter().collect();
            vectors.retain(|hash, _| wanted.contains(hash));
            Ok(vectors)
        }
        .boxed()
    }

    fn vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>> {
        async move {
            let rows = sqlx::query("SELECT text_hash, codes FROM vectors WHERE tenant = ? AND model = ?")
                .bind(tenant.as_str())
                .bind(model_id)
                .fetch_all(&self.pool)
                .await
                .map_err(|e| sort(&e, &self.path))?;
            // A vector that does not read is embedded again: it is derived, so nothing is lost.
            let one = |row: &SqliteRow| {
                let hash: [u8; 32] = column::<&[u8], _>(row, "text_hash").ok()?.try_into().ok()?;
                Some((TextHash(hash), Codes::from_bytes(column(row, "codes").ok()?, dimension)?))
            };
            Ok(rows.iter().filter_map(one).collect())
        }
        .boxed()
    }

    fn all_vectors<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<Vec<StoredVector>, StoreError>> {
        async move {
            let query = sqlx::query("SELECT model, text_hash, codes FROM vectors WHERE tenant = ?").bind(tenant.as_str());
            let rows = query.fetch_all(&self.pool).await.map_err(|e| sort(&e, &self.path))?;
            Ok(rows.iter().filter_map(vector).collect())
        }
        .boxed()
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<(), StoreError>> {
        self.write(change).boxed()
    }

    fn put_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        vectors: &'a [(TextHash, Codes)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut connection = self.begin().await?;
            let written = write::vectors(&mut connection, tenant.as_str(), model_id, vectors).await;
            self.finish(connection, written).await
        }
        .boxed()
    }

    fn prune_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        live: &'a HashSet<TextHash>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        async move {
            let failed = |e: sqlx::Error| sort(&e, &self.path);
            let rows = sqlx::query("SELECT text_hash FROM vectors WHERE tenant = ? AND model = ?")
                .bind(tenant.as_str())
                .bind(model_id)
                .fetch_all(&self.pool)
                .await
                .map_err(failed)?;
            let dead = rows
                .iter()
                .filter_map(|row| column::<Vec<u8>, _>(row, "text_hash").ok())
                .filter(|hash| <[u8; 32]>::try_from(hash.as_slice()).map_or(true, |hash| !live.contains(&TextHash(hash))));
            let dead: Vec<_> = dead.collect();
            let mut connection = self.begin().await?;
            let dropped = write::delete_vectors(&mut connection, tenant.as_str(), model_id, dead).await;
            self.finish(connection, dropped).await
        }
        .boxed()
    }

    fn drop_other_models<'a>(&'a self, tenant: &'a TenantId, model_id: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        async move {
            let mut connection = self.begin().await?;
            let query = sqlx::query("DELETE FROM vectors WHERE tenant = ? AND model <> ?");
            let dropped = query.bind(tenant.as_str()).bind(model_id).execute(&mut *connection).await;
            self.finish(connection, dropped.map(|done| done.rows_affected())).await
        }
        .boxed()
    }

    fn paused_sources<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<HashSet<String>, StoreError>> {
        async move {
            let failed = |e: sqlx::Error| sort(&e, &self.path);
            let mut connection = self.pool.acquire().await.map_err(failed)?;
            let query = sqlx::query("SELECT source FROM paused_sources WHERE tenant = ?").bind(tenant.as_str());
            let rows = query.fetch_all(&mut *connection).await.map_err(failed)?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        }
        .boxed()
    }

    fn set_paused<'a>(&'a self, tenant: &'a TenantId, source: &'a str, paused: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut connection = self.begin().await?;
            let query = if paused {
                sqlx::query("INSERT INTO paused_sources (tenant, source) VALUES (?, ?) ON CONFLICT DO NOTHING")
            } else {
                sqlx::query("DELETE FROM paused_sources WHERE tenant = ? AND source = ?")
            };
            let written = query.bind(tenant.as_str()).bind(source).execute(&mut *connection).await;
            self.finish(connection, written.map(drop)).await
        }
        .boxed()
    }

    fn lease<'a>(
        &'a self,
        _tenant: &'a TenantId,
        _source: &'a str,
        _holder: &'a str,
        _length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        async { Ok(true) }.boxed()
    }

    fn release<'a>(&'a self, _tenant: &'a TenantId, _source: &'a str, _holder: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }

    fn add_minutes<'a>(&'a self, flush: &'a Flush) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut connection = self.begin().await?;
            let written = minutes::add(&mut connection, flush).await;
            self.finish(connection, written).await
        }
        .boxed()
    }

    fn minutes<'a>(&'a self, tenant: &'a TenantId, minutes: Range<u64>) -> BoxFuture<'a, Result<Vec<ToolMinute>, StoreError>> {
        async move {
            let failed = |e: sqlx::Error| sort(&e, &self.path);
            let mut connection = self.pool.acquire().await.map_err(failed)?;
            minutes::read(&mut connection, tenant, minutes).await.map_err(failed)?
        }
        .boxed()
    }

    fn drop_minutes(&self, before: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        async move {
            let mut connection = self.begin().await?;
            let dropped = minutes::drop_before(&mut connection, before).await;
            self.finish(connection, dropped).await
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.pool.close().boxed()
    }
}

/// Sorts SQLite's result codes (the low byte is the primary one) into ours.
pub(super) fn sort(error: &sqlx::Error, path: &Path) -> StoreError {
    let detail = error.to_string();
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|c| i64::from_str(&c).ok());
    match code.map(|c| c & 0xff) {
        Some(13) => StoreError::Full,
        Some(5 | 6) => StoreError::InUse { place: path.display().to_string() },
        Some(26) => StoreError::Foreign { place: path.display().to_string() },
        Some(11) => StoreError::Damaged { detail },
        _ => StoreError::Unavailable { detail: format!("{}: {detail}", path.display()) },
    }
}

#[cfg(test)]
mod tests;
