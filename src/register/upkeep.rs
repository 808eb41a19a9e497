//! Keeps indexes in shape, in the background: merges a delta that has grown, builds the graph of a large sealed part.
//!
//! Selections never wait for it: what it builds, it builds beside the serving catalogue, on a thread of low priority, and only the swap
//! takes the writer's lock. One job at a time and tenant. A tenant that has a graph keeps it, with a growing delta, until the next sealed
//! part has its own; one that has none yet serves by exact scan until the graph is there.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Parts, Registrar};
use crate::background;
use crate::catalog::{Sealed, TenantCatalog};
use crate::index::EngineChoice;
use crate::tool::TenantId;

/// Between two looks whether an old sealed part is still in use.
const RETIRE_PAUSE: Duration = Duration::from_millis(200);

/// What the upkeep of all tenants shares.
#[derive(Debug)]
pub(super) struct Upkeep {
    choice: EngineChoice,
    /// Tenants that are being worked on.
    busy: Mutex<HashSet<TenantId>>,
    /// Jobs that are done.
    done: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Upkeep {
    pub(super) fn new(choice: EngineChoice) -> Self {
        Self { choice, busy: Mutex::default(), done: AtomicU64::default(), stop: Arc::default() }
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, HashSet<TenantId>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `catalog` needs most.
    fn job(&self, catalog: &TenantCatalog) -> Option<Job> {
        let has_graph = catalog.index().has_graph();
        if catalog.wants_merge() {
            // Without a graph the merge is quick, and the graph comes after; with one the next part gets its own first.
            let with_graph = has_graph && self.choice.wants_graph(catalog.len());
            return Some(Job::Merge { with_graph });
        }
        (!has_graph && self.choice.wants_graph(catalog.sealed().len())).then_some(Job::Graph)
    }
}

#[derive(Clone, Copy, Debug)]
enum Job {
    Merge { with_graph: bool },
    Graph,
}

impl Registrar {
    /// Indexes that were merged or got a graph so far, and whether one is being worked on.
    #[must_use]
    pub fn merges(&self) -> (u64, bool) {
        (self.0.upkeep.done.load(Ordering::Relaxed), !self.0.upkeep.busy().is_empty())
    }

    /// Gives up what is being built: a process that ends does not wait minutes for a graph.
    pub fn stop_upkeep(&self) {
        self.0.upkeep.stop.store(true, Ordering::Relaxed);
    }
}

impl Parts {
    /// Makes `next` what requests see, and starts its upkeep where it needs any. The caller holds the writer's lock.
    pub(super) fn publish(self: &Arc<Self>, next: &Arc<TenantCatalog>) {
        self.catalog.publish(next);
        if self.upkeep.job(next).is_some() && self.upkeep.busy().insert(next.tenant().clone()) {
            tokio::spawn(Arc::clone(self).keep_up(next.tenant().clone()));
        }
    }

    async fn keep_up(self: Arc<Self>, tenant: TenantId) {
        while !self.upkeep.stop.load(Ordering::Relaxed) {
            let catalog = self.catalog.load().tenant(&tenant);
            let job = {
                // Together with taking the tenant off the list: a publication in between would start no one.
                let mut busy = self.upkeep.busy();
                let job = self.upkeep.job(&catalog);
                if job.is_none() && Arc::ptr_eq(&catalog, &self.catalog.load().tenant(&tenant)) {
                    busy.remove(&tenant);
                    return;
                }
                job
            };
            let Some(job) = job else { continue };
            let started = Instant::now();
            let Some(sealed) = self.build(&catalog, job).await else {
                break;
            };
            let lock = self.writer.lock().await;
            let current = self.catalog.load().tenant(&tenant);
            let old = current.sealed().clone();
            let built = tokio::task::spawn_blocking(move || Arc::new(current.over(sealed))).await;
            let next = match built {
                Ok(next) => {
                    // Not `publish`, which starts an upkeep: this loop is one.
                    self.catalog.publish(&next);
                    self.upkeep.done.fetch_add(1, Ordering::Relaxed);
                    tracing::info!(
                        catalog.tools = next.len(),
                        index.graph = next.index().has_graph(),
                        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                        "index merged"
                    );
                    next
                }
                Err(error) => {
                    tracing::error!(error.message = %error, "index could not be swapped in");
                    break;
                }
            };
            drop(lock);
            // A graph came over the same tools: then nothing was replaced.
            if !old.shares_tools_with(next.sealed()) {
                tokio::spawn(retire(old));
            }
        }
        self.upkeep.busy().remove(&tenant);
    }

    /// `None` when the router stops, or a build broke: then what serves goes on serving.
    async fn build(&self, catalog: &Arc<TenantCatalog>, job: Job) -> Option<Sealed> {
        let (catalog, stop) = (Arc::clone(catalog), Arc::clone(&self.upkeep.stop));
        let (done, wait) = tokio::sync::oneshot::channel();
        let work = move || {
            let built = match job {
                Job::Merge { with_graph: false } => Some(catalog.sealed_anew()),
                Job::Merge { with_graph: true } => catalog.sealed_anew().with_graph(&stop),
                Job::Graph => catalog.sealed().clone().with_graph(&stop),
            };
            // Nobody waits when the router has stopped.
            let _ = done.send(built);
        };
        if let Err(error) = background::spawn("index-upkeep", work) {
            tracing::error!(error.message = %error, "no thread for the index");
            return None;
        }
        match wait.await {
            Ok(built) => built,
            Err(_) => {
                tracing::error!("building an index broke; the old one goes on serving");
                None
            }
        }
    }
}

/// Lets go of a sealed part on a thread where that hurts nobody: freeing a hundred thousand tools takes a while, and the last to let go
/// would otherwise be some request.
async fn retire(old: Sealed) {
    while 1 < old.holders() {
        tokio::time::sleep(RETIRE_PAUSE).await;
    }
    // Without a thread it is freed here.
    let _ = background::spawn("index-retire", move || drop(old));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::clock::ManualClock;
    use crate::embed::hashing::HashingEmbedder;
    use crate::embed::{Pool, PoolOptions};
    use crate::register::{Candidate, Meaning, Options, validate_batch};
    use crate::store::Store;
    use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};

    struct Router {
        registrar: Registrar,
        catalog: Arc<Catalog>,
        tenant: TenantId,
        _folder: tempfile::TempDir,
    }

    impl Router {
        async fn new(choice: EngineChoice) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let options = EmbeddedOptions { path: folder.path().join("r.db"), max_mib: None };
            let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&options).await.unwrap());
            let pool = Pool::start(HashingEmbedder::load(1), PoolOptions::default()).unwrap();
            let catalog = Arc::new(Catalog::default());
            let registrar = Registrar::new(Arc::clone(&catalog), store, pool, Arc::new(ManualClock::default()), choice);
            Self { registrar, catalog, tenant: TenantId::default(), _folder: folder }
        }

        async fn register(&self, names: std::ops::Range<usize>) {
            // The same words in ever other names: equal vectors are one node, so graphs are there at once also in a debug build.
            let mark = |i: usize| format!("{i:b}").replace('0', "_").replace('1', "-");
            let candidate = |i: usize| Candidate {
                name: format!("do{}it", mark(i)),
                description: "Does it.".into(),
                input_schema_json: "{}".into(),
                ..Candidate::default()
            };
            let tools = validate_batch("s", names.map(candidate).collect()).unwrap();
            self.registrar.register(&self.tenant, "s", tools, Meaning::Upsert, Options::default()).await.unwrap();
        }

        fn current(&self) -> Arc<TenantCatalog> {
            self.catalog.load().tenant(&self.tenant)
        }

        async fn settled(&self) -> Arc<TenantCatalog> {
            let upkeep = &self.registrar.0.upkeep;
            while upkeep.job(&self.current()).is_some() || upkeep.busy().contains(&self.tenant) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.current()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_delta_is_merged_and_what_came_meanwhile_stays() {
        let router = Router::new(EngineChoice::Exact).await;
        router.register(0..400).await;
        assert_eq!((router.settled().await.sealed().len(), router.current().len()), (0, 400));
        router.register(400..700).await;
        router.register(690..720).await;
        let settled = router.settled().await;
        assert!(700 <= settled.sealed().len() && settled.len() == 720 && !settled.index().has_graph());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_graph_is_built_kept_and_let_go_with_its_tools() {
        let router = Router::new(EngineChoice::Auto { hnsw_min: 600 }).await;
        router.register(0..650).await;
        let first = router.settled().await;
        assert!(first.index().has_graph());
        let sealed = first.sealed().clone();
        drop(first);
        router.register(650..1_300).await;
        let second = router.settled().await;
        assert!(second.index().has_graph() && second.sealed().len() == 1_300, "it has its own before the swap");
        // Nobody else holds what was replaced, not even the task that lets it go: it waits for us.
        for _ in 0..3_000 {
            if sealed.holders() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(sealed.holders(), 2, "this test and the task that waits for it");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stopped_router_builds_nothing() {
        let router = Router::new(EngineChoice::Hnsw).await;
        router.registrar.stop_upkeep();
        router.register(0..600).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!((router.current().sealed().len(), router.current().len()), (0, 600));
    }
}
