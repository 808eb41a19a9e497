//! PostgreSQL: one truth for several routers, which its operators already run, back up and replicate.
//!
//! Every statement has a limit on this side as well: a server that is frozen keeps its connections open and says nothing. A change is one
//! transaction that moves the tenant's version first, so that two routers never both take a step from the same one. What is read together is
//! read from one snapshot of the database. All names are qualified, so neither the role's search path nor a pooler in between matters.

mod catch_up;
mod connect;
mod listen;
mod migrate;
mod minutes;
mod read;
mod write;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection, Executor, Postgres, Transaction};
use tokio::sync::watch;

use self::connect::CONNECT;
pub use self::connect::PostgresOptions;
use self::listen::Ear;
use super::place::Found;
use super::{Since, Store, StoreError, StoredTenant, StoredVector};
use crate::catalog::{Change, TextHash, Version};
use crate::index::vector::Codes;
use crate::outcomes::{Flush, ToolMinute};
use crate::tool::TenantId;

/// Longest that a whole catalogue may take, beside what any other operation may.
const WHOLE: u32 = 12;

/// Longest that closing waits for operations under way.
const CLOSING: Duration = Duration::from_secs(2);

/// The store.
pub struct PostgresStore {
    options: Arc<Mutex<PostgresOptions>>,
    /// Another one when the database has moved.
    pool: ArcSwap<PgPool>,
    /// Longest that one operation may take.
    timeout: Duration,
    /// From when somebody first wants to hear: tools that look once do not listen.
    ear: OnceLock<Ear>,
    /// Whether the schema of this very database is known to be this build's.
    brought_up: AtomicBool,
    /// Whether some database's was. After that none is made or changed: a router that is led elsewhere finds a store there, or says so.
    settled: AtomicBool,
    /// Whether the last look for what was missed was cut short: perhaps it was much.
    many_steps: AtomicBool,
    /// Whether the last operation found nobody.
    away: AtomicBool,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.options).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// Not reachable, no right to do it, not ours, of a newer schema.
    pub async fn open(options: &PostgresOptions) -> Result<Self, StoreError> {
        let store = Self::new(options)?;
        store.bring_up().await?;
        Ok(store)
    }

    /// A store that connects when it is first used, and brings the schema up to date then.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        options.place()?;
        let timeout = options.timeout;
        let pool = ArcSwap::from_pointee(options.pool()?);
        let options = Arc::new(Mutex::new(options.clone()));
        Ok(Self {
            ear: OnceLock::new(),
            options,
            pool,
            timeout,
            brought_up: AtomicBool::new(false),
            settled: AtomicBool::new(false),
            many_steps: AtomicBool::new(false),
            away: AtomicBool::new(false),
        })
    }

    /// Brings the schema up to date, once.
    ///
    /// # Errors
    /// Not reachable, no right to do it, not ours, of a newer schema.
    pub async fn bring_up(&self) -> Result<(), StoreError> {
        if self.brought_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.settled.load(Ordering::Relaxed) {
            let words = match self.look().await? {
                Found::Nothing => "there is no store in it: put a backup into it".to_owned(),
                Found::Store { schema, known, .. } if schema < known => {
                    format!("its schema version is {schema}, this build's is {known}: restart a router to bring it up")
                }
                Found::Store { .. } => String::new(),
            };
            if !words.is_empty() {
                // It answers, but is not what is looked for.
                self.note(true);
                return Err(StoreError::Unavailable { detail: format!("{}: {words}", self.place()) });
            }
        } else {
            let brought_up = self
                .connected(self.timeout, |connection| in_transaction(connection, |t| migrate::bring_up(t).boxed()).boxed())
                .await?;
            brought_up.map_err(|e| self.placed(e))?;
        }
        self.settled.store(true, Ordering::Relaxed);
        self.brought_up.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What is there, without changing anything.
    async fn look(&self) -> Result<Found, StoreError> {
        let found = self
            .connected(self.timeout, |connection| {
                in_transaction(connection, |transaction| migrate::look(transaction).boxed()).boxed()
            })
            .await?;
        found.map_err(|e| self.placed(e))
    }

    /// With the name of the database, which the statements do not know.
    fn placed(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Newer { found, known, .. } => StoreError::Newer { place: self.place(), found, known },
            StoreError::Foreign { .. } => StoreError::Foreign { place: format!("schema tool_router of {}", self.place()) },
            other => other,
        }
    }

    /// Where it is, for people; never with a password.
    fn place(&self) -> String {
        self.options().place().unwrap_or_default()
    }

    fn options(&self) -> std::sync::MutexGuard<'_, PostgresOptions> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` on one connection, within the limit. The outer error is the connection's.
    async fn within<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        self.bring_up().await?;
        self.connected(self.timeout, work).await
    }

    async fn connected<T, W>(&self, limit: Duration, work: W) -> Result<T, StoreError>
    where
        W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let done = async {
            let mut connection = self.pool.load_full().acquire().await.map_err(|e| self.sort(&e))?;
            match tokio::time::timeout(limit, work(&mut connection)).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(self.sort(&error)),
                Err(_) => {
                    // The server may be in the middle of an answer, or never give one: nobody else gets this connection.
                    connection.close_on_drop();
                    let detail = format!("{}: no answer within {} ms", self.place(), limit.as_millis());
                    Err(StoreError::Unavailable { detail })
                }
            }
        };
        let done = done.await;
        self.note(matches!(done, Err(StoreError::Unavailable { .. })));
        done
    }

    /// Looks for the database elsewhere when nobody answers, and listens anew when somebody does again.
    fn note(&self, away: bool) {
        let was_away = self.away.swap(away, Ordering::Relaxed);
        if was_away && !away {
            self.listen_anew();
        }
        let moved = if away { self.options().moved() } else { None };
        let Some((options, pool)) = moved.and_then(|options| options.pool().ok().map(|pool| (options, pool))) else { return };
        tracing::info!(store.place = options.place().unwrap_or_default(), "the store has moved");
        *self.options() = options;
        self.brought_up.store(false, Ordering::Relaxed);
        let old = self.pool.swap(Arc::new(pool));
        self.listen_anew();
        // It waits for what is under way, which may be for as long as the limit.
        tokio::spawn(async move { old.close().await });
    }

    fn listen_anew(&self) {
        if let Some(ear) = self.ear.get() {
            ear.anew();
        }
    }

    /// Does `work` in a transaction that sees one snapshot of the database; commits when it gives `Ok`.
    async fn transaction<T, E, W>(&self, limit: Duration, work: W) -> Result<Result<T, E>, StoreError>
    where
        W: for<'c> FnOnce(&'c mut Transaction<'_, Postgres>) -> BoxFuture<'c, Result<Result<T, E>, sqlx::Error>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.bring_up().await?;
        let milliseconds = limit.as_millis();
        let longer = limit != self.timeout;
        self.connected(limit, move |connection| {
            in_transaction(connection, move |transaction| {
                async move {
                    if longer {
                        let statement = format!("SET LOCAL statement_timeout = '{milliseconds}ms'");
                        transaction.execute(AssertSqlSafe(statement)).await?;
                    }
                    work(transaction).await
                }
                .boxed()
            })
            .boxed()
        })
        .await
    }

    /// Sorts PostgreSQL's conditions (SQLSTATE) into ours.
    fn sort(&self, error: &sqlx::Error) -> StoreError {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        let detail = match error {
            sqlx::Error::PoolTimedOut => {
                format!("{}: no connection within {} ms", self.place(), self.timeout.min(CONNECT).as_millis())
            }
            error => format!("{}: {error}", self.place()),
        };
        match code.as_deref() {
            // Disk full, and a table space or role that may not grow.
            Some("53100") => StoreError::Full,
            // Data corrupted, index corrupted.
            Some("XX001" | "XX002") => StoreError::Damaged { detail },
            _ => StoreError::Unavailable { detail },
        }
    }
}

/// Looks at a database without changing it.
///
/// # Errors
/// Not reachable, not ours, of a newer schema.
pub(super) async fn look(options: &PostgresOptions) -> Result<Found, StoreError> {
    let store = PostgresStore::new(options)?;
    let found = store.look().await;
    store.close().await;
    found
}

async fn in_transaction<T, E, W>(connection: &mut PgConnection, work: W) -> Result<Result<T, E>, sqlx::Error>
where
    W: for<'c> FnOnce(&'c mut Transaction<'_, Postgres>) -> BoxFuture<'c, Result<Result<T, E>, sqlx::Error>>,
{
    let mut transaction = connection.begin().await?;
    let done = work(&mut transaction).await?;
    match done {
        Ok(_) => transaction.commit().await?,
        Err(_) => transaction.rollback().await?,
    }
    Ok(done)
}

impl Store for PostgresStore {
    fn load(&self) -> BoxFuture<'_, Result<Vec<StoredTenant>, StoreError>> {
        async move { self.transaction(self.timeout * WHOLE, |transaction| read::everything(transaction).boxed()).await? }.boxed()
    }

    fn heard(&self) -> Option<watch::Receiver<()>> {
        Some(self.ear.get_or_init(|| Ear::new(Arc::clone(&self.options))).heard())
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(TenantId, Version)>, StoreError>> {
        async move { self.within(|connection| read::versions(connection).boxed()).await }.boxed()
    }

    fn since<'a>(&'a self, tenant: &'a TenantId, have: Version) -> BoxFuture<'a, Result<Since, StoreError>> {
        let tenant = tenant.clone();
        // Steps are few, and callers wait for them. Only where they were too many for that, the next try is given more time.
        let limit = if self.many_steps.load(Ordering::Relaxed) { self.timeout * WHOLE } else { self.timeout };
        async move {
            let read = self.transaction(limit, move |transaction| catch_up::since(transaction, tenant, have).boxed()).await;
            self.many_steps.store(matches!(read, Err(StoreError::Unavailable { .. })), Ordering::Relaxed);
            read?
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
        let (tenant, model_id) = (tenant.clone(), model_id.to_owned());
        let texts = texts.iter().map(|hash| hash.0.to_vec()).collect();
        async move {
            self.within(move |connection| read::vectors_of(connection, tenant, model_id, dimension, texts).boxed()).await
        }
        .boxed()
    }

    fn vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>> {
        let (tenant, model_id) = (tenant.clone(), model_id.to_owned());
        async move { self.within(move |connection| read::vectors(connection, tenant, model_id, dimension).boxed()).await }.boxed()
    }

    fn all_vectors<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<Vec<StoredVector>, StoreError>> {
        let tenant = tenant.clone();
        async move {
            self.transaction(self.timeout * WHOLE, move |transaction| read::all_vectors(transaction, tenant).boxed()).await?
        }
        .boxed()
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<(), StoreError>> {
        let change = change.clone();
        async move { self.transaction(self.timeout, move |transaction| write::change(transaction, change).boxed()).await? }
            .boxed()
    }

    fn put_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        vectors: &'a [(TextHash, Codes)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let (tenant, model_id, vectors) = (tenant.clone(), model_id.to_owned(), vectors.to_vec());
        async move {
            self.within(move |connection| {
                async move { write::vectors(connection, tenant.as_str(), &model_id, &vectors).await }.boxed()
            })
            .await
        }
        .boxed()
    }

    fn prune_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        live: &'a HashSet<TextHash>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let (tenant, model_id) = (tenant.clone(), model_id.to_owned());
        let live: Vec<Vec<u8>> = live.iter().map(|hash| hash.0.to_vec()).collect();
        async move { self.within(move |connection| write::prune(connection, tenant, model_id, live).boxed()).await }.boxed()
    }

    fn drop_other_models<'a>(&'a self, tenant: &'a TenantId, model_id: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        let (tenant, model_id) = (tenant.clone(), model_id.to_owned());
        async move { self.within(move |connection| write::drop_other_models(connection, tenant, model_id).boxed()).await }.boxed()
    }

    fn paused_sources<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<HashSet<String>, StoreError>> {
        let tenant = tenant.clone();
        async move { self.within(move |connection| read::paused_sources(connection, tenant).boxed()).await }.boxed()
    }

    fn set_paused<'a>(&'a self, tenant: &'a TenantId, source: &'a str, paused: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        let (tenant, source) = (tenant.clone(), source.to_owned());
        async move { self.within(move |connection| write::set_paused(connection, tenant, source, paused).boxed()).await }.boxed()
    }

    fn lease<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a str,
        holder: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (tenant, source, holder) = (tenant.clone(), source.to_owned(), holder.to_owned());
        async move { self.within(move |connection| write::lease(connection, tenant, source, holder, length).boxed()).await }
            .boxed()
    }

    fn release<'a>(&'a self, tenant: &'a TenantId, source: &'a str, holder: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let (tenant, source, holder) = (tenant.clone(), source.to_owned(), holder.to_owned());
        async move { self.within(move |connection| write::release(connection, tenant, source, holder).boxed()).await }.boxed()
    }

    fn add_minutes<'a>(&'a self, flush: &'a Flush) -> BoxFuture<'a, Result<(), StoreError>> {
        let flush = flush.clone();
        async move { self.transaction(self.timeout, move |transaction| minutes::add(transaction, flush).boxed()).await? }.boxed()
    }

    fn minutes<'a>(&'a self, tenant: &'a TenantId, minutes: Range<u64>) -> BoxFuture<'a, Result<Vec<ToolMinute>, StoreError>> {
        let tenant = tenant.clone();
        async move { self.within(move |connection| minutes::read(connection, tenant, minutes).boxed()).await? }.boxed()
    }

    fn drop_minutes(&self, before: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        async move { self.transaction(self.timeout, move |transaction| minutes::drop_before(transaction, before).boxed()).await? }
            .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            if let Some(ear) = self.ear.get() {
                ear.close();
            }
            // It waits for what is under way, and a server that is silent answers to nothing.
            let _ = tokio::time::timeout(CLOSING, self.pool.load_full().close()).await;
        }
        .boxed()
    }
}

#[cfg(test)]
#[path = "../../tests/it/support/postgres.rs"]
mod server;

#[cfg(test)]
mod tests {
    use super::server::Server;
    use super::*;
    use crate::catalog::Version;
    use crate::store::contract;

    fn options(url: String) -> PostgresOptions {
        PostgresOptions { url, url_file: None, ca_file: None, max_connections: 4, timeout: Duration::from_secs(5) }
    }

    async fn open(url: &str) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(&options(url.to_owned())).await
    }

    /// A server, or a line among the tests that were left out.
    fn server(test: &str) -> Option<Server> {
        let server = Server::start();
        if server.is_none() {
            crate::store::contract::left_out(&format!("store::postgres::{test}"), "needs PostgreSQL: apt-get install postgresql");
        }
        server
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let Some(mut server) = server("keeps_the_contract") else { return };
        contract::holds(&open(&server.database()).await.unwrap()).await;
    }

    #[tokio::test]
    async fn of_two_routers_on_one_version_one_is_told() {
        let Some(mut server) = server("of_two_routers_on_one_version_one_is_told") else { return };
        let url = server.database();
        // Both bring up the schema at once.
        let (one, other) = tokio::join!(open(&url), open(&url));
        let (one, other) = (one.unwrap(), other.unwrap());
        for from in 0..20 {
            let (a, b) = (
                contract::change(from, vec![contract::record("a", from)], &[]),
                contract::change(from, vec![contract::record("b", from)], &[]),
            );
            let (a, b) = tokio::join!(one.apply(&a), other.apply(&b));
            let refused = match (a, b) {
                (Ok(()), Err(error)) | (Err(error), Ok(())) => error,
                both => panic!("{both:?}"),
            };
            let moved = StoreError::Moved {
                expected: Version { epoch: if from == 0 { 0 } else { 7 }, number: from },
                current: Version { epoch: 7, number: from + 1 },
            };
            assert_eq!(refused.to_string(), moved.to_string());
        }
        assert_eq!(one.load().await.unwrap()[0].version.number, 20);
    }

    #[tokio::test]
    async fn every_change_leaves_its_trace() {
        let Some(mut server) = server("every_change_leaves_its_trace") else { return };
        let url = server.database();
        let store = open(&url).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0), contract::record("b", 1)], &[])).await.unwrap();
        let mut changed = contract::record("a", 0);
        changed.tool.description = "Does something else.".into();
        changed.fingerprint = changed.tool.fingerprint();
        store.apply(&contract::change(1, vec![changed], &["b"])).await.unwrap();
        let trace = server.sql(
            "test_1",
            "SELECT version, name, actor, before IS NULL, after IS NULL, before <> after FROM tool_router.audit ORDER BY 1, 2",
        );
        assert_eq!(trace.unwrap(), "1|a|somebody|t|f|\n1|b|somebody|t|f|\n2|a|somebody|f|f|t\n2|b|somebody|f|t|");
    }

    #[tokio::test]
    async fn a_newer_schema_and_a_foreign_one_are_refused_untouched() {
        let Some(mut server) = server("a_newer_schema_and_a_foreign_one_are_refused_untouched") else { return };
        let url = server.database();
        open(&url).await.unwrap();
        open(&url).await.unwrap();
        server.sql("test_1", "UPDATE tool_router.schema_version SET version = 99").unwrap();
        let newer = open(&url).await.unwrap_err().to_string();
        assert!(newer.contains("has schema version 99, this build knows up to 2"), "{newer}");

        let url = server.database();
        server.sql("test_2", "CREATE SCHEMA tool_router CREATE TABLE precious (x int)").unwrap();
        let foreign = open(&url).await.unwrap_err();
        assert!(matches!(foreign, StoreError::Foreign { .. }), "{foreign}");
        assert_eq!(server.sql("test_2", "SELECT count(*) FROM pg_tables WHERE schemaname = 'tool_router'").unwrap(), "1");
    }

    #[tokio::test]
    async fn a_database_of_version_1_is_brought_up_and_its_routers_go_on() {
        let Some(mut server) = server("a_database_of_version_1_is_brought_up_and_its_routers_go_on") else { return };
        let url = server.database();
        let older = open(&url).await.unwrap();
        older.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        let back = "DROP TABLE tool_router.outcome_minutes, tool_router.outcome_flushes; UPDATE tool_router.schema_version SET version = 1";
        server.sql("test_1", back).unwrap();
        let newer = open(&url).await.unwrap();
        assert_eq!(server.sql("test_1", "SELECT version FROM tool_router.schema_version").unwrap(), "2");
        assert!(newer.minutes(&TenantId::default(), 0..9).await.unwrap().is_empty());
        // What an older router does touches nothing of the step.
        older.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
        assert_eq!(newer.load().await.unwrap()[0].records.len(), 2);
    }

    #[tokio::test]
    async fn routers_that_add_to_the_same_rows_neither_lose_nor_lock_up() {
        use crate::outcomes::{Outcome, Tally, ToolMinute};
        let Some(mut server) = server("routers_that_add_to_the_same_rows_neither_lose_nor_lock_up") else { return };
        let url = server.database();
        let (one, other) = (open(&url).await.unwrap(), open(&url).await.unwrap());
        let count = |i: u64| {
            let mut tally = Tally::default();
            tally.call(Outcome::Ok, None, None, None);
            let tool = crate::tool::ToolId::new("s", &format!("t{i}")).unwrap();
            ToolMinute { tenant: TenantId::default(), tool, minute: 1, tally }
        };
        let add = async |store: &PostgresStore, router: &str, backwards: bool| {
            for number in 1..=10 {
                let mut counts: Vec<ToolMinute> = (0..300).map(count).collect();
                if backwards {
                    counts.reverse();
                }
                store.add_minutes(&Flush { router: router.into(), number, minute: 1, counts }).await.unwrap();
            }
        };
        tokio::join!(add(&one, "one", false), add(&other, "other", true), add(&other, "third", true));
        let rows = one.minutes(&TenantId::default(), 0..9).await.unwrap();
        assert_eq!(rows.len(), 300);
        assert!(rows.iter().all(|row| row.tally.calls() == 30));
    }

    #[tokio::test]
    async fn tls_is_used_and_its_certificate_is_checked() {
        let Some(mut server) = server("tls_is_used_and_its_certificate_is_checked") else { return };
        let url = server.database();
        let made = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (own, other) = (made(), made());
        server.encrypt(&own.cert.pem(), &own.signing_key.serialize_pem());
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let (right, wrong) = (file("right.pem", own.cert.pem()), file("wrong.pem", other.cert.pem()));
        let strict = |host: &str, ca_file: &Option<std::path::PathBuf>| PostgresOptions {
            ca_file: ca_file.clone(),
            timeout: Duration::from_secs(2),
            ..options(url.replace("127.0.0.1", host) + "?sslmode=verify-full")
        };
        let store = PostgresStore::open(&strict("localhost", &right)).await.unwrap();
        let query = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE ssl AND application_name = 'tool-router'";
        assert_ne!(server.sql("test_1", query).unwrap(), "0", "connections are encrypted");
        store.close().await;
        for refused in [strict("localhost", &wrong), strict("127.0.0.1", &right), options(url.clone() + "?sslmode=disable")] {
            let refused = PostgresOptions { timeout: Duration::from_secs(2), ..refused };
            let error = PostgresStore::open(&refused).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn callers_wait_for_one_of_few_connections() {
        let Some(mut server) = server("callers_wait_for_one_of_few_connections") else { return };
        let few = PostgresOptions { max_connections: 2, ..options(server.database()) };
        let store = PostgresStore::open(&few).await.unwrap();
        let of = |tenant: usize| Change {
            tenant: TenantId::new(&format!("t{tenant}")),
            ..contract::change(0, vec![contract::record("a", 0)], &[])
        };
        let changes: Vec<Change> = (0..40).map(of).collect();
        let done = futures_util::future::join_all(changes.iter().map(|change| store.apply(change))).await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        let open = server.sql("test_1", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tool-router'").unwrap();
        assert!(open.parse::<u32>().unwrap() <= 2, "{open} connections");
    }

    #[tokio::test]
    async fn a_server_that_is_away_or_says_nothing_is_an_error_in_time() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://router:secret@{}/none", silent.local_addr().unwrap());
        let short = PostgresOptions { timeout: Duration::from_millis(300), ..options(url.clone()) };
        let error = PostgresStore::open(&short).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }) && !error.to_string().contains("secret"), "{error}");
        drop(silent);
        let error = PostgresStore::open(&short).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    }

    #[tokio::test]
    async fn comes_back_after_a_kill_with_all_that_was_acknowledged() {
        let Some(mut server) = server("comes_back_after_a_kill_with_all_that_was_acknowledged") else { return };
        let store = open(&server.database()).await.unwrap();
        store.apply(&contract::change(0, vec![contract::record("a", 0)], &[])).await.unwrap();
        server.kill();
        let away = store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap_err();
        assert!(matches!(away, StoreError::Unavailable { .. }), "{away}");
        server.restart();
        assert_eq!(store.load().await.unwrap()[0].records, [contract::record("a", 0)]);
        store.apply(&contract::change(1, vec![contract::record("b", 1)], &[])).await.unwrap();
    }
}
