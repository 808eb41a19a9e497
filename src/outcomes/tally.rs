//! What is added up of a tool: in memory, in a row of the store.
//!
//! Latencies are a histogram with fixed bounds, because histograms add up, over routers and over minutes, and percentiles do not. The bounds
//! are part of the stored form, so they never change: 1 ms is a function call, 5 minutes is a job that somebody waits for, and between them
//! each is two to three times the one before, which tells a p95 to within that.

use std::time::Duration;

use super::Outcome;
use crate::tool::{TenantId, ToolId};

/// Upper bounds of the buckets, in milliseconds, each included; one more bucket holds what is longer than the last.
pub const LATENCY_BOUNDS_MS: [u64; 15] = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];

/// Where sums stop. A row of the store is a sum of these, in 63 bits: eight thousand flushes that are all at the end fit into it. A million
/// calls of a minute each are a twentieth of this.
const MAX_SUM: u64 = 1 << 50;

/// How many latencies lie in each bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies(pub [u64; LATENCY_BOUNDS_MS.len() + 1]);

impl Latencies {
    /// Counts one.
    pub fn add(&mut self, latency: Duration) {
        let bucket = bucket_of(latency);
        if let Some(count) = self.0.get_mut(bucket) {
            *count += 1;
        }
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count = sum(*count, more));
    }

    /// The latency that a share in [0, 1] of all does not exceed, linear within its bucket; `None` without any. What is longer than the last
    /// bound is told as that bound.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let wanted = share.clamp(0.0, 1.0) * total as f64;
        let (mut below, mut from_ms) = (0_u64, 0_u64);
        for (count, to_ms) in self.0.iter().zip(LATENCY_BOUNDS_MS) {
            if 0 < *count && wanted <= (below + count) as f64 {
                let within = ((wanted - below as f64) / *count as f64).clamp(0.0, 1.0);
                return Some(Duration::from_secs_f64((from_ms as f64 + within * (to_ms - from_ms) as f64) / 1e3));
            }
            below += count;
            from_ms = to_ms;
        }
        Some(Duration::from_millis(from_ms))
    }
}

/// The bucket of a latency.
pub(super) fn bucket_of(latency: Duration) -> usize {
    LATENCY_BOUNDS_MS.partition_point(|bound| Duration::from_millis(*bound) < latency)
}

/// What is known of a tool over some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often a selection returned it.
    pub returned: u64,
    /// Calls, by the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Input tokens of the turns that called it.
    pub input_tokens: u64,
    /// Output tokens of them.
    pub output_tokens: u64,
    /// Sum of latencies, microseconds.
    pub latency_micros: u64,
    /// Their histogram: of the calls whose latency was reported.
    pub latencies: Latencies,
}

impl Tally {
    /// Counts a call.
    pub fn call(&mut self, outcome: Outcome, latency: Option<Duration>, input_tokens: Option<u64>, output_tokens: Option<u64>) {
        if let Some(calls) = self.outcomes.get_mut(outcome as usize) {
            *calls = sum(*calls, 1);
        }
        self.input_tokens = sum(self.input_tokens, input_tokens.unwrap_or(0));
        self.output_tokens = sum(self.output_tokens, output_tokens.unwrap_or(0));
        if let Some(latency) = latency {
            self.latency_micros = sum(self.latency_micros, u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
            self.latencies.add(latency);
        }
    }

    /// Counts being returned.
    pub fn shown(&mut self) {
        self.returned = sum(self.returned, 1);
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        self.returned = sum(self.returned, other.returned);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(calls, more)| *calls = sum(*calls, more));
        self.input_tokens = sum(self.input_tokens, other.input_tokens);
        self.output_tokens = sum(self.output_tokens, other.output_tokens);
        self.latency_micros = sum(self.latency_micros, other.latency_micros);
        self.latencies.merge(&other.latencies);
    }

    /// Calls, however they went.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Calls that ended in one way.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).copied().unwrap_or(0)
    }
}

fn sum(one: u64, other: u64) -> u64 {
    one.saturating_add(other).min(MAX_SUM)
}

/// A tool in a minute: a row of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolMinute {
    /// Whose tool.
    pub tenant: TenantId,
    /// The tool.
    pub tool: ToolId,
    /// The minute, since the Unix epoch.
    pub minute: u64,
    /// What is known.
    pub tally: Tally,
}

/// What a router hands to the store at once.
///
/// Counts are added to those of other routers, so adding the same twice would count twice; and when a connection breaks in the middle of a
/// commit, nobody on this side can know whether it was done. So a flush has a number, which the store remembers beside the counts: one that
/// failed is sent again as it was, and if it was there after all nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// Which router, of all that write to the store: drawn when it starts.
    pub router: String,
    /// Its how manyeth flush, from 1.
    pub number: u64,
    /// The minute it was first sent, for forgetting it one day.
    pub minute: u64,
    /// The counts; a tool and minute stands in it once.
    pub counts: Vec<ToolMinute>,
}

impl Flush {
    /// The calls in it.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.counts.iter().map(|minute| minute.tally.calls()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_where_they_are_read() {
        let mut tally = Tally::default();
        for (i, outcome) in Outcome::ALL.into_iter().enumerate() {
            (0..=i).for_each(|_| tally.call(outcome, None, None, None));
        }
        assert_eq!(tally.outcomes, [1, 2, 3, 4, 5]);
        assert!(Outcome::ALL.into_iter().enumerate().all(|(i, outcome)| tally.ended(outcome) == i as u64 + 1));
        assert_eq!((tally.calls(), tally.latencies.quantile(0.95)), (15, None));
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        #[track_caller]
        fn check(latencies_ms: &[f64], share: f64, expected_ms: f64) {
            let mut histogram = Latencies::default();
            latencies_ms.iter().for_each(|ms| histogram.add(Duration::from_secs_f64(ms / 1e3)));
            let found = histogram.quantile(share).unwrap().as_secs_f64() * 1e3;
            assert!((found - expected_ms).abs() < 1e-6, "{latencies_ms:?} at {share}: {found}, not {expected_ms}");
        }
        check(&[0.0], 0.95, 0.95);
        check(&[1.0], 1.0, 1.0);
        check(&[1.001], 1.0, 5.0);
        check(&[3.0, 3.0, 3.0, 700.0], 0.5, 1.0 + 4.0 * 2.0 / 3.0);
        check(&[3.0, 3.0, 3.0, 700.0], 1.0, 1_000.0);
        check(&[86_400_000.0], 0.95, 300_000.0);
    }

    #[test]
    fn sums_stop_before_the_store_would() {
        let mut tally = Tally::default();
        let day = Duration::from_secs(86_400);
        tally.call(Outcome::Ok, Some(day), Some(u64::MAX), None);
        let half = tally.clone();
        (0..64).for_each(|_| tally.merge(&tally.clone()));
        assert_eq!((tally.input_tokens, tally.latency_micros, tally.latencies.0[15]), (MAX_SUM, MAX_SUM, MAX_SUM));
        assert_eq!(half.input_tokens, MAX_SUM);
        assert!(i64::try_from(MAX_SUM).is_ok_and(|sum| sum.checked_mul(8_000).is_some()));
    }
}
