//! What the inner parts say of the work they wait for: spans, under OpenTelemetry's names.
//!
//! A span is made where the work is known and goes to whoever listens; nothing here knows of exporters. Stages of a selection are not spans but
//! entries of its trace, so that the engines' arithmetic is not measured by something that costs as much as itself.

pub mod names;

use std::sync::OnceLock;

use tracing::Span;
use tracing::field::Empty;

/// Something done in this process on the way of a call: `toolrouter.prepare`, `toolrouter.embed`, `toolrouter.publish`.
#[must_use]
pub fn step(name: &'static str) -> Span {
    tracing::info_span!("step", otel.name = name)
}

/// One sync of a source. It has no caller, so it is the root of a trace.
#[must_use]
pub fn sync(source: &str) -> Span {
    tracing::info_span!(
        parent: None,
        "sync",
        otel.name = names::SYNC,
        { names::SOURCE } = source,
        { names::SAMPLING_REASON } = Empty,
        { names::ERROR_TYPE } = Empty,
        otel.status_code = Empty,
    )
}

/// A request to an MCP server. `address` is its host and port where it is not a child of this process.
#[must_use]
pub fn mcp(method: &'static str, source: &str, address: Option<&(String, u16)>) -> Span {
    let span = tracing::info_span!(
        "mcp",
        otel.name = method,
        otel.kind = "client",
        { names::MCP_METHOD } = method,
        { names::NETWORK_TRANSPORT } = if address.is_some() { "tcp" } else { "pipe" },
        { names::PEER_NAME } = source,
        { names::PEER_SERVICE } = source,
        { names::SERVER_ADDRESS } = Empty,
        { names::SERVER_PORT } = Empty,
        { names::ERROR_TYPE } = Empty,
        otel.status_code = Empty,
    );
    if let Some((host, port)) = address {
        span.record(names::SERVER_ADDRESS, host.as_str());
        span.record(names::SERVER_PORT, *port);
    }
    span
}

static TRACEPARENT: OnceLock<fn() -> String> = OnceLock::new();

/// Says who knows the trace context of the current span: whoever listens to spans.
pub fn set_traceparent(of_current: fn() -> String) {
    TRACEPARENT.set(of_current).ok();
}

/// W3C's `traceparent` of the current span, to be handed on; `None` where nobody listens.
#[must_use]
pub fn traceparent() -> Option<String> {
    TRACEPARENT.get().map(|of_current| of_current()).filter(|traceparent| !traceparent.is_empty())
}

/// Says that the work of `span` failed, and how in one word of few.
pub fn fail(span: &Span, kind: &'static str) {
    span.record(names::ERROR_TYPE, kind);
    span.record("otel.status_code", "ERROR");
}

/// Says that the trace of `span`, which is its root, is to be kept whatever the sampler said.
pub fn keep(span: &Span, reason: &'static str) {
    span.record(names::SAMPLING_REASON, reason);
}
