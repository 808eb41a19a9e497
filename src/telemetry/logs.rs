//! Logs: JSON lines for machines, plain lines on a terminal. Never a query, an argument or a schema at info.
//!
//! One subscriber serves the whole process: what it logs, and where its spans go, is set up here once.

use std::io::IsTerminal;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::collector::Collector;
use super::counts::Counts;
use super::identity::Identity;
use super::outlet::{self, Outlet, Queue};
use super::repeats::Repeats;
use super::sampling::Head;
use super::tail::Tail;
use crate::spans as inner;

/// Links of a span: a report leads to as many selections as it has outcomes.
const MAX_LINKS: u32 = 500;
/// Between two words about lines that were held back.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long spans that wait may hold up the end of the process.
const FAREWELL: Duration = Duration::from_secs(2);

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// How to log.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// What to log: `info`, or per target as in `info,tool_router::store=debug`.
    pub filter: String,
}

/// Where spans go.
#[derive(Clone, Debug)]
pub struct SpanOptions {
    /// To whom.
    pub collector: Collector,
    /// Share of traces that are exported whatever comes of them, in `[0, 1]`.
    pub share: f64,
}

/// What is set up once for the process.
#[derive(Clone, Debug)]
pub struct Options {
    /// How to log.
    pub log: LogOptions,
    /// Who logs.
    pub identity: Identity,
    /// Where spans go; without it nowhere, and calls have trace ids all the same.
    pub spans: Option<SpanOptions>,
}

/// Logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("log.filter {filter:?} is not a filter: {detail}")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong.
        detail: String,
    },
    /// It is set up already.
    #[error("logging is set up already")]
    Twice,
    /// Spans have nowhere to go.
    #[error("{detail}")]
    Collector {
        /// What is wrong with the collector.
        detail: String,
    },
}

/// What became of this process's telemetry.
#[must_use]
pub fn counts() -> Arc<Counts> {
    static COUNTS: LazyLock<Arc<Counts>> = LazyLock::new(|| Arc::new(Counts::new(Instant::now())));
    Arc::clone(&COUNTS)
}

/// Telemetry that is set up and waits for a runtime.
#[derive(Debug)]
pub struct Telemetry {
    identity: Identity,
    spans: Option<(SpanOptions, Queue)>,
}

/// Telemetry at work.
#[derive(Debug)]
pub struct Running {
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// Sets up logs on standard error and trace context for the whole process.
///
/// # Errors
/// A bad filter, or a second call.
pub fn init(options: Options) -> Result<Telemetry, TelemetryError> {
    let Options { log, identity, spans } = options;
    let filter = parse_filter(&log.filter)?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let (mut provider, mut outlet_end) =
        (SdkTracerProvider::builder().with_resource(identity.resource()).with_max_links_per_span(MAX_LINKS), None);
    provider = match &spans {
        Some(spans) => {
            let (outlet, queue) = Outlet::new(counts());
            outlet_end = Some(queue);
            provider.with_sampler(Head::new(spans.share)).with_span_processor(Tail::new(outlet, counts()))
        }
        // Spans carry real trace ids; nothing exports them.
        None => provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))),
    };
    let provider = provider.build();
    let context = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tool-router"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    opentelemetry::global::set_tracer_provider(provider);
    let json = match log.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let plain = || tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json { json_lines(&identity).boxed() } else { plain().boxed() };
    // Trace ids are there whatever the log shows.
    let own_spans =
        tracing_subscriber::filter::filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("tool_router"));
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    let lines = lines.with_filter(filter.and(Repeats::new(counts())));
    let layers = tracing_subscriber::registry().with(context.with_filter(own_spans)).with(lines);
    layers.try_init().map_err(|_| TelemetryError::Twice)?;
    inner::set_traceparent(super::trace::current_traceparent);
    // Only the one that was taken has a handle.
    let _ = FILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
    Ok(Telemetry { identity, spans: spans.zip(outlet_end) })
}

impl Telemetry {
    /// Begins to send, within the runtime that is to carry it.
    ///
    /// # Errors
    /// The collector's address or headers are unusable.
    pub fn start(self) -> Result<Running, TelemetryError> {
        let stop = CancellationToken::new();
        let mut tasks = Vec::new();
        if let Some((SpanOptions { collector, .. }, queue)) = self.spans {
            let exporter = collector.spans().map_err(|detail| TelemetryError::Collector { detail })?;
            let stopped = stop.clone().cancelled_owned();
            let work = outlet::pump(queue, exporter, self.identity.resource(), collector.timeout, counts(), stopped);
            tasks.push(tokio::spawn(work));
        }
        tasks.push(tokio::spawn(tell_held_back(stop.clone())));
        Ok(Running { stop, tasks })
    }
}

impl Running {
    /// Sends what waits, for as long as that is no nuisance.
    pub async fn stop(self) {
        self.stop.cancel();
        let all = futures_util::future::join_all(self.tasks);
        tokio::time::timeout(FAREWELL, all).await.ok();
    }
}

/// Says now and then how many lines were held back.
async fn tell_held_back(stop: CancellationToken) {
    let (counts, mut told) = (counts(), 0);
    loop {
        let last = tokio::time::timeout(TOLD_EVERY, stop.cancelled()).await.is_ok();
        let held = counts.held_back_log_lines.get();
        if told < held {
            tracing::info!(log.held_back = held - told, "log lines were held back because they repeat");
            told = held;
        }
        if last {
            return;
        }
    }
}

/// Sets another filter, once logging is set up.
type SetFilter = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;
static FILTER: OnceLock<SetFilter> = OnceLock::new();

/// Logs by another filter from now on.
///
/// # Errors
/// It is none.
pub fn set_filter(filter: &str) -> Result<(), TelemetryError> {
    let parsed = parse_filter(filter)?;
    if let Some(set) = FILTER.get() {
        set(parsed);
    }
    Ok(())
}

/// Reads a filter: levels by themselves are ours, `target=level` is anybody's. Libraries speak up from warnings on unless asked for by
/// name: h2 alone logs every frame. rmcp does not speak up at all: its errors hold whole URLs, which may hold a key, and what they say is
/// told again by the source that failed.
///
/// # Errors
/// A part that is neither; a misspelt level must not pass for the name of a target.
pub fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    let bad = |detail: String| TelemetryError::Filter { filter: filter.to_owned(), detail };
    let mut directives = vec!["warn".to_owned(), "rmcp=off".to_owned()];
    for part in filter.split(',').map(str::trim) {
        match (part.parse::<LevelFilter>(), part.split_once('=')) {
            (Ok(level), _) => directives.push(format!("tool_router={level}")),
            (Err(_), Some((target, _))) if !target.is_empty() => directives.push(part.to_owned()),
            _ => return Err(bad(format!("{part:?} is no level (off, error, warn, info, debug, trace) and no target=level"))),
        }
    }
    EnvFilter::try_new(directives.join(",")).map_err(|e| bad(e.to_string()))
}

/// Flat objects: `trace_id` and `span_id` stand at the top, as OpenTelemetry's log format for files wants them.
fn json_lines<S>(identity: &Identity) -> json_subscriber::JsonLayer<S, fn() -> std::io::Stderr>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let mut layer = json_subscriber::JsonLayer::stderr();
    layer.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    layer.with_level("level");
    layer.with_target("target");
    for (name, value) in identity.attributes() {
        layer.add_static_field(name, serde_json::json!(value));
    }
    layer.with_top_level_flattened_span_list();
    layer.with_flattened_event();
    layer
}
