//! What the documents of an index have in common: the mean of their vectors.
//!
//! The nearer a document lies to that mean, the nearer it is to every query, whatever the query says: such hubs crowd the first places of
//! large, mixed catalogues. Taking what is common off again is centring (Suzuki et al., "Centering similarity measures to reduce hubs",
//! 2013). How much of it is taken off is up to the ranking; here it is only known.
//!
//! Sums are whole numbers: a document that went is taken away exactly, so the mean does not depend on what was there before.

use super::Hit;
use super::exact::Rows;
use super::vector::{Codes, UnitVector};

/// Steps per unit in a sum: fine beside the steps of an int8 row, and 2^39 rows fit.
const STEPS: f32 = 16_777_216.0;

/// The sum of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    numbers: Vec<i64>,
    rows: i64,
}

impl Sum {
    /// Adds a row `times`; takes it away where that is negative.
    pub(super) fn add(&mut self, codes: &[i8], scale: f32, times: i64) {
        self.numbers.resize(codes.len().max(self.numbers.len()), 0);
        let step = |code: &i8| (f32::from(*code) * scale * STEPS).round() as i64;
        self.numbers.iter_mut().zip(codes).for_each(|(sum, code)| *sum += times * step(code));
        self.rows += times;
    }

    /// Adds what another sum holds.
    pub(super) fn add_all(&mut self, other: &Self) {
        self.numbers.resize(other.numbers.len().max(self.numbers.len()), 0);
        self.numbers.iter_mut().zip(&other.numbers).for_each(|(sum, other)| *sum += other);
        self.rows += other.rows;
    }

    /// The mean row; empty without rows.
    fn mean(&self) -> Vec<f32> {
        if self.rows <= 0 {
            return Vec::new();
        }
        self.numbers.iter().map(|sum| (*sum as f64 / self.rows as f64 / f64::from(STEPS)) as f32).collect()
    }
}

/// The mean, and how near each document lies to it.
#[derive(Debug)]
pub(super) struct Common {
    mean: Vec<f32>,
    shares: Vec<f32>,
}

impl Common {
    /// Of all rows but those of documents that are gone, `sum` being the sum of the others. Linear in the rows: one scan.
    pub(super) fn of(sum: &Sum, segments: [&Rows; 2]) -> Self {
        let mean = sum.mean();
        let documents = segments.iter().map(|rows| rows.documents()).sum::<usize>();
        let mut shares = Vec::with_capacity(documents);
        if let Some(direction) = UnitVector::new(mean.clone()) {
            let (codes, length) = (Codes::quantise(&direction), mean.iter().map(|x| x * x).sum::<f32>().sqrt());
            for rows in segments {
                let mut hits: Vec<Hit> = (0..).take(rows.documents()).map(Hit::unseen).collect();
                rows.score(&codes, 0, &mut hits);
                // So that they are 0 in the mean, and taking them off lifts as many documents as it lowers.
                shares.extend(hits.iter().map(|hit| hit.views.map_or(0.0, |views| length * (views.mean - length))));
            }
        }
        Self { mean, shares }
    }

    /// The product of the mean with the mean of the document's base views, less its average over all.
    pub(super) fn share(&self, slot: u32) -> f32 {
        self.shares.get(slot as usize).copied().unwrap_or(0.0)
    }

    /// `query` without `weight` of what is common: near to what has more in common with the query than with everything.
    pub(super) fn taken_off(&self, query: &UnitVector, weight: f32) -> Option<UnitVector> {
        let same = 0.0 < weight && self.mean.len() == query.dimension();
        same.then(|| UnitVector::new(query.as_slice().iter().zip(&self.mean).map(|(x, mean)| x - weight * mean).collect()))?
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes() -> impl Strategy<Value = Codes> {
        let numbers = prop::collection::vec(-1.0_f32..1.0, 12);
        numbers.prop_filter_map("no direction", |numbers| UnitVector::new(numbers).map(|vector| Codes::quantise(&vector)))
    }

    fn rows(documents: &[Vec<Codes>]) -> Rows {
        let mut rows = Rows::new(12);
        documents.iter().for_each(|views| rows.push(&views.iter().collect::<Vec<_>>(), &[]));
        rows
    }

    fn floats(codes: &Codes) -> Vec<f64> {
        codes.codes().iter().map(|code| f64::from(*code) * f64::from(codes.scale())).collect()
    }

    proptest! {
        /// The slow twin: means in floats, product by product.
        #[test]
        fn shares_are_products_with_the_mean_less_their_average(
            documents in prop::collection::vec(prop::collection::vec(codes(), 0..4), 1..8),
            cut in 0_usize..8,
        ) {
            let (before, after) = documents.split_at(cut.min(documents.len()));
            let (sealed, delta) = (rows(before), rows(after));
            let mut sum = sealed.sum().clone();
            sum.add_all(delta.sum());
            let common = Common::of(&sum, [&sealed, &delta]);
            let all: Vec<Vec<f64>> = documents.iter().flatten().map(floats).collect();
            let mean: Vec<f64> = (0..12).map(|i| all.iter().map(|row| row[i]).sum::<f64>() / all.len().max(1) as f64).collect();
            let with_mean = |row: &Vec<f64>| row.iter().zip(&mean).map(|(a, b)| a * b).sum::<f64>();
            let length = mean.iter().map(|x| x * x).sum::<f64>();
            for (views, slot) in documents.iter().zip(0..) {
                let products: Vec<f64> = views.iter().map(floats).map(|row| with_mean(&row)).collect();
                let expected = products.iter().sum::<f64>() / products.len().max(1) as f64 - length;
                let expected = if views.is_empty() { 0.0 } else { expected };
                prop_assert!((f64::from(common.share(slot)) - expected).abs() < 0.01, "{} {expected}", common.share(slot));
            }
        }

        #[test]
        fn a_document_that_went_leaves_no_trace(documents in prop::collection::vec(prop::collection::vec(codes(), 0..4), 1..8)) {
            let all = rows(&documents);
            let mut sum = all.sum().clone();
            all.take_from(&mut sum, 0);
            let mut rest = Sum::default();
            rest.add_all(rows(&documents[1..]).sum());
            prop_assert_eq!(sum.mean(), rest.mean());
        }
    }

    #[test]
    fn a_vector_of_which_nothing_is_left_stays_as_it_is() {
        let vector = UnitVector::new(vec![1.0; 12]).unwrap();
        let one = rows(&[vec![Codes::quantise(&vector)]]);
        let common = Common::of(one.sum(), [&one, &Rows::new(12)]);
        assert_eq!(common.taken_off(&vector, 0.0), None);
        assert_eq!(common.taken_off(&UnitVector::new(vec![1.0]).unwrap(), 1.0), None, "of another length");
        let half = common.taken_off(&vector, 0.5).unwrap();
        assert!((half.cosine(&vector) - 1.0).abs() < 1e-3);
        assert_eq!(Common::of(&Sum::default(), [&Rows::new(12), &Rows::new(12)]).taken_off(&vector, 1.0), None);
    }
}
