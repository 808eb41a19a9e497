//! What became of the telemetry itself, counted where it happens and shown by `status`.
//!
//! Numbers that are written without a lock, since exporters and writers have threads of their own. A loss also notes when it was: a thousand
//! spans that were lost last week are history, one that was lost just now is a condition.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// What it came to.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was given up rather than waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Spans: the queue was full, or the collector did not take them.
    Spans,
    /// Outcomes, before they reached the store.
    Outcomes,
}

/// What became of the telemetry.
#[derive(Debug)]
pub struct Counts {
    begun: Instant,
    /// Spans that a collector took.
    pub exported_spans: Count,
    /// Spans that were left out by sampling.
    pub unsampled_spans: Count,
    /// Outcomes that were counted.
    pub outcomes: Count,
    /// Log lines that were held back because they repeat.
    pub held_back_log_lines: Count,
    /// Of the spans that were lost, those that the collector did not take.
    pub failed_spans: Count,
    /// Spans that wait for the end of their trace.
    pub tail_spans: AtomicU64,
    dropped_spans: Count,
    dropped_outcomes: Count,
    /// When something was lost last, in milliseconds after `begun` plus 1; 0: never.
    last_loss: AtomicU64,
}

impl Counts {
    /// Begins at nothing.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            begun: now,
            exported_spans: Count::default(),
            unsampled_spans: Count::default(),
            outcomes: Count::default(),
            held_back_log_lines: Count::default(),
            failed_spans: Count::default(),
            tail_spans: AtomicU64::new(0),
            dropped_spans: Count::default(),
            dropped_outcomes: Count::default(),
            last_loss: AtomicU64::new(0),
        }
    }

    fn of(&self, loss: Loss) -> &Count {
        match loss {
            Loss::Spans => &self.dropped_spans,
            Loss::Outcomes => &self.dropped_outcomes,
        }
    }

    /// `n` of them are lost at `now`.
    pub fn lose(&self, loss: Loss, n: u64, now: Instant) {
        if n == 0 {
            return;
        }
        self.of(loss).add(n);
        let after = now.saturating_duration_since(self.begun).as_millis();
        self.last_loss.fetch_max(u64::try_from(after).unwrap_or(u64::MAX).saturating_add(1), Ordering::Relaxed);
    }

    /// How many were lost.
    #[must_use]
    pub fn lost(&self, loss: Loss) -> u64 {
        self.of(loss).get()
    }

    /// How long ago something was lost; nothing where nothing was.
    #[must_use]
    pub fn lost_ago(&self, now: Instant) -> Option<Duration> {
        let after = self.last_loss.load(Ordering::Relaxed).checked_sub(1)?;
        Some(now.saturating_duration_since(self.begun).saturating_sub(Duration::from_millis(after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_counted_with_its_time() {
        let begun = Instant::now();
        let counts = Counts::new(begun);
        counts.lose(Loss::Spans, 0, begun);
        assert_eq!(counts.lost_ago(begun), None);
        counts.lose(Loss::Spans, 3, begun + Duration::from_secs(10));
        counts.lose(Loss::Outcomes, 1, begun + Duration::from_secs(4));
        assert_eq!([Loss::Spans, Loss::Outcomes].map(|loss| counts.lost(loss)), [3, 1]);
        assert_eq!(counts.lost_ago(begun + Duration::from_secs(30)), Some(Duration::from_secs(20)), "since the latest of both");
    }
}
