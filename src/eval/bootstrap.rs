//! How sure a mean is: percentile intervals by resampling queries, for one run, for two runs query by query, and over sets.
//!
//! Resampling, because the measures are neither normal nor of one shape: shares with few values, most of them 0 or 1. The draws for a set
//! follow from its name and the seed alone, so all runs on it are resampled alike and a difference of two is paired without being drawn again.
//! (Efron and Tibshirani, An Introduction to the Bootstrap, 1993; Koehn, Statistical Significance Tests for Machine Translation Evaluation,
//! 2004.)

use std::cmp::Ordering;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};

/// The share of resamples an interval holds.
pub const LEVEL: f64 = 0.95;
/// Below this many queries nothing is called a difference: a two-sided sign test cannot reach 5 % even when all queries agree.
pub const FEWEST: usize = 6;
/// Ids that an error names of each run.
const NAMED: usize = 3;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Resamples of a set, at least 1 are made.
    pub resamples: usize,
    /// The same seed draws the same.
    pub seed: u64,
}

impl Default for Draws {
    /// Two thousand: the ends of an interval then lie within about a tenth of its width.
    fn default() -> Self {
        Self { resamples: 2_000, seed: 1 }
    }
}

/// A mean with the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of what was measured.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Queries behind it.
    pub queries: usize,
}

impl Interval {
    /// For a difference: whether it is one, that is, 0 lies outside; never with fewer than [`FEWEST`] queries.
    #[must_use]
    pub fn significant(&self) -> bool {
        FEWEST <= self.queries && (0.0 < self.low || self.high < 0.0)
    }
}

/// Two runs cannot be set beside each other, or one cannot be resampled.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PairError {
    /// Nothing to draw from.
    #[error("there are no queries")]
    Empty,
    /// Queries are told apart by id.
    #[error("query id {0:?} occurs twice")]
    Twice(String),
    /// Not the same queries.
    #[error("the queries are not the same: {}{}{}", only("the first", first), if first.is_empty() || second.is_empty() { "" } else { "; " }, only("the second", second))]
    Different {
        /// Ids only the first has.
        first: Vec<String>,
        /// Ids only the second has.
        second: Vec<String>,
    },
    /// The draws were not the same.
    #[error("the runs were not resampled alike: it takes one set, one seed and one number of resamples")]
    Draws,
}

fn only(run: &str, ids: &[String]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED).map(|id| format!("{id:?}")).collect();
    match ids.len() {
        0 => String::new(),
        n if n <= NAMED => format!("only {run} has {}", named.join(", ")),
        n => format!("only {run} has {} and {} more", named.join(", "), n - NAMED),
    }
}

/// The queries of one run on one set with `N` values each, resampled.
#[derive(Clone, Debug)]
pub struct Sample<'a, const N: usize> {
    /// Ascending.
    ids: Vec<&'a str>,
    seed: [u8; 32],
    spread: Spread<N>,
}

/// `N` means and what became of them in each resample.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread<const N: usize> {
    queries: usize,
    mean: [f64; N],
    drawn: Vec<[f64; N]>,
}

impl<'a, const N: usize> Sample<'a, N> {
    /// Resamples `rows`, an id and values for each query, of the set named `set`. The order of the rows does not matter.
    ///
    /// # Errors
    /// No rows, or an id twice.
    pub fn new(set: &str, mut rows: Vec<(&'a str, [f64; N])>, draws: Draws) -> Result<Self, PairError> {
        rows.sort_by_key(|(id, _)| *id);
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(PairError::Twice(pair[0].0.to_owned()));
        }
        if rows.is_empty() {
            return Err(PairError::Empty);
        }
        let seed = Sha256::new().chain_update(draws.seed.to_le_bytes()).chain_update(set).finalize().into();
        let (ids, values): (Vec<&str>, Vec<[f64; N]>) = rows.into_iter().unzip();
        let mut rng = StdRng::from_seed(seed);
        let drawn = (0..draws.resamples.max(1))
            .map(|_| mean((0..values.len()).map(|_| values[draw(&mut rng, values.len())]), values.len()))
            .collect();
        let spread = Spread { queries: values.len(), mean: mean(values.iter().copied(), values.len()), drawn };
        Ok(Self { ids, seed, spread })
    }

    /// The means.
    #[must_use]
    pub fn spread(&self) -> &Spread<N> {
        &self.spread
    }

    /// The paired difference to `other`, query by query.
    ///
    /// # Errors
    /// Other queries, or other draws.
    pub fn minus(&self, other: &Self) -> Result<Spread<N>, PairError> {
        let (first, second) = apart(&self.ids, &other.ids);
        if !first.is_empty() || !second.is_empty() {
            return Err(PairError::Different { first, second });
        }
        if self.seed != other.seed || self.spread.drawn.len() != other.spread.drawn.len() {
            return Err(PairError::Draws);
        }
        let minus = |a: &[f64; N], b: &[f64; N]| std::array::from_fn(|i| a[i] - b[i]);
        let (a, b) = (&self.spread, &other.spread);
        let drawn = a.drawn.iter().zip(&b.drawn).map(|(a, b)| minus(a, b)).collect();
        Ok(Spread { queries: a.queries, mean: minus(&a.mean, &b.mean), drawn })
    }
}

impl<const N: usize> Spread<N> {
    /// The mean over sets, each of equal weight and resampled in itself; nothing without sets.
    #[must_use]
    pub fn macro_mean(sets: &[&Self]) -> Option<Self> {
        let resamples = sets.iter().map(|set| set.drawn.len()).min()?;
        let drawn = (0..resamples).map(|i| mean(sets.iter().map(|set| set.drawn[i]), sets.len())).collect();
        let queries = sets.iter().map(|set| set.queries).sum();
        Some(Self { queries, mean: mean(sets.iter().map(|set| set.mean), sets.len()), drawn })
    }

    /// How far value `a` is above value `b` of the same queries.
    #[must_use]
    pub fn difference(&self, a: usize, b: usize) -> Interval {
        let minus = |row: &[f64; N]| [row[a] - row[b]];
        let drawn = self.drawn.iter().map(minus).collect();
        let [interval] = Spread { queries: self.queries, mean: minus(&self.mean), drawn }.intervals();
        interval
    }

    /// The means with their intervals.
    #[must_use]
    pub fn intervals(&self) -> [Interval; N] {
        std::array::from_fn(|i| {
            let mut column: Vec<f64> = self.drawn.iter().map(|row| row[i]).collect();
            column.sort_unstable_by(f64::total_cmp);
            let tail = (1.0 - LEVEL) / 2.0;
            Interval {
                mean: self.mean[i],
                low: quantile(&column, tail),
                high: quantile(&column, 1.0 - tail),
                queries: self.queries,
            }
        })
    }
}

/// One of the numbers below `n`, in half the time of a draw without any bias; this one's is below `n` in 2^64.
fn draw(rng: &mut StdRng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The mean of `count` rows.
fn mean<const N: usize>(rows: impl Iterator<Item = [f64; N]>, count: usize) -> [f64; N] {
    let mut sums = [0.0; N];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    sums.map(|sum| sum / count.max(1) as f64)
}

/// Between the two nearest of `sorted`, which is not empty.
pub(super) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// What only the one and what only the other of two ascending lists has.
fn apart(a: &[&str], b: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            Ordering::Less => first.push((*x).to_owned()),
            Ordering::Greater => second.push((*y).to_owned()),
            Ordering::Equal => {}
        }
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    first.extend(a[i..].iter().map(ToString::to_string));
    second.extend(b[j..].iter().map(ToString::to_string));
    (first, second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    // proptest brings its own of another version.
    use rand::{Rng, SeedableRng};

    use super::*;

    const QUICK: Draws = Draws { resamples: 400, seed: 7 };

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("q{i:05}")).collect()
    }

    fn sample<'a, const N: usize>(ids: &'a [String], values: &[[f64; N]], set: &str, draws: Draws) -> Sample<'a, N> {
        Sample::new(set, ids.iter().map(String::as_str).zip(values.iter().copied()).collect(), draws).unwrap()
    }

    /// Heads of a coin: the interval of their mean is known.
    fn coin(rng: &mut StdRng, n: usize, p: f64) -> Vec<[f64; 1]> {
        (0..n).map(|_| [f64::from(u8::from(rng.random_bool(p)))]).collect()
    }

    #[test]
    fn an_interval_is_as_wide_as_theory_says() {
        let ids = ids(400);
        let values: Vec<[f64; 2]> = (0..400).map(|i| [f64::from(u8::from(i % 4 == 0)), 3.0]).collect();
        let [quarter, constant] = sample(&ids, &values, "set", Draws::default()).spread().intervals();
        let half = 1.96 * (0.25_f64 * 0.75 / 400.0).sqrt();
        assert_eq!(quarter.mean, 0.25);
        assert!((quarter.low - (0.25 - half)).abs() < 0.12 * half && (quarter.high - (0.25 + half)).abs() < 0.12 * half);
        assert_eq!((constant.mean, constant.low, constant.high), (3.0, 3.0, 3.0));
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_truth() {
        let (ids, mut rng) = (ids(60), StdRng::seed_from_u64(3));
        let held = (0..300).filter(|i| {
            let draws = Draws { resamples: 200, seed: *i };
            let [interval] = sample(&ids, &coin(&mut rng, 60, 0.6), "set", draws).spread().intervals();
            interval.low <= 0.6 && 0.6 <= interval.high
        });
        let held = held.count();
        assert!((270..=297).contains(&held), "{held} of 300");
    }

    #[test]
    fn a_paired_difference_is_narrower_than_two_intervals() {
        let (ids, mut rng) = (ids(300), StdRng::seed_from_u64(5));
        let a = coin(&mut rng, 300, 0.5);
        // Better on every thirtieth query and the same elsewhere.
        let b: Vec<[f64; 1]> = a.iter().enumerate().map(|(i, [x])| [if i % 30 == 0 { 1.0 } else { *x }]).collect();
        let (a, b) = (sample(&ids, &a, "set", QUICK), sample(&ids, &b, "set", QUICK));
        let ([alone], [difference]) = (a.spread().intervals(), b.minus(&a).unwrap().intervals());
        assert!(0.0 < difference.mean && difference.significant(), "{difference:?}");
        assert!(difference.high - difference.low < (alone.high - alone.low) / 3.0, "{difference:?} {alone:?}");
        let [back] = a.minus(&b).unwrap().intervals();
        assert_eq!((back.mean, back.low, back.high), (-difference.mean, -difference.high, -difference.low));
    }

    #[test]
    fn a_mean_over_sets_is_resampled_within_each() {
        let (ids, mut rng) = (ids(200), StdRng::seed_from_u64(9));
        let sets: Vec<_> = (0..4).map(|i| sample(&ids, &coin(&mut rng, 200, 0.5), &format!("set{i}"), QUICK)).collect();
        let spreads: Vec<_> = sets.iter().map(Sample::spread).collect();
        let [all] = Spread::macro_mean(&spreads).unwrap().intervals();
        let one = spreads.iter().map(|s| s.intervals()[0]).map(|i| i.high - i.low).sum::<f64>() / 4.0;
        // Four independent sets: half as wide. Were all drawn alike, it would be as wide as one.
        assert!(((all.high - all.low) / one - 0.5).abs() < 0.1, "{all:?} beside {one}");
        assert_eq!(all.queries, 800);
        assert!(Spread::<1>::macro_mean(&[]).is_none());
    }

    #[test]
    fn few_queries_that_agree_are_no_difference_yet() {
        for (n, expected) in [(FEWEST - 1, false), (FEWEST, true)] {
            let ids = ids(n);
            let (zeros, ones) = (sample(&ids, &vec![[0.0]; n], "s", QUICK), sample(&ids, &vec![[1.0]; n], "s", QUICK));
            assert_eq!(ones.minus(&zeros).unwrap().intervals()[0].significant(), expected, "{n}");
        }
    }

    #[test]
    fn what_cannot_be_paired_is_named() {
        let (a, b) = (ids(8), ids(6));
        let (long, short) = (sample(&a, &[[0.0]; 8], "s", QUICK), sample(&b, &[[0.0]; 6], "s", QUICK));
        let words = |result: Result<Spread<1>, PairError>| result.unwrap_err().to_string();
        assert_eq!(words(long.minus(&short)), r#"the queries are not the same: only the first has "q00006", "q00007""#);
        assert_eq!(words(short.minus(&long)), r#"the queries are not the same: only the second has "q00006", "q00007""#);
        let other = Sample::new("s", (0..5).map(|i| (["v", "w", "x", "y", "z"][i], [0.0])).collect(), QUICK).unwrap();
        assert_eq!(
            words(other.minus(&short)),
            r#"the queries are not the same: only the first has "v", "w", "x" and 2 more; only the second has "q00000", "q00001", "q00002" and 3 more"#
        );
        let elsewhere = sample(&a, &[[0.0]; 8], "t", QUICK);
        assert_eq!(long.minus(&elsewhere), Err(PairError::Draws));
        assert_eq!(Sample::new("s", vec![("x", [0.0]), ("x", [1.0])], QUICK).unwrap_err(), PairError::Twice("x".into()));
        assert_eq!(Sample::<1>::new("s", Vec::new(), QUICK).unwrap_err(), PairError::Empty);
    }

    proptest! {
        #[test]
        fn the_order_of_queries_does_not_matter(values in prop::collection::vec(0.0..1.0, 1..40), by in 0_usize..40) {
            let ids = ids(values.len());
            let rows: Vec<_> = ids.iter().map(String::as_str).zip(values.iter().map(|v| [*v])).collect();
            let mut turned = rows.clone();
            turned.rotate_left(by % rows.len());
            let draws = Draws { resamples: 50, seed: 1 };
            let (a, b) = (Sample::new("s", rows, draws).unwrap(), Sample::new("s", turned, draws).unwrap());
            prop_assert_eq!(a.spread(), b.spread());
            let [interval] = a.spread().intervals();
            let plain = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!((interval.mean - plain).abs() < 1e-12 && interval.low <= interval.high);
        }

        #[test]
        fn equal_runs_differ_by_nothing(values in prop::collection::vec(0.0..1.0, 1..40), seed: u64) {
            let ids = ids(values.len());
            let values: Vec<[f64; 1]> = values.into_iter().map(|v| [v]).collect();
            let draws = Draws { resamples: 50, seed };
            let [i] = sample(&ids, &values, "s", draws).minus(&sample(&ids, &values, "s", draws)).unwrap().intervals();
            prop_assert_eq!((i.mean, i.low, i.high, i.significant()), (0.0, 0.0, 0.0, false));
        }

        #[test]
        fn lists_are_told_apart_as_sets_would(a in prop::collection::btree_set("[a-e]{1,2}", 0..12), b in prop::collection::btree_set("[a-e]{1,2}", 0..12)) {
            fn words(set: &std::collections::BTreeSet<String>) -> Vec<&str> {
                set.iter().map(String::as_str).collect()
            }
            let (first, second) = apart(&words(&a), &words(&b));
            prop_assert_eq!(first, a.difference(&b).cloned().collect::<Vec<_>>());
            prop_assert_eq!(second, b.difference(&a).cloned().collect::<Vec<_>>());
        }
    }
}
