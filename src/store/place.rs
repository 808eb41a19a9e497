//! Which store: the embedded one or the shared one, and how it is written down.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::embedded::{EmbeddedOptions, EmbeddedStore};
use super::postgres::{PostgresOptions, PostgresStore};
use super::{Store, StoreError};
use crate::catalog::Version;
use crate::tool::TenantId;

/// Longest answer that a tool, which nobody waits for in a request, waits for.
const PATIENT: Duration = Duration::from_secs(60);

/// A store, not opened.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file.
    Embedded(EmbeddedOptions),
    /// A database.
    Postgres(PostgresOptions),
}

/// A store as the other end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `sqlite` or `postgresql`.
    pub system: &'static str,
    /// The file's name, or the database's.
    pub namespace: String,
    /// Host and port; `None` for a file or a socket.
    pub address: Option<(String, u16)>,
}

/// What is at a place.
#[derive(Debug)]
pub enum Found {
    /// Nothing of ours, and nothing in its way.
    Nothing,
    /// A store.
    Store {
        /// Its schema version.
        schema: i64,
        /// The newest this build knows.
        known: i64,
        /// The version of every tenant.
        tenants: Vec<(TenantId, Version)>,
        /// The database's clock, in seconds since the Unix epoch.
        now: Option<f64>,
    },
}

impl Place {
    /// Looks without changing anything.
    ///
    /// # Errors
    /// It cannot be looked at, is not ours, or is of a newer schema.
    pub async fn look(&self) -> Result<Found, StoreError> {
        match self {
            Self::Embedded(options) => super::embedded::look(&options.path).await,
            Self::Postgres(options) => super::postgres::look(options).await,
        }
    }

    /// Reads one: `postgres://…`, `@FILE` for a file that holds such an address, or the path of an SQLite file.
    ///
    /// # Errors
    /// One line that says why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url_file = text.strip_prefix('@').map(PathBuf::from);
        let url = match &url_file {
            Some(file) => std::fs::read_to_string(file).map_err(|e| format!("{} cannot be read: {e}", file.display()))?,
            None => text.to_owned(),
        };
        let url = url.trim();
        if url_file.is_none() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Ok(Self::Embedded(EmbeddedOptions { path: url.into(), max_mib: None }));
        }
        let options = PostgresOptions { url: url.to_owned(), url_file, ca_file: None, max_connections: 4, timeout: PATIENT };
        options.check().map_err(str::to_owned)?;
        Ok(Self::Postgres(options))
    }

    /// The same for work that may take its time.
    #[must_use]
    pub fn patient(self) -> Self {
        match self {
            Self::Postgres(options) => Self::Postgres(PostgresOptions { timeout: PATIENT.max(options.timeout), ..options }),
            embedded => embedded,
        }
    }

    /// As the other end of a call.
    #[must_use]
    pub fn peer(&self) -> Peer {
        match self {
            Self::Embedded(options) => {
                let namespace = options.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Peer { system: "sqlite", namespace, address: None }
            }
            Self::Postgres(options) => {
                let (namespace, address) = options.peer().unwrap_or_default();
                Peer { system: "postgresql", namespace, address }
            }
        }
    }

    /// For people; never with a password.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Embedded(options) => options.path.display().to_string(),
            Self::Postgres(options) => options.place().unwrap_or_default(),
        }
    }

    /// Opens it and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Embedded(options) => Arc::new(EmbeddedStore::open(options).await?),
            Self::Postgres(options) => Arc::new(PostgresStore::open(options).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_an_address_or_a_file_that_holds_one() {
        let name = |text: &str| Place::parse(text).map(|place| place.name());
        assert_eq!(name("router.db").unwrap(), "router.db");
        assert_eq!(name("postgres://u:secret@localhost:5433/tools").unwrap(), "postgres at localhost:5433 database tools");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://u:secret@localhost/tools\n").unwrap();
        assert_eq!(name(&format!("@{}", file.path().display())).unwrap(), "postgres at localhost:5432 database tools");
        std::fs::write(file.path(), "nonsense").unwrap();
        let refused = name(&format!("@{}", file.path().display())).unwrap_err();
        assert!(refused.contains("write postgres://"), "{refused}");
        assert!(name("@/nowhere").unwrap_err().contains("/nowhere cannot be read"));
    }
}
