//! SQLite in one file: WAL, `synchronous=FULL`, one connection that holds the file's lock.
//!
//! Why one connection: there is one writer, and reads happen at start only. Why the exclusive lock: two routers on one file would each serve
//! their own memory of it; the second is told so at once. FULL syncs the log before `COMMIT` returns, which is the promise behind every
//! acknowledgement. The lock dies with the process, so a kill -9 leaves nothing to clean up.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteLockingMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, Sqlite, SqliteConnection};
use tokio::sync::watch;

use super::columns::{Columns, column, signed, unsigned, vector};
use super::place::Found;
use super::{AUDIT_STEPS, Since, Store, StoreError, StoredTenant, StoredVector};
use crate::catalog::{Change, Record, TextHash, Version};
use crate::index::vector::Codes;
use crate::tool::TenantId;

/// Step `i` takes a store from schema version `i` to `i + 1`. Steps are only ever appended.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("paused_sources.sql"), include_str!("audit.sql")];
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
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // SQLite only says that its input or output failed.
        let read_only = |disk: rustix::fs::StatVfs| disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
        if rustix::fs::statvfs(folder).is_ok_and(read_only) {
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
        let written = write_change(&mut connection, change).await;
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

async fn write_change(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    let tenant = change.tenant.as_str();
    sqlx::query(
        "INSERT INTO tenants (tenant, epoch, version) VALUES (?1, ?2, ?3) ON CONFLICT (tenant) DO UPDATE SET version = ?3",
    )
    .bind(tenant)
    .bind(change.to.epoch)
    .bind(signed(change.to.number))
    .execute(&mut *connection)
    .await?;
    write_audit(&mut *connection, change).await?;
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
    write_vectors(connection, tenant, &change.model_id, &change.vectors).await
}

/// Who did what. Before the tools are written: of what they were only the fingerprint is kept.
async fn write_audit(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
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

async fn write_vectors(
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

async fn delete_vectors(
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
            let written = write_vectors(&mut connection, tenant.as_str(), model_id, vectors).await;
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
            let dropped = delete_vectors(&mut connection, tenant.as_str(), model_id, dead).await;
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

    fn close(&self) -> BoxFuture<'_, ()> {
        self.pool.close().boxed()
    }
}

/// Sorts SQLite's result codes (the low byte is the primary one) into ours.
fn sort(error: &sqlx::Error, path: &Path) -> StoreError {
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
mod tests {
    use super::*;
    use crate::store::contract;

    async fn open(path: &Path, max_mib: Option<u64>) -> Result<EmbeddedStore, StoreError> {
        EmbeddedStore::open(&EmbeddedOptions { path: path.to_owned(), max_mib }).await
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        contract::holds(&open(&dir.path().join("new/folder/r.db"), None).await.unwrap()).await;
    }

    #[tokio::test]
    async fn comes_back_after_closing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let store = open(&path, None).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        store.close().await;
        let again = open(&path, None).await.unwrap();
        assert_eq!(again.load().await.unwrap()[0].records, [contract::record("a", 0)]);
    }

    #[tokio::test]
    async fn a_second_router_on_the_file_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let _first = open(&path, None).await.unwrap();
        let second = open(&path, None).await.unwrap_err();
        assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    }

    #[tokio::test]
    async fn a_newer_schema_and_a_foreign_file_are_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let store = open(&path, None).await.unwrap();
        sqlx::query("PRAGMA user_version = 99").execute(&store.pool).await.unwrap();
        store.close().await;
        let newer = open(&path, None).await.unwrap_err().to_string();
        assert!(newer.contains("has schema version 99, this build knows up to 3"), "{newer}");

        let text = dir.path().join("notes.txt");
        std::fs::write(&text, "not a database, just some notes that are longer than a header\n".repeat(200)).unwrap();
        let foreign = open(&text, None).await.unwrap_err();
        assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
        assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a database"));

        let other = dir.path().join("other.db");
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&other).create_if_missing(true)).await.unwrap();
        sqlx::query("CREATE TABLE precious (x)").execute(&pool).await.unwrap();
        pool.close().await;
        let before = std::fs::read(&other).unwrap();
        let foreign = open(&other, None).await.unwrap_err();
        assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
        assert_eq!(std::fs::read(&other).unwrap(), before, "somebody's database is not touched");
    }

    #[tokio::test]
    async fn an_older_schema_is_brought_up_with_all_that_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let store = open(&path, None).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        store.pool.execute("DROP TABLE audit; DROP TABLE paused_sources; PRAGMA user_version = 1").await.unwrap();
        store.close().await;
        let store = open(&path, None).await.unwrap();
        assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
        store.set_paused(&TenantId::default(), "s", true).await.unwrap();
        store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
    }

    #[tokio::test]
    async fn every_change_leaves_its_trace() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir.path().join("r.db"), None).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0), contract::record("b", 1)], &[])).await.unwrap();
        let mut changed = contract::record("a", 0);
        changed.tool.description = "Does something else.".into();
        changed.fingerprint = changed.tool.fingerprint();
        store.apply(&contract::change(1, vec![changed], &["b"])).await.unwrap();
        let query = "SELECT printf('%d|%s|%s|%d|%d|%d', version, name, actor, before IS NULL, after IS NULL, \
                     before IS NOT NULL AND after IS NOT NULL AND before <> after) FROM audit WHERE 1e12 < at_ms ORDER BY version, name";
        let rows = sqlx::query(query).fetch_all(&store.pool).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(rows, ["1|a|somebody|1|0|0", "1|b|somebody|1|0|0", "2|a|somebody|0|0|1", "2|b|somebody|0|1|0"]);
    }

    #[tokio::test]
    async fn a_damaged_value_is_an_error_and_no_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.db");
        let store = open(&path, None).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        for damage in [
            "UPDATE tools SET description = CAST(x'ff00fe' AS TEXT)",
            "UPDATE tools SET description = 'fine', input_schema = '[1'",
            "UPDATE tools SET input_schema = '{}', fingerprint = x'00'",
            "UPDATE tenants SET epoch = 99999999999",
        ] {
            sqlx::query(damage).execute(&store.pool).await.unwrap();
            assert!(store.load().await.is_err(), "{damage}");
        }
    }

    #[tokio::test]
    async fn a_full_store_says_so_and_keeps_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir.path().join("r.db"), Some(1)).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        let mut large = contract::record("b", 1);
        large.tool.description = "x".repeat(2 << 20);
        let full = store.apply(&contract::change(1, vec![large], &["a"])).await.unwrap_err();
        assert!(matches!(full, StoreError::Full), "{full}");
        assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
        store.apply(&contract::change(1, vec![contract::record("c", 1)], &[])).await.unwrap();
    }
}
