//! A ring of replay records on disk, with the catalogues they are of: SQLite in a file of its own, bounded, oldest out.
//!
//! It is telemetry. Nothing waits for it, so it syncs nothing, and a crash may cost the last records. A file that is damaged, or not such a
//! ring, is moved aside and a new one is made: that must not stop a router. Several routers may share a file, and a command may read it
//! beside them, so unlike the store's it is not locked.
//!
//! What it holds is addressed by its hash and checked against it when it is read.

mod read;
mod write;

use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

pub use self::read::Found;
use super::StoreError;
use super::embedded::sort;
use crate::catalog::Version;
use crate::tool::TenantId;

/// Marks the file as such a ring ("tRrp").
const APPLICATION_ID: i64 = 0x7452_7270;
/// The one layout there is. Another build's ring is moved aside rather than brought up to date: it is telemetry.
const LAYOUT: i64 = 1;
/// SQLite's page size, for turning a size limit into pages.
const PAGE_BYTES: u64 = 4096;
/// The log beside the file is cut back to this: a catalogue that is written for the first time makes it long.
const LOG_BYTES: u64 = 4 << 20;
/// Files that are moved aside; with more than these there something is wrong that a new file does not mend.
const MOST_ASIDE: u32 = 3;

/// Where the ring is and how far it may grow.
#[derive(Clone, Debug)]
pub struct RingOptions {
    /// The file; made when absent, with its folder.
    pub path: PathBuf,
    /// Most records: 1 or more.
    pub max_records: u64,
    /// Most bytes of the file.
    pub max_bytes: u64,
    /// How long a catalogue is kept that no record needs any more.
    pub history: Duration,
}

/// SHA-256.
pub type Hash = [u8; 32];

/// The hash that a text is kept under.
#[must_use]
pub fn hash(text: &str) -> Hash {
    hash_bytes(text.as_bytes())
}

/// The same of bytes.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Lines that are kept together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Of its lines' hashes.
    pub hash: Hash,
    /// The lines, in order.
    pub lines: Vec<Hash>,
}

impl Block {
    /// Of these lines.
    #[must_use]
    pub fn of(lines: Vec<Hash>) -> Self {
        Self { hash: of_all(&lines), lines }
    }
}

/// A catalogue as the ring keeps it, by hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whose.
    pub tenant: TenantId,
    /// Its version, which does not change when vectors come: the hash does.
    pub version: Version,
    /// Of its blocks' hashes.
    pub hash: Hash,
    /// In order.
    pub blocks: Vec<Block>,
}

impl Listing {
    /// Of these blocks.
    #[must_use]
    pub fn of(tenant: TenantId, version: Version, blocks: Vec<Block>) -> Self {
        let hashes: Vec<Hash> = blocks.iter().map(|block| block.hash).collect();
        let name = format!("{} {version}", tenant.as_str());
        let hash = of_all(&[hash(&name), of_all(&hashes)]);
        Self { tenant, version, hash, blocks }
    }
}

fn of_all(hashes: &[Hash]) -> Hash {
    hashes.iter().fold(Sha256::new(), sha2::Digest::chain_update).finalize().into()
}

/// A record to keep.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// What it is found by.
    pub trace_id: &'a str,
    /// And by this.
    pub selection_id: &'a str,
    /// When it was made, ms since the Unix epoch.
    pub at_ms: u64,
    /// The record.
    pub body: &'a str,
    /// The weights file that it was ranked by.
    pub weights: &'a str,
    /// The catalogue, where it is kept too.
    pub catalogue: Option<&'a Listing>,
}

/// The ring.
pub struct Ring {
    pool: SqlitePool,
    options: RingOptions,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("path", &self.options.path).finish_non_exhaustive()
    }
}

impl Ring {
    /// Opens the file, or makes it. One that is damaged or no such ring is moved aside.
    ///
    /// # Errors
    /// It cannot be written here, or too many were moved aside already.
    pub async fn open(options: &RingOptions) -> Result<Self, StoreError> {
        match Self::open_as_it_is(options).await {
            Err(error @ (StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. })) => {
                let aside = move_aside(&options.path)?;
                let (ring, aside) = (options.path.display().to_string(), aside.display().to_string());
                tracing::warn!(error.message = %error, replay.path = ring, replay.aside = aside, "a new replay ring is begun");
                Self::open_as_it_is(options).await
            }
            opened => opened,
        }
    }

    async fn open_as_it_is(options: &RingOptions) -> Result<Self, StoreError> {
        let path = &options.path;
        make_private(path).map_err(|e| StoreError::Unavailable { detail: format!("{}: {e}", path.display()) })?;
        let connect = connect(path).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Off).foreign_keys(true);
        let pages = (options.max_bytes / PAGE_BYTES).to_string();
        let connect = connect.pragma("max_page_count", pages).pragma("journal_size_limit", LOG_BYTES.to_string());
        // Looked at before the journal mode, which is written into the file.
        let mut looking = connect_once(path).await?;
        let found = check(&mut looking, path).await;
        sqlx::Connection::close(looking).await.ok();
        let is_new = found?;
        // One that writes, one that reads.
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(connect).await.map_err(|e| sort(&e, path))?;
        let ring = Self { pool, options: options.clone() };
        if is_new {
            ring.begin().await?;
        }
        Ok(ring)
    }

    /// Makes the tables, unless another router just did.
    async fn begin(&self) -> Result<(), StoreError> {
        let failed = |e: sqlx::Error| sort(&e, &self.options.path);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        connection.execute("BEGIN IMMEDIATE").await.map_err(failed)?;
        let made = async {
            if pragma(&mut connection, "user_version").await? == 0 {
                connection.execute(include_str!("ring/schema.sql")).await?;
                let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT}");
                connection.execute(AssertSqlSafe(marks)).await?;
            }
            connection.execute("COMMIT").await
        };
        let made = made.await;
        if made.is_err() {
            connection.execute("ROLLBACK").await.ok();
        }
        made.map(drop).map_err(failed)
    }

    /// Opens a ring that is there, to read it; nothing is moved or made.
    ///
    /// # Errors
    /// None is there, or it is damaged or none.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(StoreError::Unavailable { detail: format!("{}: there is no replay ring", path.display()) });
        }
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(connect(path).read_only(true)).await;
        let pool = pool.map_err(|e| sort(&e, path))?;
        let mut connection = pool.acquire().await.map_err(|e| sort(&e, path))?;
        if check(&mut connection, path).await? {
            return Err(StoreError::Foreign { place: path.display().to_string() });
        }
        drop(connection);
        let options = RingOptions { path: path.to_owned(), max_records: 1, max_bytes: 0, history: Duration::ZERO };
        Ok(Self { pool, options })
    }

    /// Writes what is under way and lets the file go.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn connect(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5))
}

async fn connect_once(path: &Path) -> Result<SqliteConnection, StoreError> {
    sqlx::ConnectOptions::connect(&connect(path)).await.map_err(|e| sort(&e, path))
}

async fn pragma(connection: &mut SqliteConnection, name: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!("PRAGMA {name}"))).fetch_one(connection).await?.try_get(0)
}

/// Whether the file is still empty; an error where it is something else than a sound ring.
async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<bool, StoreError> {
    let failed = |e: sqlx::Error| sort(&e, path);
    let (owner, layout) =
        (pragma(connection, "application_id").await.map_err(failed)?, pragma(connection, "user_version").await.map_err(failed)?);
    if owner == 0 && layout == 0 && pragma(connection, "page_count").await.map_err(failed)? == 0 {
        return Ok(true);
    }
    let place = path.display().to_string();
    match (owner, layout) {
        (APPLICATION_ID, LAYOUT) => (),
        (APPLICATION_ID, found) => return Err(StoreError::Newer { place, found, known: LAYOUT }),
        _ => return Err(StoreError::Foreign { place }),
    }
    let sound: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(connection).await.map_err(failed)?.get(0);
    if sound == "ok" { Ok(false) } else { Err(StoreError::Damaged { detail: format!("{place}: {sound}") }) }
}

/// Makes the file where it is not there, for its owner alone: records quote what users asked. SQLite gives its logs the file's own rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

/// Gives the file another name, and lets go of its logs, which are of no use to anyone without it.
fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let with = |end: &str| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(end);
        path.with_file_name(name)
    };
    let free = (1..=MOST_ASIDE).map(|i| with(&format!(".aside-{i}"))).find(|aside| !aside.exists());
    let place = path.display();
    let many =
        || StoreError::Unavailable { detail: format!("{place} is damaged as {MOST_ASIDE} files beside it were: remove them") };
    let aside = free.ok_or_else(many)?;
    std::fs::rename(path, &aside).map_err(|e| StoreError::Unavailable { detail: format!("{place}: {e}") })?;
    for log in ["-wal", "-shm"] {
        std::fs::remove_file(with(log)).ok();
    }
    Ok(aside)
}

#[cfg(test)]
mod tests;
