//! What a confidence is worth: whether it keeps its word, and what "nothing fits" saves and costs at each threshold.

use super::results::{Abstention, Asked};

/// Bins of a reliability diagram, of equal width.
pub const BINS: usize = 10;

/// The queries whose confidence falls into one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub queries: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them with a needed tool in the first 5.
    pub hit: f64,
}

/// How well confidence says whether a needed tool is in the first 5.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// By confidence; a bin holds its lower end, the last one both.
    pub bins: [Bin; BINS],
    /// Expected calibration error: how far hit rate and confidence are apart, mean over queries.
    pub ece: f64,
    /// Queries with a confidence.
    pub queries: usize,
}

impl Calibration {
    /// Of the queries that have a confidence; nothing where none has.
    #[must_use]
    pub fn of<'a>(queries: impl IntoIterator<Item = &'a Asked>) -> Option<Self> {
        let mut bins = [Bin::default(); BINS];
        for query in queries {
            let Some(confidence) = query.confidence.map(f64::from) else { continue };
            let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
            bin.queries += 1;
            bin.confidence += confidence;
            bin.hit += f64::from(u8::from(query.places.first().is_some_and(|place| *place <= 5)));
        }
        let queries: usize = bins.iter().map(|bin| bin.queries).sum();
        if queries == 0 {
            return None;
        }
        let apart: f64 = bins.iter().map(|bin| (bin.hit - bin.confidence).abs()).sum();
        for bin in &mut bins {
            bin.confidence /= bin.queries.max(1) as f64;
            bin.hit /= bin.queries.max(1) as f64;
        }
        Some(Self { bins, ece: apart / queries as f64, queries })
    }
}

/// What a threshold does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Abstained {
    /// Share of the requests that need no tool which get none.
    pub abstained: f64,
    /// How much recall@5 the requests that need one lose, mean.
    pub lost: f64,
}

impl Abstention {
    /// What happens when everything below `threshold` is held back.
    #[must_use]
    pub fn at(&self, threshold: f32) -> Abstained {
        let none = self.none.iter().filter(|confidence| **confidence < threshold).count();
        let lost: f64 = self.some.iter().filter(|(confidence, _)| *confidence < threshold).map(|(_, recall)| recall).sum();
        Abstained { abstained: none as f64 / self.none.len().max(1) as f64, lost: lost / self.some.len().max(1) as f64 }
    }

    /// The thresholds of `ranking.no_match`, by its values.
    pub fn thresholds(&self) -> impl Iterator<Item = (&'static str, f32)> {
        [("mild", Some(self.abstain_below)), ("strict", self.abstain_strictly_below)]
            .into_iter()
            .filter_map(|(word, threshold)| Some((word, threshold?)))
    }

    /// recall@5 when nothing is held back.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.some.iter().map(|(_, recall)| recall).sum::<f64>() / self.some.len().max(1) as f64
    }

    /// Every threshold that makes a difference, from "hold nothing back" to "hold everything back".
    #[must_use]
    pub fn curve(&self) -> Vec<Abstained> {
        let none = self.none.iter().map(|confidence| (*confidence, Abstained { abstained: 1.0, lost: 0.0 }));
        let some = self.some.iter().map(|(confidence, recall)| (*confidence, Abstained { abstained: 0.0, lost: *recall }));
        let mut steps: Vec<(f32, Abstained)> = none.chain(some).collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (nones, somes) = (self.none.len().max(1) as f64, self.some.len().max(1) as f64);
        let (mut sums, mut curve) = (Abstained::default(), vec![Abstained::default()]);
        for (i, (confidence, step)) in steps.iter().enumerate() {
            sums = Abstained { abstained: sums.abstained + step.abstained, lost: sums.lost + step.lost };
            // Equal confidences go together: no threshold parts them.
            if steps.get(i + 1).is_none_or(|(next, _)| next != confidence) {
                curve.push(Abstained { abstained: sums.abstained / nones, lost: sums.lost / somes });
            }
        }
        curve
    }

    /// The chance that a request which needs a tool has the higher confidence of the two; ties count half; nothing without either kind.
    #[must_use]
    pub fn auroc(&self) -> Option<f64> {
        let some: Vec<f32> = self.some.iter().map(|(confidence, _)| *confidence).collect();
        auroc(&some, &self.none)
    }
}

/// The chance that one of `positives` is above one of `negatives`, ties counted half; nothing when either is empty.
///
/// By ranks (Mann and Whitney), so in n log n.
#[must_use]
pub fn auroc(positives: &[f32], negatives: &[f32]) -> Option<f64> {
    if positives.is_empty() || negatives.is_empty() {
        return None;
    }
    let mut all: Vec<(f32, bool)> = positives.iter().map(|x| (*x, true)).chain(negatives.iter().map(|x| (*x, false))).collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut won, mut below) = (0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        won += positive * (below + negative / 2.0);
        below += negative;
    }
    Some(won / (positives.len() as f64 * negatives.len() as f64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(confidence: Option<f32>, place: Option<usize>) -> Asked {
        Asked { id: String::new(), needed: 1, places: place.into_iter().collect(), confidence }
    }

    #[test]
    fn a_bin_holds_its_lower_end() {
        let queries = [
            asked(Some(0.0), None),
            asked(Some(0.25), Some(5)),
            asked(Some(0.25), Some(6)),
            asked(Some(1.0), Some(1)),
            asked(Some(0.9375), Some(1)),
            asked(None, Some(1)),
        ];
        let calibration = Calibration::of(&queries).unwrap();
        let filled: Vec<_> = calibration.bins.iter().enumerate().filter(|(_, bin)| 0 < bin.queries).collect();
        let bin = |queries, confidence, hit| Bin { queries, confidence, hit };
        assert_eq!(filled, [(0, &bin(1, 0.0, 0.0)), (2, &bin(2, 0.25, 0.5)), (9, &bin(2, 0.96875, 1.0))]);
        assert_eq!((calibration.queries, calibration.ece), (5, (0.0 + 0.5 + 0.0625) / 5.0));
        assert_eq!(Calibration::of(&[asked(None, Some(1))]), None);
    }

    fn abstention(none: Vec<f32>, some: Vec<(f32, f64)>) -> Abstention {
        let (set, none_split, some_split) = ("s".into(), "none".into(), "some".into());
        Abstention { set, none_split, some_split, none, some, abstain_below: 0.5, abstain_strictly_below: None }
    }

    #[test]
    fn a_threshold_holds_back_what_is_below_it() {
        let abstention = abstention(vec![0.1, 0.5, 0.6, 0.2], vec![(0.4, 1.0), (0.9, 0.5)]);
        assert_eq!(abstention.at(0.5), Abstained { abstained: 0.5, lost: 0.5 });
        assert_eq!(abstention.recall(), 0.75);
        assert_eq!(abstention.auroc(), Some(6.0 / 8.0));
        assert_eq!(self::abstention(vec![0.1], Vec::new()).auroc(), None);
        assert_eq!(self::abstention(Vec::new(), Vec::new()).curve(), [Abstained::default()]);
    }

    /// Few values, so that there are ties.
    fn confidences() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec((0_u8..8).prop_map(|x| f32::from(x) / 8.0), 1..30)
    }

    proptest! {
        #[test]
        fn auroc_is_that_of_all_pairs(positives in confidences(), negatives in confidences()) {
            let mut won = 0.0;
            for p in &positives {
                for n in &negatives {
                    won += if n < p { 1.0 } else if n == p { 0.5 } else { 0.0 };
                }
            }
            let pairs = (positives.len() * negatives.len()) as f64;
            prop_assert!((auroc(&positives, &negatives).unwrap() - won / pairs).abs() < 1e-12);
        }

        #[test]
        fn the_curve_is_every_threshold(none in confidences(), some in confidences()) {
            let abstention = abstention(none, some.into_iter().map(|c| (c, f64::from(c) / 2.0)).collect());
            // Just above each confidence that occurs.
            let mut thresholds: Vec<f32> = abstention.none.iter().copied().chain(abstention.some.iter().map(|(c, _)| *c)).collect();
            thresholds.sort_by(f32::total_cmp);
            thresholds.dedup();
            let expected = std::iter::once(0.0).chain(thresholds.iter().map(|t| t + 0.01)).map(|t| abstention.at(t));
            let curve = abstention.curve();
            prop_assert_eq!(curve.len(), thresholds.len() + 1);
            for (found, expected) in curve.iter().zip(expected) {
                prop_assert!((found.abstained - expected.abstained).abs() < 1e-9 && (found.lost - expected.lost).abs() < 1e-9);
            }
        }
    }
}
