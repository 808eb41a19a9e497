//! What operators see: every instrument, label value and log field has its one place here, every name of a convention in `spans/names.rs`.

mod agent;
mod collector;
pub mod conditions;
mod counts;
mod identity;
mod logs;
pub mod map;
mod metrics;
mod outlet;
pub mod recent;
mod repeats;
mod sampling;
mod store;
mod tail;
mod trace;
pub mod windows;

pub use self::agent::{AGENT_HEADER, agent_name};
pub use self::collector::{Collector, Protocol};
pub use self::counts::{Count, Counts, Loss};
pub use self::identity::Identity;
pub use self::logs::{
    LogFormat, LogOptions, Options, Running, SpanOptions, Telemetry, TelemetryError, counts, init, parse_filter, set_filter,
};
pub use self::metrics::{Active, CacheSize, MeterOptions, Meters, Watched};
pub use self::store::Observed;
pub use self::trace::{
    Ended, ModelName, current_trace_id, current_traceparent, is_context_header, link_to, request_span, selected,
};
