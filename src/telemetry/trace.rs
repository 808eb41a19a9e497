//! Trace context: taken from the caller's `traceparent` where there is one, made new where not.

use std::collections::HashMap;

use opentelemetry::trace::TraceContextExt;
use tracing::Span;
use tracing::field::Empty;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Whether a header carries trace context.
#[must_use]
pub fn is_context_header(name: &str) -> bool {
    matches!(name, "traceparent" | "tracestate" | "baggage")
}

/// The span of one call, with its ids as fields for the log.
pub fn request_span(method: &'static str, carrier: &[(String, String)]) -> Span {
    let span = tracing::info_span!("call", otel.name = method, otel.kind = "server", trace_id = Empty, span_id = Empty);
    let carrier: HashMap<String, String> = carrier.iter().cloned().collect();
    if !carrier.is_empty() {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&carrier));
        // Fails only where no tracing layer is set up, as in tests: then there are no ids either.
        let _ = span.set_parent(parent);
    }
    let context = span.context();
    let ids = context.span().span_context().clone();
    if ids.is_valid() {
        span.record("trace_id", ids.trace_id().to_string());
        span.record("span_id", ids.span_id().to_string());
    }
    span
}

/// The trace id of the current span, 32 hex digits; empty without tracing.
#[must_use]
pub fn current_trace_id() -> String {
    let context = Span::current().context();
    let ids = context.span().span_context().clone();
    if ids.is_valid() { ids.trace_id().to_string() } else { String::new() }
}

/// W3C traceparent of the current span; empty without tracing.
#[must_use]
pub fn current_traceparent() -> String {
    let context = Span::current().context();
    let ids = context.span().span_context().clone();
    if !ids.is_valid() {
        return String::new();
    }
    format!("00-{}-{}-{:02x}", ids.trace_id(), ids.span_id(), ids.trace_flags().to_u8())
}

/// Links the current span to the one of a W3C traceparent. What is none is left out.
pub fn link_to(traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    // From an empty context: from the current one, what does not parse would link the span to itself.
    let context = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&opentelemetry::Context::new(), &carrier)
    });
    Span::current().add_link(context.span().span_context().clone());
}
