//! `[store]`: where the catalogue survives.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::store::postgres::PostgresOptions;

/// The embedded store, or the shared one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The SQLite file; made when absent. Not used beside `[store.postgres]`.
    pub path: PathBuf,
    /// Most the file may take, in MiB: 1 or more. Absent: as much as the disk has.
    pub max_mib: Option<u64>,
    /// PostgreSQL instead, for several routers that share one catalogue.
    pub postgres: Option<Postgres>,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: "tool-router.db".into(), max_mib: None, postgres: None }
    }
}

/// `[store.postgres]`.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`. Beyond this machine TLS with a verified certificate is asked for unless it says
    /// otherwise (`?sslmode=`). This or `url_file`.
    #[serde(skip_serializing)]
    pub url: Option<String>,
    /// A file that holds the address, for addresses with a password.
    pub url_file: Option<PathBuf>,
    /// Authority that signed the server's certificate, PEM. Absent: the system's ones.
    pub ca_file: Option<PathBuf>,
    /// Most connections: 2 or more. One of them listens for changes of other routers.
    pub max_connections: u32,
    /// Longest wait for a connection, and for an answer on it: 100 to 600,000.
    pub timeout_ms: u64,
    /// How long a start waits for a database that does not answer, in ms. Then the snapshot serves, or the start fails.
    pub start_timeout_ms: u64,
    /// Where the catalogue is written, for starts without the database. Absent: nowhere.
    pub snapshot_file: Option<PathBuf>,
    /// After how long without the database probes say no, in ms. Absent: never, selections go on from memory.
    pub unready_after_ms: Option<u64>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            ca_file: None,
            max_connections: 8,
            timeout_ms: 5_000,
            start_timeout_ms: 30_000,
            snapshot_file: None,
            unready_after_ms: None,
        }
    }
}

impl Postgres {
    /// Address and limits as the store takes them. Reads `url_file`.
    ///
    /// # Errors
    /// One line that names the key.
    pub(super) fn checked(&self) -> Result<PostgresOptions, String> {
        let url = match (&self.url, &self.url_file) {
            (Some(url), None) => url.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|e| format!("store.postgres.url_file {} cannot be read: {e}", path.display()))?,
            _ => return Err("store.postgres: set url or url_file, one of them".to_owned()),
        };
        if let Some(path) = self.ca_file.as_ref().filter(|path| !path.is_file()) {
            return Err(format!("store.postgres.ca_file {} is no file", path.display()));
        }
        if self.max_connections < 2 {
            return Err(format!("store.postgres.max_connections is {}, 2 is the least", self.max_connections));
        }
        if !(100..=600_000).contains(&self.timeout_ms) {
            return Err(format!("store.postgres.timeout_ms is {}, it must be 100 to 600000", self.timeout_ms));
        }
        let options = PostgresOptions {
            url: url.trim().to_owned(),
            url_file: self.url_file.clone(),
            ca_file: self.ca_file.clone(),
            max_connections: self.max_connections,
            timeout: Duration::from_millis(self.timeout_ms),
        };
        options.check().map_err(|e| format!("store.postgres: {e}"))?;
        Ok(options)
    }
}

/// Without the address, which may hold a password.
impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("url_file", &self.url_file).finish_non_exhaustive()
    }
}
