//! Sources that the router keeps in sync by itself: MCP servers from the configuration.
//!
//! Each has a task of its own, so each fails alone. What a task may do to the catalogue is little: apply a whole list through the registrar,
//! like any publisher. A server that cannot be read, or not to its end, changes nothing; a list that would take most tools away is held
//! until someone releases just that list.

mod apply;
mod backoff;
mod status;
mod tries;
mod worker;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::apply::Held;
pub use self::status::{LeftOut, State, Status};
pub use self::tries::{Tried, Tries};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::error::Kind;
use crate::import::mcp::{Endpoint, McpError, Patience};
use crate::register::{Diff, RegisterError, Registrar};
use crate::store::{Store, StoreError};
use crate::tool::TenantId;

/// Orders that may wait for a task.
const MAX_ORDERS: usize = 16;
/// Lists that are registered at once: a start with fifty sources must leave places for publishers.
const MAX_APPLIED: usize = 4;
/// How long servers have to end when the router stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// A source to keep in sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name in the catalogue.
    pub name: String,
    /// Its server.
    pub endpoint: Endpoint,
    /// How long to wait for it.
    pub patience: Patience,
    /// Between two syncs that nothing else asked for; a tenth more or less, so that replicas and sources do not march in step.
    pub interval: Duration,
}

/// What tasks work with.
#[derive(Clone)]
pub struct Surroundings {
    /// Whose sources these are.
    pub tenant: TenantId,
    /// What they change.
    pub registrar: Registrar,
    /// What is there.
    pub catalog: Arc<Catalog>,
    /// Where pauses survive, and who says which router syncs a source.
    pub store: Arc<dyn Store>,
    /// This router, among those that share the store: a name that no other has.
    pub holder: Arc<str>,
    /// For stamps.
    pub clock: Arc<dyn Clock>,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No source of that name is configured.
    #[error("source {name:?} is not configured{}", known(configured))]
    NotConfigured {
        /// What was asked for.
        name: String,
        /// What there is.
        configured: Vec<String>,
    },
    /// Its server has no list to give.
    #[error("source {name:?}: {error}; its tools stay as they were")]
    Server {
        /// The source.
        name: String,
        /// Why.
        error: McpError,
    },
    /// The catalogue did not take the list.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The list is held.
    #[error("source {name:?} is held: {reason}; see what the server lists, then release it")]
    Held {
        /// The source.
        name: String,
        /// What the list would do.
        reason: String,
    },
    /// Nothing is held.
    #[error("source {name:?} is not held: there is nothing to release")]
    NotHeld {
        /// The source.
        name: String,
    },
    /// A pause could not be remembered.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sync was cut short.
    #[error("source {name:?} was paused, or the router is stopping")]
    Interrupted {
        /// The source.
        name: String,
    },
    /// Too many orders wait.
    #[error("{MAX_ORDERS} orders for source {name:?} wait already, which is the limit")]
    Busy {
        /// The source.
        name: String,
    },
}

fn known(names: &[String]) -> String {
    if names.is_empty() { ": none is".to_owned() } else { format!("; these are: {}", names.join(", ")) }
}

impl SourceError {
    /// Its name in spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Server { error, .. } => error.name(),
            Self::Register(RegisterError::Store(error)) | Self::Store(error) => error.name(),
            Self::Register(_) => "registration",
            Self::NotConfigured { .. } => "not_configured",
            Self::Held { .. } => "held",
            Self::NotHeld { .. } => "not_held",
            Self::Interrupted { .. } => "interrupted",
            Self::Busy { .. } => "busy",
        }
    }

    /// How a caller is to understand it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotConfigured { .. } => Kind::NotFound,
            Self::Server { error, .. } => error.kind(),
            Self::Register(error) => error.kind(),
            Self::Held { .. } | Self::NotHeld { .. } => Kind::Refused,
            Self::Store(error) => error.kind(),
            Self::Interrupted { .. } => Kind::Unavailable,
            Self::Busy { .. } => Kind::Overloaded { retry_after: Duration::from_secs(1) },
        }
    }
}

/// Every configured source. A cheap handle.
#[derive(Clone)]
pub struct Sources(Arc<Inner>);

struct Inner {
    /// In the order of the configuration.
    order: Vec<String>,
    sources: HashMap<String, Arc<Shared>>,
    surroundings: Surroundings,
    stop: CancellationToken,
    tasks: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sources").field(&self.0.order).finish()
    }
}

/// What a task and those who ask about it share.
struct Shared {
    source: Source,
    progress: Mutex<Progress>,
    orders: mpsc::Sender<Order>,
    /// Rung when the source is paused: whatever is under way is dropped.
    interrupt: Notify,
    /// Held while a pause is stored and noted: of two callers at once, the store and the task must believe the same one.
    steering: tokio::sync::Mutex<()>,
    /// Taken while a list is registered; shared by all sources.
    turns: Arc<Semaphore>,
}

impl Shared {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: McpError) -> SourceError {
        SourceError::Server { name: self.source.name.clone(), error }
    }
}

/// How a source is doing.
#[derive(Debug, Default)]
struct Progress {
    paused: bool,
    /// Another router has the lease.
    elsewhere: bool,
    held: Option<Held>,
    /// Why the last try failed; empty when it did not.
    error: String,
    failures: u32,
    syncs: u64,
    failed_syncs: u64,
    tries: Tries,
    last_sync: Option<(u64, Instant)>,
    due: Option<Instant>,
    left_out: Vec<LeftOut>,
    notifies: bool,
}

/// What a task can be told.
enum Order {
    /// Look again: something in `progress` changed.
    Look,
    Sync(oneshot::Sender<Result<Diff, SourceError>>),
    Release(oneshot::Sender<Result<Diff, SourceError>>),
}

impl Sources {
    /// Starts a task for each of `sources`, whose names are distinct.
    ///
    /// # Errors
    /// The store does not tell which are paused.
    pub async fn start(sources: Vec<Source>, surroundings: Surroundings) -> Result<Self, StoreError> {
        let paused = match surroundings.store.paused_sources(&surroundings.tenant).await {
            // A router that starts without its database: nobody syncs before it is known who does, and what is paused comes with that.
            Err(StoreError::Unavailable { .. }) if surroundings.store.heard().is_some() => HashSet::new(),
            paused => paused?,
        };
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let order = sources.iter().map(|source| source.name.clone()).collect();
        let (mut handles, turns) = (HashMap::new(), Arc::new(Semaphore::new(MAX_APPLIED)));
        for source in sources {
            let (orders, inbox) = mpsc::channel(MAX_ORDERS);
            let progress = Mutex::new(Progress { paused: paused.contains(&source.name), ..Progress::default() });
            let name = source.name.clone();
            let shared = Arc::new(Shared {
                source,
                progress,
                orders,
                interrupt: Notify::new(),
                steering: tokio::sync::Mutex::default(),
                turns: Arc::clone(&turns),
            });
            tasks.spawn(worker::run(Arc::clone(&shared), surroundings.clone(), inbox, stop.clone()));
            handles.insert(name, shared);
        }
        Ok(Self(Arc::new(Inner { order, sources: handles, surroundings, stop, tasks: Mutex::new(tasks) })))
    }

    fn get(&self, name: &str) -> Result<&Arc<Shared>, SourceError> {
        let unknown = || SourceError::NotConfigured { name: name.to_owned(), configured: self.0.order.clone() };
        self.0.sources.get(name).ok_or_else(unknown)
    }

    /// How every source is doing, in the order of the configuration.
    #[must_use]
    pub fn list(&self) -> Vec<Status> {
        self.0.order.iter().filter_map(|name| self.status(name).ok()).collect()
    }

    /// How one is doing.
    ///
    /// # Errors
    /// It is not configured.
    pub fn status(&self, name: &str) -> Result<Status, SourceError> {
        let shared = self.get(name)?;
        let catalog = self.0.surroundings.catalog.load().tenant(&self.0.surroundings.tenant);
        let tools = catalog.of_source(name).count();
        Ok(Status::of(&shared.source, &shared.progress(), tools, Instant::now()))
    }

    /// Syncs now; gives what changed.
    ///
    /// # Errors
    /// Not configured, no list to be had, held.
    pub async fn sync(&self, name: &str) -> Result<Diff, SourceError> {
        self.order(name, Order::Sync).await
    }

    /// Applies the held list.
    ///
    /// # Errors
    /// Not configured, nothing held, not taken by the catalogue.
    pub async fn release(&self, name: &str) -> Result<Diff, SourceError> {
        self.order(name, Order::Release).await
    }

    async fn order(
        &self,
        name: &str,
        order: fn(oneshot::Sender<Result<Diff, SourceError>>) -> Order,
    ) -> Result<Diff, SourceError> {
        let shared = self.get(name)?;
        let (answer, wait) = oneshot::channel();
        shared.orders.try_send(order(answer)).map_err(|_| SourceError::Busy { name: name.to_owned() })?;
        wait.await.unwrap_or_else(|_| Err(SourceError::Interrupted { name: name.to_owned() }))
    }

    /// Stops or goes on syncing a source, restarts included.
    ///
    /// # Errors
    /// Not configured, or the store does not take it; then it is as it was.
    pub async fn set_paused(&self, name: &str, paused: bool) -> Result<(), SourceError> {
        let shared = self.get(name)?;
        let _steering = shared.steering.lock().await;
        self.0.surroundings.store.set_paused(&self.0.surroundings.tenant, name, paused).await?;
        {
            let mut progress = shared.progress();
            if progress.paused != paused {
                tracing::info!(source.name = name, source.paused = paused, "source was paused or resumed");
            }
            progress.paused = paused;
        }
        if paused {
            shared.interrupt.notify_waiters();
        }
        // A full inbox wakes the task as well.
        let _ = shared.orders.try_send(Order::Look);
        Ok(())
    }

    /// Ends every task and the servers that were started.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        // What is left after that is killed as its task is dropped.
        let _ = tokio::time::timeout(FAREWELL, async { while tasks.join_next().await.is_some() {} }).await;
    }
}
