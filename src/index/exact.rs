//! The exact scan: int8 dot products over rows that lie one after another.
//!
//! pulp picks the widest instruction set the processor has at run time and the loops below are vectorised for it, so one binary is fast
//! everywhere without `target-cpu`. `make bench` prints what it takes.

use super::Hit;
use super::common::Sum;
use super::vector::{Codes, UnitVector};

/// A document's cosines with a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewScores {
    /// The best of all views.
    pub best: f32,
    /// The mean of the base views.
    pub mean: f32,
    /// The last base view, which is the whole text; the one before it where both are the same.
    pub full: f32,
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
    /// Of the base views.
    sum: Sum,
}

impl Rows {
    /// No documents yet.
    #[must_use]
    pub fn new(dimension: usize) -> Self {
        Self { dimension, codes: Vec::new(), scales: Vec::new(), weights: Vec::new(), ends: Vec::new(), sum: Sum::default() }
    }

    /// Adds the next document.
    pub fn push(&mut self, views: &[&Codes], extra_views: &[&Codes]) {
        let start = self.scales.len();
        for (view, weight) in views.iter().map(|v| (v, 1)).chain(extra_views.iter().map(|v| (v, 0))) {
            if view.codes().len() != self.dimension {
                continue;
            }
            self.sum.add(view.codes(), view.scale(), i64::from(weight));
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

    /// No more documents come: gives back what growing left over.
    pub fn seal(&mut self) {
        self.codes.shrink_to_fit();
        self.scales.shrink_to_fit();
        self.weights.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// How many documents there are.
    #[must_use]
    pub fn documents(&self) -> usize {
        self.ends.len()
    }

    /// The sum of all base views.
    pub(super) fn sum(&self) -> &Sum {
        &self.sum
    }

    /// Takes the base views of the document at `place` out of `sum`.
    pub(super) fn take_from(&self, sum: &mut Sum, place: u32) {
        for row in self.rows_of(place) {
            sum.add(self.row(row), self.scales[row], -i64::from(self.weights[row]));
        }
    }

    fn row(&self, row: usize) -> &[i8] {
        &self.codes[row * self.dimension..(row + 1) * self.dimension]
    }

    /// Fills in the views of `hits`, whose slots are places here plus `base`; a document without base views has none.
    pub fn score(&self, query: &Codes, base: u32, hits: &mut [Hit]) {
        if query.codes().len() == self.dimension {
            let query = Widened::of(query);
            pulp::Arch::new().dispatch(Scan { rows: self, query: &query, base, hits });
        }
    }

    /// One direction for all of a document's views, for an engine that keeps a single row per document: their mean, each view once.
    #[must_use]
    pub fn centre(&self, place: u32) -> Option<UnitVector> {
        let mut sum = vec![0.0_f32; self.dimension];
        for row in self.rows_of(place) {
            let scale = self.scales[row];
            sum.iter_mut().zip(self.row(row)).for_each(|(sum, code)| *sum += scale * f32::from(*code));
        }
        UnitVector::new(sum)
    }

    #[inline(always)]
    fn rows_of(&self, place: u32) -> std::ops::Range<usize> {
        let end = |place: Option<usize>| place.and_then(|place| self.ends.get(place)).map(|end| *end as usize);
        let place = place as usize;
        let start = end(place.checked_sub(1)).unwrap_or(0);
        start..end(Some(place)).unwrap_or(start)
    }

    #[inline(always)]
    fn score_rows(&self, query: &Widened, rows: std::ops::Range<usize>) -> Option<ViewScores> {
        let (mut best, mut sum, mut count, mut full) = (f32::NEG_INFINITY, 0.0_f32, 0.0_f32, 0.0_f32);
        for row in rows {
            let cosine = dot(&query.codes, self.row(row)) as f32 * (query.scale * self.scales[row]);
            let weight = f32::from(self.weights[row]);
            best = best.max(cosine);
            sum += weight * cosine;
            count += weight;
            // Extra views come last and weigh nothing.
            full = if 0.0 < weight { cosine } else { full };
        }
        (0.0 < count).then(|| ViewScores { best, mean: sum / count, full })
    }
}

/// A query whose codes were widened once: its side of every multiply-add is then a plain load.
struct Widened {
    codes: Vec<i16>,
    scale: f32,
}

impl Widened {
    fn of(query: &Codes) -> Self {
        Self { codes: query.codes().iter().map(|code| i16::from(*code)).collect(), scale: query.scale() }
    }
}

/// One scan, as pulp wants it. Not a closure: the compiler left the closure's body outside the AVX2 function, which made it three times
/// slower and no test red.
struct Scan<'a> {
    rows: &'a Rows,
    query: &'a Widened,
    base: u32,
    hits: &'a mut [Hit],
}

impl pulp::NullaryFnOnce for Scan<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for hit in self.hits {
            hit.views = self.rows.score_rows(self.query, self.rows.rows_of(hit.slot - self.base));
        }
    }
}

/// The product of two vectors' codes, for an engine that compares one pair at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pairs(pulp::Arch);

impl Pairs {
    /// The sum of products over the shorter length.
    pub(super) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        self.0.dispatch(Pair { a, b })
    }
}

struct Pair<'a> {
    a: &'a [i8],
    b: &'a [i8],
}

impl pulp::NullaryFnOnce for Pair<'_> {
    type Output = i32;

    #[inline(always)]
    fn call(self) -> i32 {
        self.a.iter().zip(self.b).map(|(x, y)| i32::from(i16::from(*x)) * i32::from(i16::from(*y))).sum()
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
            wanted in prop::collection::vec(any::<bool>(), 12),
        ) {
            let mut rows = Rows::new(37);
            for (views, extra) in &documents {
                rows.push(&views.iter().collect::<Vec<_>>(), &extra.iter().collect::<Vec<_>>());
            }
            let slots = (5_u32..).zip(&wanted).filter(|(slot, wanted)| **wanted && (*slot as usize) < documents.len() + 5);
            let mut hits: Vec<Hit> = slots.map(|(slot, _)| Hit::unseen(slot)).collect();
            rows.score(&query, 5, &mut hits);
            for hit in hits {
                let (views, extra) = &documents[hit.slot as usize - 5];
                if views.is_empty() {
                    prop_assert_eq!(hit.views, None);
                    continue;
                }
                let cosines: Vec<f32> = views.iter().map(|v| plain(&query, v)).collect();
                let best = extra.iter().map(|v| plain(&query, v)).chain(cosines.iter().copied()).fold(f32::NEG_INFINITY, f32::max);
                let score = hit.views.unwrap();
                prop_assert_eq!(score.best, best);
                let last = cosines[cosines.len() - 1];
                let has_its_own_row = !views[..views.len() - 1].contains(&views[views.len() - 1]);
                prop_assert!(!has_its_own_row || score.full == last);
                prop_assert!((score.mean - cosines.iter().sum::<f32>() / cosines.len() as f32).abs() < 1e-5);
            }
        }
    }

    fn scan(rows: &Rows, query: &Codes) -> Vec<Option<ViewScores>> {
        let mut hits: Vec<Hit> = (0_u32..).take(rows.documents()).map(Hit::unseen).collect();
        rows.score(query, 0, &mut hits);
        hits.into_iter().map(|hit| hit.views).collect()
    }

    #[test]
    fn equal_views_share_a_row_and_still_count() {
        let codes = |v: Vec<f32>| Codes::quantise(&UnitVector::new(v).unwrap());
        let (a, b) = (codes(vec![1.0, 0.0]), codes(vec![0.0, 1.0]));
        let mut rows = Rows::new(2);
        rows.push(&[&a, &b, &b], &[&a]);
        assert_eq!(rows.scales.len(), 2);
        let score = scan(&rows, &b)[0].unwrap();
        assert!((score.mean - 2.0 / 3.0).abs() < 1e-6 && (score.best - 1.0).abs() < 1e-6);
    }

    #[test]
    fn vectors_of_another_length_are_not_compared() {
        let short = Codes::quantise(&UnitVector::new(vec![1.0]).unwrap());
        let mut rows = Rows::new(2);
        rows.push(&[&short], &[]);
        assert_eq!(scan(&rows, &short), [None]);
    }

    #[test]
    fn the_centre_lies_between_the_views() {
        let codes = |v: Vec<f32>| Codes::quantise(&UnitVector::new(v).unwrap());
        let mut rows = Rows::new(2);
        rows.push(&[], &[]);
        rows.push(&[&codes(vec![1.0, 0.0]), &codes(vec![0.0, 1.0])], &[]);
        let centre = rows.centre(1).unwrap();
        assert!((centre.as_slice()[0] - centre.as_slice()[1]).abs() < 1e-6);
        assert_eq!((rows.centre(0), rows.centre(9)), (None, None));
    }

    #[test]
    fn pairs_multiply_like_rows() {
        let (a, b): (Vec<i8>, Vec<i8>) = ((-127..=127).collect(), (-127..=127).rev().collect());
        let plain: i32 = a.iter().zip(&b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
        assert_eq!(Pairs::default().dot(&a, &b), plain);
    }
}
