//! `[outcomes]`: what is kept of reported calls.

use serde::{Deserialize, Serialize};

/// Longest that counts are kept: ten years.
const MAX_KEEP_DAYS: u64 = 3_650;
/// Longest between two writes: an hour. What is in memory dies with the process.
const MAX_FLUSH_S: u64 = 3_600;

/// Counts per tool and minute, in the store.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outcomes {
    /// How long they are kept, in days: 0 to 3,650. 0: not at all; metrics and the last hour are there all the same.
    pub keep_days: u64,
    /// How often they are written, in seconds: 1 to 3,600.
    pub flush_s: u64,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self { keep_days: 30, flush_s: 10 }
    }
}

impl Outcomes {
    /// What is wrong with it, in one line.
    pub(super) fn complaint(&self) -> Option<String> {
        if MAX_KEEP_DAYS < self.keep_days {
            return Some(format!("outcomes.keep_days is {}, it must be 0 (none are kept) to {MAX_KEEP_DAYS}", self.keep_days));
        }
        let flush = 1..=MAX_FLUSH_S;
        (!flush.contains(&self.flush_s)).then(|| format!("outcomes.flush_s is {}, it must be 1 to {MAX_FLUSH_S}", self.flush_s))
    }
}
