//! What operators see: every instrument, label value and log field has its one place here.

mod agent;
pub mod conditions;
mod counts;
mod logs;
pub mod map;
mod metrics;
pub mod recent;
mod sources;
mod trace;
pub mod windows;

pub use self::agent::{AGENT_HEADER, agent_name};
pub use self::counts::{Count, Counts, Loss};
pub use self::logs::{LogFormat, LogOptions, TelemetryError, init, parse_filter, set_filter};
pub use self::metrics::{Meters, Watched};
pub use self::trace::{current_trace_id, is_context_header, request_span};
