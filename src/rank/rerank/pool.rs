//! Worker threads around rerankers, with one bounded queue, so that a slow model costs the caller its judgement and never the answer.
//!
//! A worker hands its model one passage at a time and looks up in between: when the caller has gone, or the pace says that the rest will
//! not be done in time, it leaves off, and the caller does not sit out its deadline for nothing. A full queue and a deadline that the
//! wait would outlast are told at once. One pair per run also keeps a pair's score free of its neighbours: see `embed/`.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{LoadedReranker, RerankError, Reranker};

/// How many times the time that is left a job may seem to need before its worker leaves off: one slow run is no pace.
const HOPELESS: f64 = 2.0;

/// How the pool is bounded.
#[derive(Clone, Copy, Debug)]
pub struct RerankPoolOptions {
    /// Most requests waiting for a worker.
    pub queue_limit: usize,
    /// First guess at a passage's run, until one was measured.
    pub expected_run: Duration,
}

impl Default for RerankPoolOptions {
    fn default() -> Self {
        // 64 requests of 20 passages of 5 ms on two workers are three seconds of work: past that no turn waits.
        Self { queue_limit: 64, expected_run: Duration::from_millis(5) }
    }
}

/// Why a ranking keeps the order it had.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotReranked {
    /// Too many requests wait.
    #[error("{waiting} requests wait for the reranker, the limit is {limit}")]
    Full {
        /// How many wait.
        waiting: usize,
        /// The limit.
        limit: usize,
    },
    /// The scores would come after the deadline.
    #[error("the reranker would need {} ms and {} ms are left", needed.as_millis(), left.as_millis())]
    TooSlow {
        /// Expected wait and run.
        needed: Duration,
        /// What the deadline leaves.
        left: Duration,
    },
    /// The model failed.
    #[error(transparent)]
    Failed(#[from] RerankError),
}

/// A cheap handle to the workers. The threads end when the last handle is dropped.
#[derive(Clone)]
pub struct RerankPool(Arc<Handle>);

struct Handle {
    id: String,
    workers: usize,
    shared: Arc<Shared>,
}

struct Shared {
    lane: Mutex<Lane>,
    came: Condvar,
    /// Decaying mean of a passage's run, in microseconds.
    run_us: AtomicU64,
    options: RerankPoolOptions,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Job>,
    /// Passages of the jobs that wait or run.
    passages: usize,
    stopped: bool,
}

struct Job {
    query: String,
    passages: Vec<String>,
    /// Past this nobody wants the scores.
    deadline: Instant,
    answer: oneshot::Sender<Result<Vec<f32>, NotReranked>>,
}

impl std::fmt::Debug for RerankPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RerankPool").field("id", &self.0.id).field("workers", &self.0.workers).finish_non_exhaustive()
    }
}

impl RerankPool {
    /// Starts one named thread per reranker.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(loaded: LoadedReranker, options: RerankPoolOptions) -> std::io::Result<Self> {
        let run_us = AtomicU64::new(micros(options.expected_run));
        let shared = Arc::new(Shared { lane: Mutex::default(), came: Condvar::new(), run_us, options });
        let handle = Handle { id: loaded.id, workers: loaded.rerankers.len().max(1), shared: Arc::clone(&shared) };
        for (i, reranker) in loaded.rerankers.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("rerank-{i}")).spawn(move || shared.serve(reranker))?;
        }
        Ok(Self(Arc::new(handle)))
    }

    /// The model's name and content hash.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Requests waiting for a worker now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.shared.lock().waiting.len()
    }

    /// A finite logit per passage, before `deadline` or not at all.
    ///
    /// # Errors
    /// The queue is full, the deadline too near, or the model failed.
    pub async fn score(&self, query: String, passages: Vec<String>, deadline: Instant) -> Result<Vec<f32>, NotReranked> {
        let shared = &self.0.shared;
        let receiver = {
            let mut lane = shared.lock();
            let (waiting, limit) = (lane.waiting.len(), shared.options.queue_limit);
            if limit <= waiting {
                return Err(NotReranked::Full { waiting, limit });
            }
            let ahead = lane.passages as f64 / self.0.workers as f64;
            let run = Duration::from_micros(shared.run_us.load(Ordering::Relaxed));
            let needed = run.mul_f64(ahead + passages.len() as f64);
            let left = deadline.saturating_duration_since(Instant::now());
            // Only waiting for others is a reason to refuse early: an idle pool tries, so that one bad minute is forgotten.
            if left.is_zero() || (0 < lane.passages && left < needed) {
                return Err(NotReranked::TooSlow { needed, left });
            }
            let (answer, receiver) = oneshot::channel();
            lane.passages += passages.len();
            lane.waiting.push_back(Job { query, passages, deadline, answer });
            receiver
        };
        shared.came.notify_one();
        let asked = Instant::now();
        match tokio::time::timeout_at(deadline.into(), receiver).await {
            Ok(Ok(answer)) => answer,
            // A worker drops a job unanswered only when its deadline has passed or the pool stops.
            Ok(Err(_)) if Instant::now() < deadline => Err(RerankError::Stopped.into()),
            Ok(Err(_)) | Err(_) => Err(NotReranked::TooSlow { needed: asked.elapsed(), left: Duration::ZERO }),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.came.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lane> {
        // The lane is consistent after every statement, so a panic elsewhere leaves nothing half done.
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut reranker: Box<dyn Reranker>) {
        while let Some(job) = self.next() {
            let result = self.run(reranker.as_mut(), &job);
            self.lock().passages -= job.passages.len();
            // The caller may have gone; then nobody wants the answer.
            let _ = job.answer.send(result);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut lane = self.lock();
        while !lane.stopped {
            while let Some(job) = lane.waiting.pop_front() {
                if !job.answer.is_closed() && Instant::now() < job.deadline {
                    return Some(job);
                }
                lane.passages -= job.passages.len();
            }
            lane = self.came.wait(lane).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    fn run(&self, reranker: &mut dyn Reranker, job: &Job) -> Result<Vec<f32>, NotReranked> {
        let started = Instant::now();
        let mut scores = Vec::with_capacity(job.passages.len());
        for (passage, done) in job.passages.iter().zip(0_u32..) {
            let now = Instant::now();
            let (took, left) = (now - started, job.deadline.saturating_duration_since(now));
            let needed = rest(took, done, job.passages.len());
            if job.answer.is_closed() || left.is_zero() || left.mul_f64(HOPELESS) < needed {
                return Err(NotReranked::TooSlow { needed, left });
            }
            scores.push(one(reranker, &job.query, passage)?);
            let (old, took) = (self.run_us.load(Ordering::Relaxed), micros(now.elapsed()));
            self.run_us.store((old * 7 + took) / 8, Ordering::Relaxed);
        }
        Ok(scores)
    }
}

/// What the passages that are left need at the pace of those that are `done`, which `took` so long; nothing is known before the first.
fn rest(took: Duration, done: u32, of: usize) -> Duration {
    if done == 0 { Duration::ZERO } else { (took / done).mul_f64(of as f64 - f64::from(done)) }
}

/// One passage; a panic in the model costs one answer.
fn one(reranker: &mut dyn Reranker, query: &str, passage: &str) -> Result<f32, RerankError> {
    let scores = std::panic::catch_unwind(AssertUnwindSafe(|| reranker.score(query, &[passage])));
    match scores.unwrap_or(Err(RerankError::Panicked))?.as_slice() {
        [score] if score.is_finite() => Ok(*score),
        [_] => Err(RerankError::NotAScore),
        scores => Err(RerankError::Count { expected: 1, found: scores.len() }),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Runs when told to, so that tests decide what waits. A passage's score is its length.
    struct Stepped {
        started: mpsc::Sender<String>,
        go: Arc<Mutex<mpsc::Receiver<()>>>,
    }

    impl Reranker for Stepped {
        fn score(&mut self, _: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError> {
            for passage in passages {
                self.started.send((*passage).to_owned()).ok();
                self.go.lock().unwrap().recv().ok();
                match *passage {
                    "panic" => panic!("as asked"),
                    "nan" => return Ok(vec![f32::NAN]),
                    "two" => return Ok(vec![1.0, 2.0]),
                    _ => (),
                }
            }
            Ok(passages.iter().map(|passage| passage.len() as f32).collect())
        }
    }

    fn stepped(workers: usize, queue_limit: usize) -> (RerankPool, mpsc::Receiver<String>, mpsc::Sender<()>) {
        let (started, starts) = mpsc::channel();
        let (step, go) = mpsc::channel();
        let go = Arc::new(Mutex::new(go));
        let reranker = || Box::new(Stepped { started: started.clone(), go: Arc::clone(&go) }) as Box<dyn Reranker>;
        let loaded = LoadedReranker { id: "stepped@1".into(), rerankers: (0..workers).map(|_| reranker()).collect() };
        let options = RerankPoolOptions { queue_limit, expected_run: Duration::from_millis(1) };
        (RerankPool::start(loaded, options).unwrap(), starts, step)
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn passages(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    async fn score(pool: &RerankPool, texts: &[&str], deadline: Instant) -> Result<Vec<f32>, NotReranked> {
        pool.score("query".into(), passages(texts), deadline).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_queue_refuses_and_a_near_deadline_is_told_at_once() {
        let (pool, starts, step) = stepped(1, 1);
        let spawn = |text: &'static str| {
            let pool = pool.clone();
            tokio::spawn(async move { score(&pool, &[text], later()).await })
        };
        let running = spawn("running");
        assert_eq!(starts.recv().unwrap(), "running");
        let soon = score(&pool, &["soon"], Instant::now() + Duration::from_micros(100)).await;
        assert!(matches!(soon, Err(NotReranked::TooSlow { .. })), "{soon:?}");
        let waiting = spawn("waiting");
        while pool.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(score(&pool, &["full"], later()).await, Err(NotReranked::Full { waiting: 1, limit: 1 }));
        step.send(()).unwrap();
        step.send(()).unwrap();
        assert_eq!((running.await.unwrap(), waiting.await.unwrap()), (Ok(vec![7.0]), Ok(vec![7.0])));
        assert_eq!(pool.0.shared.lock().passages, 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stuck_worker_means_too_slow_not_late_and_the_rest_is_not_run() {
        let (pool, starts, step) = stepped(1, 8);
        let answer = score(&pool, &["first", "second"], Instant::now() + Duration::from_millis(30)).await;
        assert!(matches!(answer, Err(NotReranked::TooSlow { .. })), "{answer:?}");
        for _ in 0..2 {
            step.send(()).unwrap();
        }
        assert_eq!(score(&pool, &["next"], later()).await, Ok(vec![4.0]), "an idle pool tries, whatever it expects");
        assert_eq!(starts.try_iter().filter(|text| text == "second").count(), 0, "nobody wanted it any more");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_goes_wrong_costs_one_answer() {
        let (pool, _starts, step) = stepped(1, 8);
        for _ in 0..5 {
            step.send(()).unwrap();
        }
        assert_eq!(score(&pool, &["panic", "x"], later()).await, Err(RerankError::Panicked.into()));
        assert_eq!(score(&pool, &["nan"], later()).await, Err(RerankError::NotAScore.into()));
        assert_eq!(score(&pool, &["two"], later()).await, Err(RerankError::Count { expected: 1, found: 2 }.into()));
        assert_eq!(score(&pool, &["fine", "too"], later()).await, Ok(vec![4.0, 3.0]));
        assert_eq!(score(&pool, &[], later()).await, Ok(vec![]));
        assert_eq!(pool.0.shared.lock().passages, 0);
    }

    #[test]
    fn the_rest_is_reckoned_at_the_pace_so_far() {
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(0), 0, 20), ms(0));
        assert_eq!(rest(ms(30), 3, 20), ms(170));
        assert_eq!(rest(ms(30), 3, 3), ms(0));
    }
}
