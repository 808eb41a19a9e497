//! What became of the telemetry itself: given up where it would have cost a selection time or memory, and counted then.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// As it is now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Counts {
    /// Spans that a collector took.
    pub exported_spans: Count,
    /// Spans of traces that were not sampled and had no reason to be kept.
    pub unsampled_spans: Count,
    /// Spans for which there was no room.
    pub dropped_spans: Count,
    /// Spans that the collector did not take.
    pub failed_spans: Count,
    /// Spans that wait for the end of their trace.
    pub tail_spans: AtomicU64,
    /// Log lines that were held back because they repeat.
    pub held_back_log_lines: Count,
}
