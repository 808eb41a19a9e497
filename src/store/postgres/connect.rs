//! Where the database is, and how a connection to it is made.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};

use crate::store::StoreError;

/// The parser's own words may hold what it parsed.
const NO_ADDRESS: &str = "the address is none: write postgres://user:password@host:port/database";

/// Longest wait for a connection, also of those who have a minute for the answer.
pub(super) const CONNECT: Duration = Duration::from_secs(10);

/// What to connect to and how patiently.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database`. May name several things more, such as `sslmode`.
    pub url: String,
    /// Where it was read from, and is read again when nobody answers: a database may move.
    pub url_file: Option<PathBuf>,
    /// Authority that signed the server's certificate, PEM; the system's ones when absent.
    pub ca_file: Option<PathBuf>,
    /// Most connections at once.
    pub max_connections: u32,
    /// Longest wait for a connection, and for an operation on it.
    pub timeout: Duration,
}

/// Without the password.
impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresOptions").field("place", &self.place().ok()).finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// Whether the address is one.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self) -> Result<(), &'static str> {
        PgConnectOptions::from_str(&self.url).map(drop).map_err(|_| NO_ADDRESS)
    }

    /// The address as people may see it.
    ///
    /// # Errors
    /// It is none.
    pub fn place(&self) -> Result<String, StoreError> {
        let options = self.parsed()?;
        let database = options.get_database().unwrap_or(options.get_username());
        Ok(match options.get_socket() {
            Some(socket) => format!("postgres in {} database {database}", socket.display()),
            None => format!("postgres at {}:{} database {database}", options.get_host(), options.get_port()),
        })
    }

    /// The database, and where it is unless that is a socket.
    pub(in crate::store) fn peer(&self) -> Option<(String, Option<(String, u16)>)> {
        let options = self.parsed().ok()?;
        let database = options.get_database().unwrap_or(options.get_username()).to_owned();
        let address = options.get_socket().is_none().then(|| (options.get_host().to_owned(), options.get_port()));
        Some((database, address))
    }

    /// The same at the address that its file has now; `None` where that is no other.
    pub(super) fn moved(&self) -> Option<Self> {
        let url = std::fs::read_to_string(self.url_file.as_ref()?).ok()?;
        let moved = Self { url: url.trim().to_owned(), ..self.clone() };
        (moved.url != self.url && moved.check().is_ok()).then_some(moved)
    }

    fn parsed(&self) -> Result<PgConnectOptions, StoreError> {
        PgConnectOptions::from_str(&self.url).map_err(|_| StoreError::Unavailable { detail: NO_ADDRESS.to_owned() })
    }

    /// What operations share: all connections but the one that listens. None is open yet.
    pub(super) fn pool(&self) -> Result<PgPool, StoreError> {
        self.pool_of(self.max_connections.saturating_sub(1).max(1))
    }

    /// What listens, on a pool of its own: one that breaks off at a server that is silent waits for that server to the end of its days, and
    /// must take nobody else's connection with it.
    pub(super) fn pool_that_listens(&self) -> Result<PgPool, StoreError> {
        self.pool_of(1)
    }

    fn pool_of(&self, connections: u32) -> Result<PgPool, StoreError> {
        let mut options = self.parsed()?.application_name("tool-router");
        let says_how = self.url.contains("sslmode=") || self.url.contains("ssl-mode=");
        if let Some(file) = &self.ca_file {
            options = options.ssl_root_cert(file);
        }
        // Who says nothing of TLS gets all of it beyond this machine: a password in the clear is no default.
        if !says_how && options.get_socket().is_none() && !is_loopback(options.get_host()) {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        let milliseconds = self.timeout.as_millis();
        // The server gives up as well, so that what we no longer wait for holds no lock.
        options = options.options([
            ("statement_timeout", format!("{milliseconds}ms")),
            ("idle_in_transaction_session_timeout", format!("{milliseconds}ms")),
        ]);
        Ok(PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.timeout.min(CONNECT))
            // Replicas come and go, and so may the server behind an address.
            .max_lifetime(Duration::from_secs(30 * 60))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // Acknowledged is on disk, whatever the server's default; stricter settings stay.
                    connection
                        .execute(
                            "SELECT set_config('synchronous_commit', 'on', false) \
                             WHERE current_setting('synchronous_commit') = 'off'",
                        )
                        .await
                        .map(drop)
                })
            })
            .connect_lazy_with(options))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> PostgresOptions {
        PostgresOptions {
            url: url.to_owned(),
            url_file: None,
            ca_file: None,
            max_connections: 2,
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let given = options("postgres://router:hunter2@db.example.com:5433/tools");
        assert_eq!(given.place().unwrap(), "postgres at db.example.com:5433 database tools");
        assert!(!format!("{given:?}").contains("hunter2"));
        let broken = options("postgres://router:hunter2@[db/tools").place().unwrap_err().to_string();
        assert!(!broken.contains("hunter2") && broken.contains("postgres://user:password@host"), "{broken}");
    }

    #[test]
    fn loopback_is_what_needs_no_tls() {
        assert!(is_loopback("localhost") && is_loopback("127.0.0.7") && is_loopback("::1"));
        assert!(!is_loopback("10.0.0.1") && !is_loopback("localhost.example.com"));
    }
}
