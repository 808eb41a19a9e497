//! Puts the parts together and runs them from start to shutdown.
//!
//! Order matters. Addresses are taken first, so that a port in use is told before a model is loaded; probes say no until model, store and
//! index are up; on the way down probes say no first, then new calls stop, then calls under way finish, then the store closes.

mod keeping;
mod live;
mod outcomes;
mod snapshot;

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::catalog::{Catalog, TenantCatalog, Version};
use crate::clock::{Clock, SystemClock};
use crate::compact::Tokenizer;
use crate::config::{self, Config, ConfigError, EmbedderKind};
use crate::console::{self, Readiness};
use crate::embed::hashing::HashingEmbedder;
use crate::embed::{LoadError, Loaded, ModelInfo, Pool, PoolOptions};
use crate::outcomes::Outcomes;
use crate::rank::Weights;
use crate::rank::rerank::{LoadedReranker, RerankPool, RerankPoolOptions};
use crate::register::Registrar;
use crate::replay::{MadeWith, Recorder};
use crate::report::Reporter;
use crate::rpc::Access;
use crate::rpc::operations::About;
use crate::rpc::server::{self, Certificate, Parts, ServeError};
use crate::select::{Offered, Policy, Reranking, Selector, SelectorOptions};
use crate::sources::{Sources, Surroundings};
use crate::store::{Store, StoreError};
use crate::telemetry::{self, CacheSize, Identity, Meters, Observed, Watched};
use crate::tool::TenantId;

/// Longest wait for a probe or scrape under way at the end: a client that never finishes its request must not keep the process alive.
const HTTP_GRACE: Duration = Duration::from_secs(1);

/// Longest wait for replay records that are still to be written at the end.
const RECORD_GRACE: Duration = Duration::from_secs(2);

/// Longest that warming up may hold up a start.
const WARM_UP: Duration = Duration::from_secs(5);

/// Between two looks for what has no vectors.
const BACKFILL_PAUSE: Duration = Duration::from_secs(5);

/// The router could not start or broke. One line each.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address cannot be had.
    #[error("{key} {address} cannot be listened on: {detail}")]
    Listen {
        /// The key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// The system's words.
        detail: String,
    },
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// This build has no model runtime.
    #[error(
        "embedder.kind is \"onnx\", but this build has no ONNX Runtime: build with the feature `onnx`, or set embedder.kind to \"hashing\""
    )]
    NoOnnx,
    /// This build cannot run the reranker.
    #[error("[reranker] is set, but this build has no ONNX Runtime: build with the feature `onnx`, or take the section out")]
    NoReranker,
    /// The weights file is not usable.
    #[error("weights file {} {detail}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The store cannot be opened or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database did not answer in time, and there is nothing to start from instead.
    #[error("{error} (waited {} s for it); {hint}", waited.as_secs())]
    NoStore {
        /// The last answer.
        error: StoreError,
        /// How long it was waited for.
        waited: Duration,
        /// What would help.
        hint: &'static str,
    },
    /// The gRPC server broke.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The system refuses something basic.
    #[error("{what}: {detail}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// The system's words.
        detail: String,
    },
}

/// The listeners, taken before anything slow starts.
#[derive(Debug)]
pub struct Listeners {
    /// For gRPC.
    pub grpc: TcpListener,
    /// For HTTP.
    pub http: TcpListener,
}

impl Listeners {
    /// Takes the configured addresses.
    ///
    /// # Errors
    /// One is in use or not this machine's.
    pub async fn bind(config: &Config) -> Result<Self, AppError> {
        async fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, AppError> {
            TcpListener::bind(address).await.map_err(|e| AppError::Listen { key, address, detail: e.to_string() })
        }
        Ok(Self {
            grpc: bind("server.grpc_address", config.server.grpc_address).await?,
            http: bind("server.http_address", config.server.http_address).await?,
        })
    }
}

/// Loads the configured embedder.
///
/// # Errors
/// The model or its runtime is missing, damaged or wrong for this machine.
pub fn load_embedder(config: &config::Embedder) -> Result<Loaded, AppError> {
    let workers = config.workers.unwrap_or_else(cores);
    match config.kind {
        EmbedderKind::Hashing => Ok(HashingEmbedder::load(workers)),
        #[cfg(feature = "onnx")]
        EmbedderKind::Onnx => {
            let (model_dir, runtime_candidates) = (config::model_dir(&config.model_dir), config::runtime_candidates(config));
            Ok(crate::embed::onnx::load(&crate::embed::onnx::OnnxOptions { model_dir, runtime_candidates, workers })?)
        }
        #[cfg(not(feature = "onnx"))]
        EmbedderKind::Onnx => Err(AppError::NoOnnx),
    }
}

/// Loads the configured reranker, if there is one, over the embedder's runtime.
///
/// # Errors
/// The model or its runtime is missing, damaged or wrong for this machine.
pub fn load_reranker(config: &Config) -> Result<Option<LoadedReranker>, AppError> {
    let Some(reranker) = &config.reranker else { return Ok(None) };
    #[cfg(feature = "onnx")]
    {
        let options = crate::embed::onnx::cross::CrossOptions {
            model_dir: config::model_dir(&reranker.model_dir),
            runtime_candidates: config::runtime_candidates(&config.embedder),
            workers: reranker.workers.unwrap_or_else(cores),
        };
        Ok(Some(crate::embed::onnx::cross::load(&options)?))
    }
    #[cfg(not(feature = "onnx"))]
    {
        let _ = reranker;
        Err(AppError::NoReranker)
    }
}

/// Starts the workers of the reranker, if there is one.
///
/// # Errors
/// The system gives no thread.
pub fn start_reranking(config: &Config, loaded: Option<LoadedReranker>) -> Result<Option<Reranking>, AppError> {
    let (Some(settings), Some(loaded)) = (&config.reranker, loaded) else { return Ok(None) };
    let options = RerankPoolOptions { queue_limit: settings.queue_limit, ..RerankPoolOptions::default() };
    let pool = RerankPool::start(loaded, options);
    let pool = pool.map_err(|e| AppError::System { what: "starting rerank workers", detail: e.to_string() })?;
    Ok(Some(Reranking { pool, blend: settings.blend() }))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How to rank with the embedder `model`: by the configured weights file, else by the one that came with the model.
///
/// # Errors
/// The file cannot be read, or is for another build or model.
pub fn load_policy(config: &Config, model: &ModelInfo) -> Result<Policy, AppError> {
    let of_model = || config::model_dir(&config.embedder.model_dir).join(config::WEIGHTS_FILE);
    let comes_with_it = || Some(of_model()).filter(|path| config.embedder.kind == EmbedderKind::Onnx && path.exists());
    let weights = match config.ranking.weights_file.clone().or_else(comes_with_it) {
        Some(path) => {
            let text = std::fs::read_to_string(&path)
                .map_err(|e| AppError::Weights { path: path.clone(), detail: format!("cannot be read: {e}") })?;
            Weights::parse(&text, &model.id, model.dimension)
                .map_err(|e| AppError::Weights { path: path.clone(), detail: e.to_string() })?
        }
        None => Weights::default(),
    };
    let left_out = config.ranking.left_out().map_err(|detail| ConfigError::Value { detail })?;
    Ok(Policy { weights: Arc::new(weights), left_out, abstain: config.ranking.no_match.into() })
}

/// Runs the router until `shutdown`, then drains. What can change live is taken from each of `configs`.
///
/// # Errors
/// It could not start, or a server broke.
pub async fn run(
    config: &Config,
    identity: &Identity,
    listeners: Listeners,
    shutdown: impl Future<Output = ()>,
    configs: mpsc::Receiver<Config>,
) -> Result<(), AppError> {
    let started = Instant::now();
    let server = listeners.grpc.local_addr().ok();
    let measuring = config.telemetry.meters(identity.clone(), server).map_err(|detail| ConfigError::Value { detail })?;
    let meters = Arc::new(Meters::new(&measuring).map_err(|e| AppError::System { what: "metrics", detail: e.to_string() })?);
    let (readiness, stop) = (Readiness::default(), CancellationToken::new());
    let addresses = (listeners.grpc.local_addr().ok(), listeners.http.local_addr().ok());
    let mut http =
        tokio::spawn(console::serve(listeners.http, readiness.clone(), Arc::clone(&meters), stop.clone().cancelled_owned()));
    // Whatever ends this function ends the HTTP port.
    let _stop_on_return = stop.clone().drop_guard();

    let models = config.clone();
    let (loaded, reranker, counters) = tokio::task::spawn_blocking(move || {
        // The vocabularies unpack on first use, which should not be a caller's.
        for tokenizer in Tokenizer::ALL {
            let _ = tokenizer.count("ready");
        }
        Ok::<_, AppError>((load_embedder(&models.embedder)?, load_reranker(&models)?, models.counters()?))
    })
    .await
    .map_err(|e| AppError::System { what: "loading the model", detail: e.to_string() })??;
    let info = loaded.info.clone();
    let policy = load_policy(config, &info)?;
    let options = PoolOptions { queue_limit: config.embedder.queue_limit, ..PoolOptions::default() };
    let pool =
        Pool::start(loaded, options).map_err(|e| AppError::System { what: "starting embed workers", detail: e.to_string() })?;

    meters.set_model(&info);
    pool.on_wait({
        let meters = Arc::clone(&meters);
        move |waited| meters.waited(waited)
    });

    let keeping::Opened { store, place: store_place, peer, instead } = keeping::open(config).await?;
    let observed = Arc::new(Observed::new(store, peer, Arc::clone(&meters)));
    let store: Arc<dyn Store> = Arc::clone(&observed) as Arc<dyn Store>;
    let catalog = Arc::new(Catalog::default());
    let choice = config.index.choice();
    let registrar = Registrar::new(Arc::clone(&catalog), Arc::clone(&store), pool.clone(), Arc::new(SystemClock), choice);
    // Whatever ends this function ends the building of indexes.
    let _stop_upkeep = StopUpkeep(registrar.clone());
    let tools = match instead {
        None => match registrar.restore().await {
            // It went away again.
            Err(error @ StoreError::Unavailable { .. }) if config.store.postgres.is_some() => {
                registrar.restore_from(keeping::last_known(config, error, Duration::ZERO)?).await?
            }
            restored => restored?,
        },
        Some(backup) => registrar.restore_from(backup).await?,
    };
    let reranking = start_reranking(config, reranker)?;
    let reranker_id = reranking.as_ref().map(|reranking| reranking.pool.id().to_owned());
    let (made_with, weights) = MadeWith::of(&info, &policy, reranking.as_ref());
    let recording = CancellationToken::new();
    let recorder = config.replay.options(&config.store.path);
    let (recorder, written) = recorder.map(|options| Recorder::start(options, made_with, weights, recording.clone())).unzip();
    let selector =
        Selector::new(pool.clone(), policy, &selector_options(config)).with_reranking(reranking).with_counters(counters);
    let surroundings = Surroundings {
        tenant: TenantId::default(),
        registrar: registrar.clone(),
        catalog: Arc::clone(&catalog),
        store: Arc::clone(&store),
        holder: format!("{:016x}", rand::random::<u64>()).into(),
        clock: Arc::new(SystemClock),
    };
    let sources = Sources::start(config.sources()?, surroundings).await?;
    let selector = Arc::new(selector);
    watch(
        &meters,
        &Looked {
            catalog: &catalog,
            pool: &pool,
            selector: &selector,
            sources: &sources,
            registrar: &registrar,
            recorder: recorder.as_ref(),
        },
    );

    let calls = Arc::new(Outcomes::new(0 < config.outcomes.keep_days));
    let keeper = outcomes::Keeper {
        outcomes: Arc::clone(&calls),
        store: Arc::clone(&store),
        clock: Arc::new(SystemClock),
        meters: Arc::clone(&meters),
        settings: config.outcomes.clone(),
    };
    let (access, certificate) = (Access::default(), Certificate::default());
    access.set(config.access.tokens()?.map(|tokens| (tokens.select, tokens.admin)));
    live::set_certificate(&certificate, config)?;
    let ready_at_ms = Arc::new(AtomicU64::new(0));
    let parts = Parts {
        catalog: Arc::clone(&catalog),
        registrar: registrar.clone(),
        selector,
        offered: Offered::new(pool.clone()),
        sources: sources.clone(),
        reporter: Reporter::new(Arc::clone(&calls), Arc::new(SystemClock)),
        meters: Arc::clone(&meters),
        recorder,
        about: About {
            instance_id: identity.instance.clone(),
            ready_at_ms: Arc::clone(&ready_at_ms),
            model_id: info.id.clone(),
            model_numerics: info.numerics.clone(),
            store: store_place.clone(),
            endpoint: config.telemetry.endpoint(),
            counts: telemetry::counts(),
            outcomes: Arc::new({
                let calls = Arc::clone(&calls);
                move || outcomes::window(&calls, SystemClock.now_ms())
            }),
            store_calls: Arc::new(move || observed.calls()),
        },
        access: access.clone(),
        default_deadline: Duration::from_millis(config.server.default_deadline_ms),
        certificate: certificate.clone(),
        connection_age: Some(config.server.max_connection_age_s).filter(|age| 0 < *age).map(Duration::from_secs),
    };
    let (health, serving) = server::serve(parts, listeners.grpc, stop.clone()).await?;
    pool.warm_up(WARM_UP).await;
    let live = tokio::spawn(live::follow(config.clone(), configs, access, certificate));
    health.set(true).await;
    readiness.set(true);
    ready_at_ms.store(SystemClock.now_ms(), Ordering::Relaxed);
    tracing::info!(
        server.grpc_address = addresses.0.map(|a| a.to_string()),
        server.http_address = addresses.1.map(|a| a.to_string()),
        model.id = info.id,
        model.numerics = info.numerics,
        reranker.id = reranker_id,
        catalog.tools = tools,
        store.place = store_place,
        duration_ms = started.elapsed().as_millis() as u64,
        "router is ready"
    );
    let following = tokio::spawn({
        let (registrar, stop) = (registrar.clone(), stop.clone());
        async move { registrar.follow_store(stop).await }
    });
    let postgres = config.store.postgres.as_ref();
    let limit = postgres.and_then(|postgres| postgres.unready_after_ms).map(Duration::from_millis);
    let mut probes =
        tokio::spawn(keeping::tell_probes(registrar.store_state(), limit, readiness.clone(), health.clone(), stop.clone()));
    let snapshots = postgres.and_then(|postgres| postgres.snapshot_file.clone()).map(|path| {
        let (catalog, model_id, stop) = (Arc::clone(&catalog), info.id.clone(), stop.clone());
        tokio::spawn(snapshot::keep(path, catalog, model_id, stop))
    });
    // Ends after the last call, not with the first sign of the end; and when this function does.
    let last_call = CancellationToken::new();
    let _stop_counting_on_return = last_call.clone().drop_guard();
    let counting = tokio::spawn(outcomes::keep(keeper, last_call.clone()));
    let backfill = tokio::spawn(backfill(registrar, Arc::clone(&catalog), store.heard().is_some()));

    let drain = async {
        shutdown.await;
        tracing::info!("router is draining");
        // Until it is over: it must not have the last word.
        probes.abort();
        let _ = (&mut probes).await;
        readiness.set(false);
        health.set(false).await;
        tokio::time::sleep(Duration::from_millis(config.server.drain_delay_ms)).await;
        health.close().await;
        stop.cancel();
    };
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = drain => match tokio::time::timeout(Duration::from_millis(config.server.drain_timeout_ms), &mut serving).await {
            Ok(result) => result,
            Err(_) => {
                tracing::warn!(drain.timeout_ms = config.server.drain_timeout_ms, "calls under way were cut off");
                Ok(())
            }
        },
    };
    backfill.abort();
    live.abort();
    stop.cancel();
    following.await.ok();
    if let Some(snapshots) = snapshots {
        snapshots.await.ok();
    }
    last_call.cancel();
    counting.await.ok();
    sources.stop().await;
    store.close().await;
    recording.cancel();
    if let Some(written) = written {
        tokio::time::timeout(RECORD_GRACE, written).await.ok();
    }
    match tokio::time::timeout(HTTP_GRACE, &mut http).await {
        Ok(Ok(Err(error))) => tracing::warn!(error.message = %error, "the HTTP port broke"),
        Ok(_) => (),
        Err(_) => http.abort(),
    }
    // What was counted last is pushed last.
    let pushing = Arc::clone(&meters);
    tokio::task::spawn_blocking(move || pushing.stop()).await.ok();
    tracing::info!("router has stopped");
    Ok(result?)
}

struct StopUpkeep(Registrar);

impl Drop for StopUpkeep {
    fn drop(&mut self) {
        self.0.stop_upkeep();
    }
}

fn selector_options(config: &Config) -> SelectorOptions {
    const MIB: u64 = 1 << 20;
    SelectorOptions {
        answer_bytes: config.cache.answers_mib * MIB,
        vector_bytes: config.cache.vectors_mib * MIB,
        shadow_every: config.index.shadow_every,
    }
}

/// What gauges look at.
struct Looked<'a> {
    catalog: &'a Arc<Catalog>,
    pool: &'a Pool,
    selector: &'a Arc<Selector>,
    sources: &'a Sources,
    registrar: &'a Registrar,
    recorder: Option<&'a Recorder>,
}

fn watch(meters: &Meters, looked: &Looked<'_>) {
    let tools = |of: fn(&TenantCatalog) -> usize| -> Box<dyn Fn() -> u64 + Send + Sync> {
        let catalog = Arc::clone(looked.catalog);
        Box::new(move || count(&catalog, of))
    };
    let (pool, embedded, sources) = (looked.pool.clone(), looked.pool.clone(), looked.sources.clone());
    let (shadow, selector, catalog) = (looked.selector.shadow().clone(), Arc::clone(looked.selector), Arc::clone(looked.catalog));
    let (registrar, store) = (looked.registrar.clone(), looked.registrar.store_state());
    let lagging = Arc::clone(&store);
    let records = looked.recorder.map(|recorder| Arc::clone(recorder.counters()));
    let size = |(entries, bytes)| CacheSize { entries, bytes };
    meters.watch(Watched {
        enabled_tools: tools(|tenant| tenant.enabled().len()),
        disabled_tools: tools(|tenant| tenant.len() - tenant.enabled().len()),
        graph_tools: tools(|tenant| if tenant.index().has_graph() { tenant.sealed().len() } else { 0 }),
        delta_tools: tools(TenantCatalog::delta_len),
        merges: Box::new(move || registrar.merges()),
        version: Box::new(move || catalog.load().tenant(&TenantId::default()).version().number),
        lag: Box::new(move || lagging.lag()),
        embed_waiting: Box::new(move || pool.waiting() as u64),
        embedded: Box::new(move || embedded.embedded()),
        caches: Box::new(move || {
            let [answers, vectors] = selector.remembered().map(size);
            [("answers", answers), ("vectors", vectors)]
        }),
        shadow_recall: Box::new(move || Some(shadow.recall()).filter(|recall| 0 < recall.checks).map(|recall| recall.mean)),
        sources: Arc::new(move || sources.list()),
        records: Box::new(move || records.as_ref().map_or([0; 4], |records| records.all())),
        store_answers: Box::new(move || store.away_for().is_none()),
    });
}

/// Over all tenants.
fn count(catalog: &Catalog, of_tenant: impl Fn(&TenantCatalog) -> usize) -> u64 {
    catalog.load().tenants().map(|(_, tenant)| of_tenant(tenant) as u64).sum()
}

/// Embeds what has no vectors of the current model, tenant by tenant: once, or for as long as routers with another model may add tools.
async fn backfill(registrar: Registrar, catalog: Arc<Catalog>, shared: bool) {
    // What could not be embedded is tried again when the catalogue has changed.
    let mut tried: HashMap<TenantId, Version> = HashMap::new();
    loop {
        let snapshot = catalog.load();
        for (tenant, current) in snapshot.tenants().filter(|(_, c)| 0 < c.without_vectors()) {
            if tried.get(tenant) == Some(&current.version()) {
                continue;
            }
            tracing::info!(catalog.tools = current.without_vectors(), "embedding tools for the current model");
            match registrar.backfill(tenant).await {
                Ok(tools) => {
                    tracing::info!(catalog.tools = tools, "tools embedded for the current model");
                    tried.insert(tenant.clone(), current.version());
                }
                Err(error) => tracing::error!(error.message = %error, "embedding for the current model is held up"),
            }
        }
        let done = snapshot.tenants().all(|(tenant, c)| c.without_vectors() == 0 || tried.contains_key(tenant));
        if done && !shared {
            return;
        }
        tokio::time::sleep(BACKFILL_PAUSE).await;
    }
}
