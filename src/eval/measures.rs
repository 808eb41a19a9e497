//! The field's measures, as the data's README defines them: `relevant` means all are needed, gain is binary, ties keep the given order.

/// How deep lists are looked at.
pub const DEPTH: usize = 10;

/// One query's scores, each in `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Share of the relevant tools that is in the first 1, 5, 10.
    pub recall: [f64; 3],
    /// Whether any relevant tool is in the first 5.
    pub hit_5: f64,
    /// nDCG at 10.
    pub ndcg_10: f64,
    /// Whether all relevant tools are in the first 5, 10.
    pub comp: [f64; 2],
    /// One over the place of the first relevant tool in the first 10; 0 without one.
    pub mrr: f64,
}

impl Scores {
    /// Scores `list`, best first, against `relevant`, which is not empty.
    #[must_use]
    pub fn of(list: &[usize], relevant: &[usize]) -> Self {
        let places: Vec<usize> =
            list.iter().zip(1..).filter(|(slot, _)| relevant.contains(slot)).map(|(_, place)| place).collect();
        Self::at(&places, relevant.len())
    }

    /// Scores a list by the places, from 1 and ascending, at which it has relevant tools, out of `relevant`, which is not 0.
    #[must_use]
    pub fn at(places: &[usize], relevant: usize) -> Self {
        let found = |k: usize| places.iter().filter(|place| **place <= k).count();
        let gain = |place: usize| 1.0 / (place as f64 + 1.0).log2();
        let ideal: f64 = (1..=relevant.min(DEPTH)).map(gain).sum();
        let gained: f64 = places.iter().filter(|place| **place <= DEPTH).map(|place| gain(*place)).sum();
        let is = |condition: bool| if condition { 1.0 } else { 0.0 };
        Self {
            recall: [1, 5, 10].map(|k| found(k) as f64 / relevant.max(1) as f64),
            hit_5: is(0 < found(5)),
            ndcg_10: if 0.0 < ideal { gained / ideal } else { 0.0 },
            comp: [5, 10].map(|k| is(0 < relevant && found(k) == relevant)),
            mrr: places.first().filter(|place| **place <= DEPTH).map_or(0.0, |place| 1.0 / *place as f64),
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            recall: std::array::from_fn(|i| self.recall[i] + other.recall[i]),
            hit_5: self.hit_5 + other.hit_5,
            ndcg_10: self.ndcg_10 + other.ndcg_10,
            comp: std::array::from_fn(|i| self.comp[i] + other.comp[i]),
            mrr: self.mrr + other.mrr,
        }
    }

    fn scale(self, by: f64) -> Self {
        Self {
            recall: self.recall.map(|x| x * by),
            hit_5: self.hit_5 * by,
            ndcg_10: self.ndcg_10 * by,
            comp: self.comp.map(|x| x * by),
            mrr: self.mrr * by,
        }
    }
}

/// Means of scores: over the queries of a set, or over sets for a macro mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Means(pub Scores);

impl Means {
    /// The mean of `scores`; zeros without any.
    pub fn of(scores: impl IntoIterator<Item = Scores>) -> Self {
        let (sum, count) = scores.into_iter().fold((Scores::default(), 0_u32), |(sum, n), one| (sum.add(one), n + 1));
        Self(sum.scale(1.0 / f64::from(count.max(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_definition() {
        let scores = Scores::of(&[9, 1, 8, 2, 7, 6, 3], &[1, 2, 3]);
        assert_eq!(scores.recall, [0.0, 2.0 / 3.0, 1.0]);
        assert_eq!((scores.hit_5, scores.comp, scores.mrr), (1.0, [0.0, 1.0], 0.5));
        let gained = 1.0 / 3_f64.log2() + 1.0 / 5_f64.log2() + 1.0 / 8_f64.log2();
        let ideal = 1.0 + 1.0 / 3_f64.log2() + 1.0 / 4_f64.log2();
        assert!((scores.ndcg_10 - gained / ideal).abs() < 1e-12);
        assert_eq!(Scores::of(&[], &[1]), Scores::default());
        assert_eq!(Scores::of(&[1], &[1]).ndcg_10, 1.0);
    }

    #[test]
    fn what_is_past_the_tenth_place_does_not_count() {
        let list: Vec<usize> = (100..110).chain([1]).collect();
        assert_eq!(Scores::of(&list, &[1]), Scores::default());
    }

    #[test]
    fn a_mean_gives_each_equal_weight() {
        let means = Means::of([Scores::of(&[1], &[1]), Scores::default()]);
        assert_eq!((means.0.recall[0], means.0.mrr), (0.5, 0.5));
        assert_eq!(Means::of([]).0, Scores::default());
    }
}
