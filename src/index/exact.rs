//! The exact scan: int8 dot products over rows that lie one after another.
//!
//! pulp picks the widest instruction set the processor has at run time and the loop below is vectorised for it, so one binary is fast
//! everywhere without `target-cpu`. `make bench` prints what it takes: `dense` at 10,000 is 30,000 rows.

use super::allow::Allowed;
use super::vector::Codes;

/// A document's cosines with a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewScores {
    /// The best of all views.
    pub best: f32,
    /// The mean of the base views.
    pub mean: f32,
}

/// All rows of all documents.
#[derive(Debug)]
pub struct Rows {
    dimension: usize,
    codes: Vec<i8>,
    scales: Vec<f32>,
    /// How many base views a row stands for: equal views share one, extra views count 0.
    weights: Vec<u8>,
    /// Where each document's rows end.
    ends: Vec<u32>,
}

impl Rows {
    /// No documents yet.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        Self { dimension, codes: Vec::new(), scales: Vec::new(), weights: Vec::new(), ends: Vec::new() }
    }

    /// Adds the next document.
    pub fn push(&mut self, views: &[&Codes], extra_views: &[&Codes]) {
        let start = self.scales.len();
        for (view, weight) in views.iter().map(|v| (v, 1)).chain(extra_views.iter().map(|v| (v, 0))) {
            if view.codes().len() != self.dimension {
                continue;
            }
            let same = (start..self.scales.len()).find(|row| self.row(*row) == view.codes() && self.scales[*row] == view.scale());
            if let Some(row) = same {
                self.weights[row] = self.weights[row].saturating_add(weight);
            } else {
                self.codes.extend_from_slice(view.codes());
                self.scales.push(view.scale());
                self.weights.push(weight);
            }
        }
        self.ends.push(u32::try_from(self.scales.len()).unwrap_or(u32::MAX));
    }

    /// How many documents there are.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.ends.len()
    }

    fn row(&self, row: usize) -> &[i8] {
        &self.codes[row * self.dimension..(row + 1) * self.dimension]
    }

    /// Scores every allowed document that has base views, by slot.
    #[must_use]
    pub fn scan(&self, query: &Codes, allowed: &Allowed) -> Vec<Option<ViewScores>> {
        let mut scores = vec![None; self.ends.len()];
        if query.codes().len() != self.dimension {
            return scores;
        }
        // Widened once: the query's side of every multiply-add is then a plain load.
        let query_codes: Vec<i16> = query.codes().iter().map(|code| i16::from(*code)).collect();
        pulp::Arch::new().dispatch(Scan { rows: self, query: &query_codes, scale: query.scale(), allowed, scores: &mut scores });
        scores
    }

    #[inline(always)]
    fn score(&self, query: &[i16], scale: f32, rows: std::ops::Range<usize>) -> Option<ViewScores> {
        let (mut best, mut sum, mut count) = (f32::NEG_INFINITY, 0.0_f32, 0.0_f32);
        for row in rows {
            let cosine = dot(query, self.row(row)) as f32 * (scale * self.scales[row]);
            let weight = f32::from(self.weights[row]);
            best = best.max(cosine);
            sum += weight * cosine;
            count += weight;
        }
        (0.0 < count).then(|| ViewScores { best, mean: sum / count })
    }
}

/// One scan, as pulp wants it. Not a closure: the compiler left the closure's body outside the AVX2 function, which made it three times
/// slower and no test red.
struct Scan<'a> {
    rows: &'a Rows,
    query: &'a [i16],
    scale: f32,
    allowed: &'a Allowed,
    scores: &'a mut [Option<ViewScores>],
}

impl pulp::NullaryFnOnce for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let mut start = 0;
        for ((slot, score), end) in (0_u32..).zip(self.scores).zip(&self.rows.ends) {
            let rows = start..*end as usize;
            start = rows.end;
            if self.allowed.contains(slot) {
                *score = self.rows.score(self.query, self.scale, rows);
            }
        }
    }
}

/// Both sides as 16 bits, products summed in 32: the form that compilers turn into one multiply-add instruction.
#[inline(always)]
fn dot(query: &[i16], row: &[i8]) -> i32 {
    query.iter().zip(row).map(|(x, y)| i32::from(*x) * i32::from(i16::from(*y))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::vector::UnitVector;

    fn codes() -> impl Strategy<Value = Codes> {
        prop::collection::vec(-1.0_f32..1.0, 37)
            .prop_filter_map("no direction", |v| UnitVector::new(v).map(|v| Codes::quantise(&v)))
    }

    /// The slow twin: one float product after another.
    fn plain(a: &Codes, b: &Codes) -> f32 {
        let products: i64 = a.codes().iter().zip(b.codes()).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum();
        products as f32 * (a.scale() * b.scale())
    }

    proptest! {
        #[test]
        fn the_scan_equals_its_slow_twin(
            documents in prop::collection::vec((prop::collection::vec(codes(), 0..4), prop::collection::vec(codes(), 0..3)), 0..12),
            query in codes(),
            allowed_bits in prop::collection::vec(any::<bool>(), 12),
        ) {
            let mut rows = Rows::new(37);
            let mut allowed = Allowed::none(documents.len());
            for ((views, extra), slot) in documents.iter().zip(0_u32..) {
                rows.push(&views.iter().collect::<Vec<_>>(), &extra.iter().collect::<Vec<_>>());
                if allowed_bits[slot as usize] {
                    allowed.insert(slot);
                }
            }
            let scores = rows.scan(&query, &allowed);
            for (((views, extra), score), slot) in documents.iter().zip(scores).zip(0_u32..) {
                if views.is_empty() || !allowed.contains(slot) {
                    prop_assert_eq!(score, None);
                    continue;
                }
                let cosines: Vec<f32> = views.iter().map(|v| plain(&query, v)).collect();
                let best = extra.iter().map(|v| plain(&query, v)).chain(cosines.iter().copied()).fold(f32::NEG_INFINITY, f32::max);
                let score = score.unwrap();
                prop_assert_eq!(score.best, best);
                prop_assert!((score.mean - cosines.iter().sum::<f32>() / cosines.len() as f32).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn equal_views_share_a_row_and_still_count() {
        let codes = |v: Vec<f32>| Codes::quantise(&UnitVector::new(v).unwrap());
        let (a, b) = (codes(vec![1.0, 0.0]), codes(vec![0.0, 1.0]));
        let mut rows = Rows::new(2);
        rows.push(&[&a, &b, &b], &[&a]);
        assert_eq!(rows.scales.len(), 2);
        let score = rows.scan(&b, &Allowed::all(1))[0].unwrap();
        assert!((score.mean - 2.0 / 3.0).abs() < 1e-6 && (score.best - 1.0).abs() < 1e-6);
    }

    #[test]
    fn vectors_of_another_length_are_not_compared() {
        let short = Codes::quantise(&UnitVector::new(vec![1.0]).unwrap());
        let mut rows = Rows::new(2);
        rows.push(&[&short], &[]);
        assert_eq!(rows.scan(&short, &Allowed::all(1)), [None]);
    }
}
