//! The span of a call: its context from the caller's headers, its ids for the log, and what it says when the call is over.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind, TraceContextExt, Tracer};
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::select::{Answer, Stage, Trace};
use crate::spans::names;

/// Longest `tracestate` that is taken along: what every party has to carry, and enough for the parties that are. A longer one is left out; the
/// trace goes on without it.
const MAX_TRACESTATE: usize = 512;
/// Longest of the other headers.
const MAX_HEADER: usize = 8_192;

/// Whether a header carries trace context.
#[must_use]
pub fn is_context_header(name: &str) -> bool {
    matches!(name, "traceparent" | "tracestate" | "baggage")
}

/// The span of one call, with its ids as fields for the log. What is empty here is filled in when it is known, once for the log's line of
/// the call and for the span.
pub fn request_span(method: &'static str, server: Option<SocketAddr>, agent: Option<&str>, carrier: &[(String, String)]) -> Span {
    let span = tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        trace_id = Empty,
        span_id = Empty,
        trace_flags = Empty,
        { names::RPC_SYSTEM } = "grpc",
        { names::RPC_METHOD } = method,
        { names::RPC_STATUS } = Empty,
        { names::ERROR_TYPE } = Empty,
        { names::SERVER_ADDRESS } = Empty,
        { names::SERVER_PORT } = Empty,
        { names::SAMPLING_REASON } = Empty,
        { names::GEN_AI_CONVERSATION } = Empty,
        { names::GEN_AI_AGENT } = Empty,
        { names::SELECTION } = Empty,
        { names::MODE } = Empty,
        { names::DEGRADED } = Empty,
        { names::CACHE } = Empty,
        { names::ENGINE } = Empty,
        { names::RETURNED } = Empty,
        { names::TOKENS_ELIGIBLE } = Empty,
        { names::TOKENS_RETURNED } = Empty,
        { names::TOKENS_SAVED } = Empty,
        { names::NO_MATCH } = Empty,
        { names::CATALOG_VERSION } = Empty,
    );
    let fits = |(name, value): &&(String, String)| value.len() <= if name == "tracestate" { MAX_TRACESTATE } else { MAX_HEADER };
    let carrier: HashMap<String, String> = carrier.iter().filter(fits).cloned().collect();
    if !carrier.is_empty() {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
        // Fails only where no tracing layer is set up, as in tests: then there are no ids either.
        let _ = span.set_parent(parent);
    }
    let ids = ids_of(&span);
    if ids.is_valid() {
        span.record("trace_id", ids.trace_id().to_string());
        span.record("span_id", ids.span_id().to_string());
        span.record("trace_flags", flags(&ids));
    }
    if let Some(agent) = agent {
        span.record(names::GEN_AI_AGENT, agent);
    }
    if let Some(server) = server {
        span.record(names::SERVER_ADDRESS, server.ip().to_string());
        span.record(names::SERVER_PORT, server.port());
    }
    span
}

fn ids_of(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}

fn flags(ids: &SpanContext) -> &'static str {
    if ids.is_sampled() { "01" } else { "00" }
}

/// The trace id of the current span, 32 hex digits; empty without tracing.
#[must_use]
pub fn current_trace_id() -> String {
    let ids = ids_of(&Span::current());
    if ids.is_valid() { ids.trace_id().to_string() } else { String::new() }
}

/// W3C's `traceparent` of the current span; empty without tracing.
#[must_use]
pub fn current_traceparent() -> String {
    let ids = ids_of(&Span::current());
    if !ids.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{}", ids.trace_id(), ids.span_id(), flags(&ids))
}

/// Links the current span to another, named by its `traceparent`. What is none is passed over.
pub fn link_to(traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
    let other = context.span().span_context().clone();
    if other.is_valid() {
        Span::current().add_link(other);
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// gRPC's name of its status.
    pub status: &'static str,
    /// How long it took.
    pub took: Duration,
    /// From when on it was slow; `None` where it may take its time.
    pub slow: Option<Duration>,
}

impl Ended {
    /// Whether it is an error of the server, as OpenTelemetry's convention for gRPC has it: a caller's mistake is none, nor is being turned away.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(self.status, "UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS")
    }

    /// Why its trace is worth keeping whatever the sampler said.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self.status {
            _ if self.is_fault() => Some("error"),
            "RESOURCE_EXHAUSTED" => Some("shed"),
            _ if self.slow.is_some_and(|slow| slow <= self.took) => Some("slow"),
            _ => None,
        }
    }
}

/// Says on the current span, which is the call's, how it ended. Gives its ids where its trace will be exported.
pub(super) fn ended(ended: &Ended) -> Option<SpanContext> {
    let span = Span::current();
    span.record(names::RPC_STATUS, ended.status);
    if ended.is_fault() {
        crate::spans::fail(&span, ended.status);
    }
    let reason = ended.reason();
    if let Some(reason) = reason {
        crate::spans::keep(&span, reason);
    }
    let ids = ids_of(&span);
    (ids.is_valid() && (ids.is_sampled() || reason.is_some())).then_some(ids)
}

/// Says on the current span what a selection came to.
pub fn selected(selection_id: &str, session: &str, answer: &Answer, trace: &Trace) {
    let span = Span::current();
    span.record(names::SELECTION, selection_id);
    if !session.is_empty() {
        span.record(names::GEN_AI_CONVERSATION, session);
    }
    span.record(names::MODE, answer.mode.name());
    if !answer.degraded_reason.is_empty() {
        span.record(names::DEGRADED, answer.degraded_reason.as_str());
    }
    span.record(names::CACHE, trace.answered.name());
    span.record(names::ENGINE, trace.engine.map_or("none", crate::index::Engine::name));
    span.record(names::RETURNED, answer.tools.len());
    span.record(names::TOKENS_ELIGIBLE, answer.usage.eligible_tokens);
    span.record(names::TOKENS_RETURNED, answer.usage.returned.0);
    span.record(names::TOKENS_SAVED, answer.usage.saved());
    if let Some(no_match) = &answer.no_match {
        span.record(names::NO_MATCH, no_match.name());
    }
    span.record(names::CATALOG_VERSION, answer.version.to_string());
}

/// The model, as spans name it.
#[derive(Clone, Debug)]
pub struct ModelName {
    /// Its id.
    pub id: String,
    /// How many numbers its vectors have.
    pub dimension: usize,
}

/// Makes the stages of a selection spans below the current one. They are over, so each brings its times along.
pub(super) fn stages(trace: &Trace, model: Option<&ModelName>) {
    let context = Span::current().context();
    if !context.span().is_recording() {
        return;
    }
    let tracer = opentelemetry::global::tracer("tool-router");
    let (now, wall) = (Instant::now(), SystemTime::now());
    for timed in &trace.stages {
        let began = wall.checked_sub(now.saturating_duration_since(timed.started)).unwrap_or(wall);
        let builder = tracer.span_builder(span_name(timed.stage)).with_kind(SpanKind::Internal).with_start_time(began);
        let builder = builder.with_attributes(attributes(timed.stage, model));
        let mut span = tracer.build_with_context(builder, &context);
        span.end_with_timestamp(began + timed.took);
    }
}

fn span_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Cache => "toolrouter.cache",
        Stage::Embed => "toolrouter.embed",
        Stage::Retrieve => "toolrouter.retrieve",
        Stage::Rank => "toolrouter.rank",
        Stage::Rerank => "toolrouter.rerank",
        Stage::Pack => "toolrouter.pack",
        Stage::Render => "toolrouter.render",
    }
}

fn attributes(stage: Stage, model: Option<&ModelName>) -> Vec<KeyValue> {
    match (stage, model) {
        (Stage::Embed, Some(model)) => vec![
            KeyValue::new(names::GEN_AI_OPERATION, "embeddings"),
            KeyValue::new(names::GEN_AI_MODEL, model.id.clone()),
            KeyValue::new(names::GEN_AI_DIMENSION, i64::try_from(model.dimension).unwrap_or(i64::MAX)),
        ],
        (Stage::Embed, None) => vec![KeyValue::new(names::GEN_AI_OPERATION, "embeddings")],
        (Stage::Retrieve, _) => vec![KeyValue::new(names::GEN_AI_OPERATION, "retrieval")],
        _ => Vec::new(),
    }
}

/// The ids of a span as text, for whoever shows them.
#[must_use]
pub(super) fn hex(ids: &SpanContext) -> (String, String) {
    (ids.trace_id().to_string(), ids.span_id().to_string())
}

/// A context that is sampled, for tests of what counts on it.
#[cfg(test)]
pub(super) fn context(trace: u128, span: u64) -> SpanContext {
    SpanContext::new(
        trace.into(),
        span.into(),
        opentelemetry::trace::TraceFlags::SAMPLED,
        false,
        opentelemetry::trace::TraceState::default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_keeping() {
        let check = |status, took, slow: Option<u64>, reason: Option<&str>| {
            let ended = Ended { status, took: Duration::from_millis(took), slow: slow.map(Duration::from_millis) };
            assert_eq!(ended.reason(), reason, "{ended:?}");
        };
        check("OK", 10, Some(250), None);
        check("OK", 250, Some(250), Some("slow"));
        check("OK", 9_999, None, None);
        check("INVALID_ARGUMENT", 1, Some(250), None);
        check("NOT_FOUND", 1, None, None);
        check("RESOURCE_EXHAUSTED", 1, Some(250), Some("shed"));
        check("UNAVAILABLE", 1, None, Some("error"));
        check("DEADLINE_EXCEEDED", 999, Some(250), Some("error"));
    }
}
