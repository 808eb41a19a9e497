//! Takes notes of selections without any of them waiting for it.
//!
//! A selection hands over what it has anyway, its catalogue by handle, and is gone; texts and hashes are made on a thread of low priority, one
//! record after another. What waits is bounded by number and by bytes, and what happens in masses (sheds, words alone after a change of
//! model) by rate: more of the same tells nothing new and would push out what is rare. Everything that is dropped is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::lines::{Listed, Lister};
use super::record::{Candidate, CatalogueRef, FORMAT, MadeWith, Outcome, Reason, Record, Redact};
use crate::background;
use crate::catalog::TenantCatalog;
use crate::index::Engine;
use crate::select::{CANDIDATES, Trace};
use crate::store::StoreError;
use crate::store::ring::{Kept, Ring, RingOptions};

/// Records that wait to be written.
const MAX_WAITING: usize = 64;
/// Bytes of requests among them. An answer is held by handle, and bounded by its cap.
const MAX_WAITING_BYTES: u64 = 16 << 20;
/// Records a second that nobody asked for.
const MAX_PER_SECOND: u64 = 50;
/// After the ring could not be opened: how long until it is tried again.
const AGAIN: Duration = Duration::from_secs(60);
/// Longest wait for what waits when somebody asks for a record.
const FLUSH: Duration = Duration::from_secs(5);

/// What is kept, and where.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// The ring.
    pub ring: RingOptions,
    /// A selection that takes longer is kept.
    pub slow: Duration,
    /// What of a request is kept.
    pub redact: Redact,
}

/// What became of the records so far.
#[derive(Debug, Default)]
pub struct Counters {
    /// In the ring.
    pub written: AtomicU64,
    /// There was no room or time for them.
    pub dropped: AtomicU64,
    /// The ring did not take them.
    pub failed: AtomicU64,
    /// Bytes of the ring that are in use.
    pub bytes: AtomicU64,
}

impl Counters {
    /// Written, dropped, failed, and bytes.
    #[must_use]
    pub fn all(&self) -> [u64; 4] {
        [&self.written, &self.dropped, &self.failed, &self.bytes].map(|count| count.load(Ordering::Relaxed))
    }
}

/// A request and what came of it, in texts.
#[derive(Debug)]
pub struct Told {
    /// The request as proto JSON; absent where it is not kept.
    pub request: Option<Box<RawValue>>,
    /// SHA-256 of its bytes, in hex.
    pub request_sha256: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// A selection to be kept, as the selection has it.
pub struct Draft {
    /// 32 hex digits; empty where there is no trace.
    pub trace_id: String,
    /// The same.
    pub selection_id: String,
    /// When it ended, ms since the Unix epoch.
    pub at_ms: u64,
    /// How long it took.
    pub took: Duration,
    /// Why it is kept.
    pub reason: Reason,
    /// What it was made from.
    pub catalogue: Arc<TenantCatalog>,
    /// Who counted.
    pub tokenizer: Option<String>,
    /// What it did.
    pub trace: Trace,
    /// About how much memory the request takes.
    pub bytes: u64,
    /// Makes texts of request and outcome, off the threads that answer requests.
    pub tell: Box<dyn FnOnce(Redact) -> Result<Told, String> + Send>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("trace_id", &self.trace_id).field("reason", &self.reason).finish_non_exhaustive()
    }
}

enum Message {
    Keep(Box<Draft>),
    /// Answered when all before it is written.
    Flush(oneshot::Sender<()>),
}

/// Takes notes. A cheap handle.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    options: RecorderOptions,
    sender: mpsc::Sender<Message>,
    counters: Arc<Counters>,
    waiting_bytes: Arc<AtomicU64>,
    pace: Mutex<Pace>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// So many records in the second that began then.
#[derive(Debug)]
struct Pace {
    since: Instant,
    records: u64,
}

impl Pace {
    fn admits(&mut self, now: Instant) -> bool {
        if Duration::from_secs(1) <= now.saturating_duration_since(self.since) {
            *self = Self { since: now, records: 0 };
        }
        self.records += 1;
        self.records <= MAX_PER_SECOND
    }
}

impl Recorder {
    /// Begins to take notes, until `stop`; what waits then is still written, and the task ends.
    #[must_use]
    pub fn start(
        options: RecorderOptions,
        made_with: MadeWith,
        weights: String,
        stop: CancellationToken,
    ) -> (Self, JoinHandle<()>) {
        let (sender, messages) = mpsc::channel(MAX_WAITING);
        let (counters, waiting_bytes) = (Arc::new(Counters::default()), Arc::new(AtomicU64::new(0)));
        let writer = Writer {
            // What a record of a catalogue needs beside it must fit too.
            lister: Some(Lister::new(made_with.model.clone(), options.ring.max_bytes / 2)),
            options: options.clone(),
            made_with: Arc::new(made_with),
            weights,
            counters: Arc::clone(&counters),
            waiting_bytes: Arc::clone(&waiting_bytes),
            ring: None,
            not_before: None,
        };
        let writing = tokio::spawn(writer.run(messages, stop));
        let pace = Mutex::new(Pace { since: Instant::now(), records: 0 });
        (Self(Arc::new(Shared { options, sender, counters, waiting_bytes, pace })), writing)
    }

    /// What became of the records.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// How it was set up.
    #[must_use]
    pub fn options(&self) -> &RecorderOptions {
        &self.0.options
    }

    /// Keeps a selection where there is room and time for it. Never waits.
    pub fn offer(&self, draft: Draft) {
        let Shared { sender, waiting_bytes, pace, .. } = &*self.0;
        let bytes = draft.bytes;
        let admits = || pace.lock().unwrap_or_else(PoisonError::into_inner).admits(Instant::now());
        if draft.reason != Reason::Asked && !admits() {
            return self.give_up();
        }
        let before = waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if MAX_WAITING_BYTES < before + bytes || sender.try_send(Message::Keep(Box::new(draft))).is_err() {
            waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.give_up();
        }
    }

    /// Counts a selection that is not kept though it should be.
    pub fn give_up(&self) {
        self.0.counters.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns when all that was offered before is written, or after five seconds.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let wait = async {
            if self.0.sender.send(Message::Flush(done)).await.is_ok() {
                written.await.ok();
            }
        };
        tokio::time::timeout(FLUSH, wait).await.ok();
    }
}

/// Writes.
struct Writer {
    options: RecorderOptions,
    made_with: Arc<MadeWith>,
    weights: String,
    counters: Arc<Counters>,
    waiting_bytes: Arc<AtomicU64>,
    /// Away while it is at work.
    lister: Option<Lister>,
    ring: Option<Ring>,
    /// The ring could not be opened: until then it is not tried.
    not_before: Option<Instant>,
}

/// A record, ready to be written.
struct Ready {
    record: Record,
    body: String,
    listed: Option<Arc<Listed>>,
}

/// Why a record was not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Ring(#[from] StoreError),
    #[error("the ring could not be opened a moment ago")]
    Away,
    #[error("{0}")]
    Text(String),
}

impl Writer {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>, stop: CancellationToken) {
        // A ring that is there is looked at now: how large it is is known from the start, and a damaged one makes way.
        if self.options.ring.path.exists()
            && let Err(error) = self.ring().await
        {
            self.complain(&error);
        }
        loop {
            let message = tokio::select! {
                biased;
                message = messages.recv() => message,
                () = stop.cancelled() => messages.try_recv().ok(),
            };
            match message {
                Some(Message::Keep(draft)) => self.keep(*draft).await,
                Some(Message::Flush(done)) => drop(done.send(())),
                None => break,
            }
        }
        if let Some(ring) = self.ring {
            ring.close().await;
        }
    }

    async fn keep(&mut self, draft: Draft) {
        self.waiting_bytes.fetch_sub(draft.bytes, Ordering::Relaxed);
        match self.write(draft).await {
            Ok(()) => drop(self.counters.written.fetch_add(1, Ordering::Relaxed)),
            Err(error) => {
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                self.complain(&error);
            }
        }
    }

    fn complain(&mut self, error: &WriteError) {
        let path = self.options.ring.path.display().to_string();
        match error {
            WriteError::Away => (),
            WriteError::Ring(StoreError::Full) => {
                let words = "a replay record is not written: the disk, or what replay.max_mib allows, is full";
                tracing::warn!(replay.path = path, "{words}");
            }
            error => tracing::warn!(replay.path = path, error.message = %error, "a replay record is not written"),
        }
    }

    async fn write(&mut self, draft: Draft) -> Result<(), WriteError> {
        let ready = self.prepare(draft).await?;
        let done = match self.put(&ready).await {
            // Half of what is there makes way, once.
            Err(WriteError::Ring(StoreError::Full)) => {
                self.ring().await?.halve(ready.record.at_ms).await?;
                self.put(&ready).await
            }
            Err(WriteError::Ring(StoreError::Damaged { .. } | StoreError::Foreign { .. })) => {
                if let Some(ring) = self.ring.take() {
                    ring.close().await;
                }
                self.put(&ready).await
            }
            done => done,
        };
        if let Some(ring) = &self.ring {
            self.counters.bytes.store(ring.bytes().await?, Ordering::Relaxed);
        }
        done
    }

    async fn ring(&mut self) -> Result<&Ring, WriteError> {
        if self.ring.is_none() {
            if self.not_before.is_some_and(|not_before| Instant::now() < not_before) {
                return Err(WriteError::Away);
            }
            self.not_before = Some(Instant::now() + AGAIN);
            let ring = Ring::open(&self.options.ring).await?;
            self.counters.bytes.store(ring.bytes().await?, Ordering::Relaxed);
            (self.ring, self.not_before) = (Some(ring), None);
        }
        self.ring.as_ref().ok_or(WriteError::Away)
    }

    async fn put(&mut self, ready: &Ready) -> Result<(), WriteError> {
        let weights = self.weights.clone();
        let ring = self.ring().await?;
        if let Some(listed) = &ready.listed {
            for place in ring.missing(&listed.listing).await? {
                let listed = Arc::clone(listed);
                let (texts, listed) = off_thread(move || (listed.texts(place), listed)).await?;
                if let Some(block) = listed.listing.blocks.get(place) {
                    ring.put_block(block, &texts).await?;
                }
            }
        }
        let Record { trace_id, selection_id, at_ms, .. } = &ready.record;
        let catalogue = ready.listed.as_ref().map(|listed| &listed.listing);
        let (body, weights) = (ready.body.as_str(), weights.as_str());
        Ok(ring.put(&Kept { trace_id, selection_id, at_ms: *at_ms, body, weights, catalogue }).await?)
    }

    async fn prepare(&mut self, draft: Draft) -> Result<Ready, WriteError> {
        let lister = self.lister.take();
        let (made_with, redact) = (Arc::clone(&self.made_with), self.options.redact);
        let max_bytes = self.options.ring.max_bytes / 2;
        let (lister, ready) = off_thread(move || {
            let mut lister = lister.unwrap_or_else(|| Lister::new(made_with.model.clone(), max_bytes));
            let ready = record(draft, &mut lister, &made_with, redact);
            (lister, ready)
        })
        .await?;
        self.lister = Some(lister);
        ready.map_err(WriteError::Text)
    }
}

/// Runs `work` where it takes nothing from requests.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WriteError> {
    let (done, result) = oneshot::channel();
    let failed = |e: &dyn std::fmt::Display| WriteError::Text(format!("a thread for replay records: {e}"));
    background::spawn("replay", move || drop(done.send(work()))).map_err(|e| failed(&e))?;
    result.await.map_err(|e| failed(&e))
}

fn record(draft: Draft, lister: &mut Lister, made_with: &MadeWith, redact: Redact) -> Result<Ready, String> {
    let Draft { trace_id, selection_id, at_ms, took, reason, catalogue, tokenizer, trace, bytes: _, tell } = draft;
    let Told { request, request_sha256, outcome } = tell(redact)?;
    let listed = lister.list(&catalogue);
    let place = |slot: &u32| listed.as_ref()?.place(&catalogue, *slot);
    let record = Record {
        format: FORMAT,
        trace_id: if trace_id.is_empty() { selection_id.clone() } else { trace_id },
        selection_id,
        at_ms,
        took_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        reason,
        redact,
        tenant: catalogue.tenant().as_str().to_owned(),
        request,
        request_sha256,
        tokenizer,
        catalogue: CatalogueRef {
            version: catalogue.version().to_string(),
            tools: catalogue.len(),
            sha256: listed.as_ref().map(|listed| hex::encode(listed.listing.hash)),
        },
        made_with: made_with.clone(),
        engine: trace.engine.map_or("", Engine::name).to_owned(),
        cache: trace.answered.name().to_owned(),
        moment: trace.moment,
        proposed: trace.proposed.map(|proposed| proposed.iter().filter_map(place).collect()),
        candidates: trace.ranked.iter().take(CANDIDATES).filter_map(|scored| Candidate::of(&catalogue, scored)).collect(),
        outcome,
    };
    let body = record.to_text()?;
    Ok(Ready { record, body, listed })
}

#[cfg(test)]
pub(super) mod tests;
