//! What operators see: every instrument, label value and log field has its one place here.

mod logs;
mod metrics;
mod sources;
mod trace;

pub use self::logs::{LogFormat, LogOptions, TelemetryError, init, parse_filter, set_filter};
pub use self::metrics::{Meters, Watched};
pub use self::trace::{current_trace_id, is_context_header, request_span};
