//! When to try again.

use std::time::Duration;

use rand::Rng;

/// After the first failure: a server that is just being restarted is back by then.
const FIRST: Duration = Duration::from_secs(1);
/// A server that has been away for long is asked this often at least.
const LONGEST: Duration = Duration::from_secs(300);

/// The pause after the `failures`th failure in a row: doubled each time, half of it by chance, so that sources that failed together do not
/// come back together.
pub(super) fn after_failures(failures: u32, rng: &mut impl Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    whole.mul_f64(rng.random_range(0.5..=1.0))
}

/// The pause after a success: the interval, a tenth more or less.
pub(super) fn after_success(interval: Duration, rng: &mut impl Rng) -> Duration {
    interval.mul_f64(rng.random_range(0.9..=1.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn pauses_grow_to_a_limit_and_differ() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        for (failures, most) in [(1, 1.0), (2, 2.0), (3, 4.0), (8, 128.0), (9, 256.0), (10, 300.0), (u32::MAX, 300.0)] {
            let pauses: Vec<f64> = (0..50).map(|_| after_failures(failures, &mut rng).as_secs_f64()).collect();
            assert!(pauses.iter().all(|pause| (most / 2.0..=most).contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
        let interval = after_success(Duration::from_secs(100), &mut rng).as_secs_f64();
        assert!((90.0..=110.0).contains(&interval));
    }
}
