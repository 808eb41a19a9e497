//! PostgreSQL: one truth for several routers, which its operators already run, back up and replicate.
//!
//! Every statement has a limit on this side as well: a server that is frozen keeps its connections open and says nothing. A change is one
//! transaction that moves the tenant's version first, so that two routers never both take a step from the same one. What is read together is
//! read from one snapshot of the database. All names are qualified, so neither the role's search path nor a pooler in between matters.

mod catch_up;
mod connect;
mod listen;
mod loan;
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
use self::loan::Loan;
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
            let mut loan = Loan::of(&self.pool.load_full(), self.timeout).await.map_err(|e| self.sort(&e))?;
            match tokio::time::timeout(limit, work(loan.connection())).await {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(self.sort(&error)),
                Err(_) => {
                    loan.give_up();
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
mod tests;
