//! What operators see: every instrument, label value and log field has its one place here.

mod agent;
mod logs;
mod metrics;
mod sources;
mod trace;

pub use self::agent::{AGENT_HEADER, agent_name};
pub use self::logs::{LogFormat, LogOptions, TelemetryError, init, parse_filter, set_filter};
pub use self::metrics::{Meters, Watched};
pub use self::trace::{current_trace_id, current_traceparent, is_context_header, link_to, request_span};
