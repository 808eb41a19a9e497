//! Worker threads, each owning one embedder, behind two lanes.
//!
//! Queries always go first: a turn of an agent waits for them, a registration does not. Registrations have one worker of their own, of low
//! priority: a 10,000-tool import takes what queries leave of the processor, and no query ever waits behind a tool's text.
//! The query lane is bounded. When it is full the caller is told to come back; when it is not full but the wait would outlast the
//! caller's deadline, the caller is told at once, so that it can answer from words alone instead of being late.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{EmbedError, Embedder, Embedding, Loaded, ModelInfo};
use crate::background;
use crate::index::vector::UnitVector;

/// How the pool is bounded.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Most queries waiting for a worker.
    pub queue_limit: usize,
    /// First guess at a query's forward pass, until one was measured.
    pub expected_forward: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        // 256 queries of 4 ms on two workers are half a second of work: past that no turn waits.
        Self { queue_limit: 256, expected_forward: Duration::from_millis(4) }
    }
}

/// Why a query has no vector.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// Too many queries wait.
    #[error("{waiting} queries wait for the embedder, the limit is {limit}")]
    Full {
        /// How many wait.
        waiting: usize,
        /// The limit.
        limit: usize,
        /// When the lane should have room.
        retry_after: Duration,
    },
    /// The vector would come after the deadline.
    #[error("the embedder would need {} ms and {} ms are left", needed.as_millis(), left.as_millis())]
    TooSlow {
        /// Expected wait and run.
        needed: Duration,
        /// What the deadline leaves.
        left: Duration,
    },
    /// The model failed on this text.
    #[error(transparent)]
    Failed(#[from] EmbedError),
}

/// A cheap handle to the workers. The threads end when the last handle is dropped.
#[derive(Clone)]
pub struct Pool(Arc<Handle>);

struct Handle {
    info: ModelInfo,
    workers: usize,
    shared: Arc<Shared>,
}

struct Shared {
    lanes: Mutex<Lanes>,
    queries_came: Condvar,
    passages_came: Condvar,
    /// Decaying mean of a query's run, in microseconds.
    forward_us: AtomicU64,
    /// Texts embedded so far.
    queries_done: AtomicU64,
    passages_done: AtomicU64,
    /// Told how long each query waited.
    waited: OnceLock<Box<dyn Fn(Duration) + Send + Sync>>,
    options: PoolOptions,
}

#[derive(Default)]
struct Lanes {
    queries: VecDeque<Job>,
    passages: VecDeque<Job>,
    queries_running: usize,
    stopped: bool,
}

struct Job {
    text: String,
    /// Byte ranges of it that want vectors of their own.
    parts: Vec<Range<usize>>,
    /// Since when it waits.
    asked: Instant,
    /// Past this nobody wants the vector.
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<Embedding, EmbedError>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("info", &self.0.info).field("workers", &self.0.workers).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts one named thread per embedder, and the one for registrations.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(loaded: Loaded, options: PoolOptions) -> std::io::Result<Self> {
        let forward_us = AtomicU64::new(micros(options.expected_forward));
        let (queries_came, passages_came) = (Condvar::new(), Condvar::new());
        let (queries_done, passages_done) = (AtomicU64::new(0), AtomicU64::new(0));
        let lanes = Mutex::default();
        let waited = OnceLock::new();
        let shared = Shared { lanes, queries_came, passages_came, forward_us, queries_done, passages_done, waited, options };
        let shared = Arc::new(shared);
        let handle = Handle { info: loaded.info, workers: loaded.embedders.len().max(1), shared: Arc::clone(&shared) };
        for (i, embedder) in loaded.embedders.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("embed-{i}")).spawn(move || shared.serve_queries(embedder))?;
        }
        let (shared, embedder) = (Arc::clone(&handle.shared), loaded.background);
        background::spawn("embed-background", move || shared.serve_passages(embedder))?;
        Ok(Self(Arc::new(handle)))
    }

    /// The model the vectors are of.
    #[must_use]
    pub fn info(&self) -> &ModelInfo {
        &self.0.info
    }

    /// Queries waiting for a worker now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.shared.lock().queries.len()
    }

    /// Tells `told` how long each query waited for its worker. The first to ask is told.
    pub fn on_wait(&self, told: impl Fn(Duration) + Send + Sync + 'static) {
        self.0.shared.waited.set(Box::new(told)).ok();
    }

    /// Texts embedded so far: queries, and tools' texts.
    #[must_use]
    pub fn embedded(&self) -> (u64, u64) {
        let shared = &self.0.shared;
        (shared.queries_done.load(Ordering::Relaxed), shared.passages_done.load(Ordering::Relaxed))
    }

    /// Runs the model a few times on every worker, on short texts and long ones: the first runs allocate, and no caller should wait for that.
    /// They are not counted.
    pub async fn warm_up(&self, limit: Duration) {
        let texts = [1, 20, 200].map(|words| "warm up ".repeat(words));
        let deadline = Instant::now() + limit;
        let all = (0..2 * self.0.workers).flat_map(|_| texts.iter());
        for run in futures_util::future::join_all(all.map(|text| self.query(text.clone(), deadline))).await {
            if let Err(error) = run {
                tracing::debug!(error.message = %error, "a run to warm up failed");
            }
        }
        self.0.shared.queries_done.store(0, Ordering::Relaxed);
    }

    /// The vector of a query, before `deadline` or not at all.
    ///
    /// # Errors
    /// The lane is full, the deadline too near, or the model failed.
    pub async fn query(&self, text: String, deadline: Instant) -> Result<UnitVector, QueryError> {
        Ok(self.query_parts(&text, Vec::new(), deadline).await?.whole)
    }

    /// The same with vectors of `parts`, which are byte ranges of the query, from the same run.
    ///
    /// # Errors
    /// As [`Pool::query`].
    pub async fn query_parts(
        &self,
        text: &str,
        mut parts: Vec<Range<usize>>,
        deadline: Instant,
    ) -> Result<Embedding, QueryError> {
        let prefix = &self.0.info.query_prefix;
        for part in &mut parts {
            *part = part.start + prefix.len()..part.end + prefix.len();
        }
        let text = format!("{prefix}{text}");
        let shared = &self.0.shared;
        let receiver = {
            let mut lanes = shared.lock();
            let limit = shared.options.queue_limit;
            let forward = Duration::from_micros(shared.forward_us.load(Ordering::Relaxed));
            let ahead = lanes.queries.len() + lanes.queries_running;
            let needed = forward.mul_f64(1.0 + ahead as f64 / self.0.workers as f64);
            if limit <= lanes.queries.len() {
                return Err(QueryError::Full { waiting: lanes.queries.len(), limit, retry_after: needed });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // Only waiting for others is a reason to refuse early. An idle pool always tries: its estimate may be from a bad minute, and
            // it is mended by running, not by refusing.
            if left.is_zero() || (0 < ahead && left < needed) {
                return Err(QueryError::TooSlow { needed, left });
            }
            let (answer, receiver) = oneshot::channel();
            lanes.queries.push_back(Job { text, parts, asked: Instant::now(), deadline: Some(deadline), answer });
            receiver
        };
        shared.queries_came.notify_one();
        let asked = Instant::now();
        match tokio::time::timeout_at(deadline.into(), receiver).await {
            Ok(Ok(answer)) => Ok(answer?),
            // A worker drops a job only when its deadline has passed or the pool stops.
            Ok(Err(_)) if Instant::now() < deadline => Err(EmbedError::Stopped.into()),
            Ok(Err(_)) | Err(_) => Err(QueryError::TooSlow { needed: asked.elapsed(), left: Duration::ZERO }),
        }
    }

    /// The vector of a tool's text, when its turn comes.
    ///
    /// # Errors
    /// The model failed.
    pub async fn passage(&self, text: String) -> Result<UnitVector, EmbedError> {
        let (answer, receiver) = oneshot::channel();
        let text = format!("{}{text}", self.0.info.passage_prefix);
        self.0.shared.lock().passages.push_back(Job { text, parts: Vec::new(), asked: Instant::now(), deadline: None, answer });
        self.0.shared.passages_came.notify_one();
        Ok(receiver.await.unwrap_or(Err(EmbedError::Stopped))?.whole)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.queries_came.notify_all();
        self.shared.passages_came.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        // The lanes are consistent after every statement, so a panic elsewhere leaves nothing half done.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve_queries(&self, mut embedder: Box<dyn Embedder>) {
        while let Some(job) = self.next_query() {
            let started = Instant::now();
            let result = run(&mut embedder, &job);
            let took = micros(started.elapsed());
            self.lock().queries_running -= 1;
            self.queries_done.fetch_add(1, Ordering::Relaxed);
            let old = self.forward_us.load(Ordering::Relaxed);
            self.forward_us.store((old * 7 + took) / 8, Ordering::Relaxed);
            // The caller may have gone; then nobody wants the answer.
            let _ = job.answer.send(result);
        }
    }

    fn serve_passages(&self, mut embedder: Box<dyn Embedder>) {
        while let Some(job) = self.next_passage() {
            let result = run(&mut embedder, &job);
            self.passages_done.fetch_add(1, Ordering::Relaxed);
            let _ = job.answer.send(result);
        }
    }

    fn next_query(&self) -> Option<Job> {
        let mut lanes = self.lock();
        while !lanes.stopped {
            while let Some(job) = lanes.queries.pop_front() {
                let wanted = !job.answer.is_closed() && job.deadline.is_none_or(|d| Instant::now() < d);
                if wanted {
                    lanes.queries_running += 1;
                    drop(lanes);
                    if let Some(told) = self.waited.get() {
                        told(job.asked.elapsed());
                    }
                    return Some(job);
                }
            }
            lanes = self.queries_came.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn next_passage(&self) -> Option<Job> {
        let mut lanes = self.lock();
        while !lanes.stopped {
            while let Some(job) = lanes.passages.pop_front() {
                if !job.answer.is_closed() {
                    return Some(job);
                }
            }
            lanes = self.passages_came.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}

/// One text; a panic in the model costs one answer.
fn run(embedder: &mut Box<dyn Embedder>, job: &Job) -> Result<Embedding, EmbedError> {
    let work = || embedder.embed_parts(&job.text, &job.parts);
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(EmbedError::Panicked))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Runs when told to, so that tests decide what waits.
    struct Stepped {
        started: mpsc::Sender<String>,
        go: Arc<Mutex<mpsc::Receiver<()>>>,
    }

    impl Embedder for Stepped {
        fn embed(&mut self, text: &str) -> Result<UnitVector, EmbedError> {
            self.started.send(text.to_owned()).ok();
            self.go.lock().unwrap().recv().ok();
            assert!(text != "passage: panic", "as asked");
            UnitVector::new(vec![1.0, 0.0]).ok_or(EmbedError::NotAVector)
        }
    }

    fn stepped(workers: usize, queue_limit: usize) -> (Pool, mpsc::Receiver<String>, mpsc::Sender<()>) {
        let (started, starts) = mpsc::channel();
        let (step, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let embedder = || Box::new(Stepped { started: started.clone(), go: Arc::clone(&go) }) as Box<dyn Embedder>;
        let embedders = (0..workers).map(|_| embedder()).collect();
        let info = ModelInfo {
            id: "stepped@1".into(),
            dimension: 2,
            numerics: String::new(),
            query_prefix: "query: ".into(),
            passage_prefix: "passage: ".into(),
            scripts: Vec::new(),
        };
        let options = PoolOptions { queue_limit, expected_forward: Duration::from_millis(1) };
        (Pool::start(Loaded { info, embedders, background: embedder() }, options).unwrap(), starts, step)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_query_waits_behind_a_passage() {
        let (pool, starts, step) = stepped(1, 8);
        let spawn = |text: &str, is_query: bool| {
            let (pool, text) = (pool.clone(), text.to_owned());
            tokio::spawn(async move {
                if is_query { pool.query(text, later()).await.is_ok() } else { pool.passage(text).await.is_ok() }
            })
        };
        let passages = [spawn("p1", false), spawn("p2", false)];
        assert!(starts.recv().unwrap().starts_with("passage: "));
        while pool.0.shared.lock().passages.is_empty() {
            tokio::task::yield_now().await;
        }
        let query = spawn("q", true);
        assert_eq!(starts.recv().unwrap(), "query: q", "while one passage runs and one waits");
        for _ in 0..3 {
            step.send(()).unwrap();
        }
        assert!(starts.recv().unwrap().starts_with("passage: "), "passages go one at a time");
        assert!(query.await.unwrap());
        for passage in passages {
            assert!(passage.await.unwrap());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_lane_refuses_and_a_near_deadline_is_told_at_once() {
        let (pool, starts, step) = stepped(1, 1);
        let running = tokio::spawn({
            let pool = pool.clone();
            async move { pool.query("running".into(), later()).await }
        });
        starts.recv().unwrap();
        let soon = pool.query("soon".into(), Instant::now() + Duration::from_micros(100)).await;
        assert!(matches!(soon, Err(QueryError::TooSlow { .. })), "{soon:?}");
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.query("waiting".into(), later()).await }
        });
        while pool.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let full = pool.query("full".into(), later()).await;
        assert!(matches!(full, Err(QueryError::Full { waiting: 1, limit: 1, .. })), "{full:?}");
        step.send(()).unwrap();
        step.send(()).unwrap();
        assert!(running.await.unwrap().is_ok() && waiting.await.unwrap().is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_slow_minute_is_forgotten() {
        let (pool, _starts, step) = stepped(1, 8);
        pool.0.shared.forward_us.store(60_000_000, Ordering::Relaxed);
        step.send(()).unwrap();
        let soon = Instant::now() + Duration::from_secs(20);
        assert!(pool.query("after the stall".into(), soon).await.is_ok(), "an idle pool tries, whatever it expects");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stuck_worker_means_too_slow_not_late() {
        let (pool, _starts, _step) = stepped(1, 8);
        let answer = pool.query("stuck".into(), Instant::now() + Duration::from_millis(30)).await;
        assert!(matches!(answer, Err(QueryError::TooSlow { .. })), "{answer:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_costs_one_answer() {
        let (pool, _starts, step) = stepped(1, 8);
        step.send(()).unwrap();
        assert_eq!(pool.passage("panic".into()).await, Err(EmbedError::Panicked));
        step.send(()).unwrap();
        assert!(pool.passage("fine".into()).await.is_ok());
    }
}
