//! The syncs of the last quarter of an hour, one by one: few, and a source that has begun to fail shows at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a try is remembered.
const WINDOW: Duration = Duration::from_secs(900);
/// Most tries that are remembered: a server that cries without end is synced four times a second.
const MOST: usize = 4_096;

/// Syncs over the last quarter of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Tries that ended.
    pub syncs: u64,
    /// Of these, how many failed.
    pub failed: u64,
    /// 95th percentile of how long they took; nothing without a try.
    pub p95: Option<Duration>,
}

/// What is remembered, oldest first.
#[derive(Debug, Default)]
pub struct Tries(VecDeque<(Instant, Duration, bool)>);

impl Tries {
    /// One ended at `now`.
    pub fn note(&mut self, now: Instant, took: Duration, failed: bool) {
        let old = |(at, ..): &(Instant, Duration, bool)| WINDOW <= now.saturating_duration_since(*at);
        while MOST <= self.0.len() || self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
        self.0.push_back((now, took, failed));
    }

    /// Those that are not too old at `now`.
    #[must_use]
    pub fn over(&self, now: Instant) -> Tried {
        let within = || self.0.iter().filter(|(at, ..)| now.saturating_duration_since(*at) < WINDOW);
        let mut took: Vec<Duration> = within().map(|(_, took, _)| *took).collect();
        took.sort_unstable();
        let place = (took.len() * 95).div_ceil(100).saturating_sub(1);
        Tried {
            syncs: took.len() as u64,
            failed: within().filter(|(.., failed)| *failed).count() as u64,
            p95: took.get(place).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_forgotten_after_the_window_and_beyond_their_number() {
        let begun = Instant::now();
        let mut tries = Tries::default();
        assert_eq!(tries.over(begun), Tried::default());
        for n in 1..=20 {
            tries.note(begun, Duration::from_millis(n), n == 20);
        }
        let p95 = Some(Duration::from_millis(19));
        assert_eq!(tries.over(begun), Tried { syncs: 20, failed: 1, p95 });
        assert_eq!(tries.over(begun + WINDOW), Tried::default());
        for _ in 0..2 * MOST {
            tries.note(begun + WINDOW, Duration::ZERO, false);
        }
        assert_eq!(tries.over(begun + WINDOW).syncs, MOST as u64);
    }
}
