//! The way out for spans: a queue that never blocks, and a task that empties it towards a collector.
//!
//! A collector may be slow, full, away or broken. Then the queue fills up, what comes after is given up and counted, and whoever answers
//! selections notices nothing.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::counts::{Counts, Loss};

/// Spans that wait for the collector: about 5 MB.
const QUEUE: usize = 4_096;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// Longest that a span waits for others to be sent with.
const GATHER: Duration = Duration::from_millis(500);

/// Where finished spans are put. A cheap handle.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    queue: mpsc::Sender<SpanData>,
    counts: Arc<Counts>,
}

/// The other end of an outlet.
pub(super) type Queue = mpsc::Receiver<SpanData>;

impl Outlet {
    pub(super) fn new(counts: Arc<Counts>) -> (Self, Queue) {
        let (queue, other_end) = mpsc::channel(QUEUE);
        (Self { queue, counts }, other_end)
    }

    pub(super) fn put(&self, mut span: SpanData) {
        // For the log's sake they are fields of spans; here each span has its own.
        span.attributes.retain(|attribute| !matches!(attribute.key.as_str(), "trace_id" | "span_id"));
        if self.queue.try_send(span).is_err() {
            self.counts.lose(Loss::Spans, 1, std::time::Instant::now());
        }
    }
}

/// Sends what is put until there is nobody left to put anything, or `queue` is closed and empty.
pub(super) async fn pump(
    mut queue: Queue,
    mut exporter: SpanExporter,
    resource: Resource,
    timeout: Duration,
    counts: Arc<Counts>,
    stop: impl Future<Output = ()>,
) {
    exporter.set_resource(&resource);
    tokio::pin!(stop);
    let (mut batch, mut is_down, mut stopping) = (Vec::with_capacity(BATCH), false, false);
    loop {
        tokio::select! {
            got = queue.recv_many(&mut batch, BATCH) => if got == 0 { break },
            () = &mut stop, if !stopping => {
                stopping = true;
                queue.close();
                continue;
            }
        }
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH && !stopping {
            let room = BATCH - batch.len();
            match tokio::time::timeout_at(until, queue.recv_many(&mut batch, room)).await {
                Ok(got) if 0 < got => (),
                _ => break,
            }
        }
        let spans = batch.len() as u64;
        let sent = tokio::time::timeout(timeout, exporter.export(std::mem::take(&mut batch))).await;
        let failure = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("it did not answer within {} ms", timeout.as_millis())),
        };
        match &failure {
            None => counts.exported_spans.add(spans),
            Some(_) => {
                counts.failed_spans.add(spans);
                counts.lose(Loss::Spans, spans, std::time::Instant::now());
            }
        }
        let was_down = std::mem::replace(&mut is_down, failure.is_some());
        match failure {
            Some(detail) if !was_down => {
                tracing::warn!(error.message = detail, "the collector takes no spans; they are given up");
            }
            None if was_down => tracing::info!("the collector takes spans again"),
            _ => (),
        }
    }
    exporter.shutdown_with_timeout(Duration::from_millis(500)).ok();
}
