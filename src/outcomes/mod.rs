//! What became of the tools that selections showed: counted, kept for a while, never in the way.
//!
//! The router calls no tool, so all it knows of a call is what somebody reports. Reports come from outside and nothing about their number is
//! certain, hence every structure in here has a bound and says what gives way when it is reached: the oldest selection, the name that came
//! last, the counts that would not fit. None of it waits for anything; the store is written to by a task of the root.
//!
//! Times are wall time in milliseconds and are passed in.

mod calls;
mod memory;
mod names;
mod rollup;
mod selections;
mod tally;
mod window;

use std::sync::Arc;
use std::time::Duration;

pub use self::calls::Calls;
pub use self::memory::{Outcomes, Tokens};
pub use self::rollup::Rollup;
pub use self::selections::{SelectionId, Selections, Shown};
pub use self::tally::{Flush, LATENCY_BOUNDS_MS, Latencies, Tally, ToolMinute};
pub use self::window::{Edge, OTHER, ToolTotals, Window};

use crate::tool::{TenantId, ToolId};

/// Milliseconds of a minute, which is what is counted by.
const MINUTE_MS: u64 = 60_000;

/// The minute of a wall time, since the Unix epoch.
#[must_use]
pub fn minute_of(now_ms: u64) -> u64 {
    now_ms / MINUTE_MS
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The tool answered.
    Ok,
    /// It answered that it failed, or could not be reached.
    Error,
    /// It did not answer in time.
    Timeout,
    /// The caller gave up. Says nothing about the tool.
    Cancelled,
    /// The call was not made.
    Rejected,
}

impl Outcome {
    /// Every one, in the order of [`Tally::outcomes`].
    pub const ALL: [Self; 5] = [Self::Ok, Self::Error, Self::Timeout, Self::Cancelled, Self::Rejected];

    /// Its name in metrics and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    /// Whether it counts against the tool.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Timeout)
    }
}

/// Why an outcome is in no count, or in none that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A field is wrong.
    Invalid,
    /// The tool is not registered.
    UnknownTool,
    /// It was counted before.
    Duplicate,
    /// It was counted, but there was no room to keep it until the store took it.
    Dropped,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Invalid, Self::UnknownTool, Self::Duplicate, Self::Dropped];

    /// Its name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::UnknownTool => "unknown_tool",
            Self::Duplicate => "duplicate",
            Self::Dropped => "dropped",
        }
    }
}

/// A reported call, checked: the tool is registered and every number is within its limits.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The tool.
    pub tool: ToolId,
    /// How it went.
    pub outcome: Outcome,
    /// What kind of failure; empty for none.
    pub error_class: String,
    /// How long it took.
    pub latency: Option<Duration>,
    /// Input tokens of the model's turn.
    pub input_tokens: Option<u64>,
    /// Output tokens of that turn.
    pub output_tokens: Option<u64>,
    /// The selection, as the caller wrote it; empty for none.
    pub selection_id: String,
    /// The call within the selection; empty for none.
    pub call_id: String,
    /// W3C traceparent of the selection; empty for none.
    pub traceparent: String,
    /// Place of the tool in the selection's list, from 1, as the caller says.
    pub place: Option<u32>,
    /// Who called; empty where the caller has no name.
    pub agent: String,
}

/// Which selection an outcome names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cited {
    /// None.
    Nothing,
    /// One that is remembered.
    Known,
    /// One that is not: another replica's, or long past.
    Unknown,
}

/// A call that was counted, with what memory added to it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Whose tool.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// How it went.
    pub outcome: Outcome,
    /// What kind of failure; empty for none.
    pub error_class: String,
    /// How long it took.
    pub latency: Option<Duration>,
    /// Input tokens of the model's turn.
    pub input_tokens: Option<u64>,
    /// Output tokens of that turn.
    pub output_tokens: Option<u64>,
    /// Place of the tool in the selection's list, from 1: as remembered, else as the caller says.
    pub place: Option<u32>,
    /// Who called, by the report or else by the selection; empty where neither says.
    pub agent: Arc<str>,
    /// W3C traceparent of the selection; empty where nobody knows it.
    pub traceparent: String,
    /// Which selection it names.
    pub selection: Cited,
    /// Whether there was room to keep it for the store.
    pub is_kept: bool,
}
