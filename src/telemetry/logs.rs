//! Logs: JSON lines for machines, plain lines on a terminal. Never a query, an argument or a schema at info.

use std::io::IsTerminal;
use std::sync::OnceLock;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

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
}

/// Sets up logs on standard error and trace context for the whole process.
///
/// # Errors
/// A bad filter, or a second call.
pub fn init(options: &LogOptions) -> Result<(), TelemetryError> {
    let filter = parse_filter(&options.filter)?;
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    // Spans carry real trace ids; nothing exports them yet.
    let provider = SdkTracerProvider::builder().build();
    let context = tracing_opentelemetry::layer().with_tracer(provider.tracer("tool-router"));
    let json = match options.format {
        LogFormat::Json => true,
        LogFormat::Pretty => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = if json { json_lines().boxed() } else { tracing_subscriber::fmt::layer().with_writer(std::io::stderr).boxed() };
    // Trace ids are there whatever the log shows.
    let own_spans =
        tracing_subscriber::filter::filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("tool_router"));
    let (filter, handle) = tracing_subscriber::reload::Layer::new(filter);
    let layers = tracing_subscriber::registry().with(context.with_filter(own_spans)).with(lines.with_filter(filter));
    layers.try_init().map_err(|_| TelemetryError::Twice)?;
    // Only the one that was taken has a handle.
    let _ = FILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
    Ok(())
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
fn json_lines<S>() -> json_subscriber::JsonLayer<S, fn() -> std::io::Stderr>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let mut layer = json_subscriber::JsonLayer::stderr();
    layer.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    layer.with_level("level");
    layer.with_target("target");
    layer.add_static_field("service.name", serde_json::json!("tool-router"));
    layer.add_static_field("service.version", serde_json::json!(env!("CARGO_PKG_VERSION")));
    layer.with_top_level_flattened_span_list();
    layer.with_flattened_event();
    layer
}
