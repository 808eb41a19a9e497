//! A second opinion on the head of a ranking, from a model that reads the request and a tool's text together.
//!
//! A cross-encoder is the better judge and far too slow for a catalogue: it runs once per pair. So it sees the first places only, and its
//! judgement is blended with the ranking's own instead of replacing it: a model that the user brings knows nothing of names and of what
//! publishers call things, which is what the ranking knows best.

pub mod pool;

pub use self::pool::{NotReranked, RerankPool, RerankPoolOptions};
use super::Scored;

/// Says how well passages answer a query. Owned by one thread at a time, hence `&mut self`.
pub trait Reranker: Send {
    /// One score per passage, in their order: a logit, higher is better, any finite number. A pair's score does not depend on its
    /// neighbours.
    ///
    /// # Errors
    /// The model's run failed. Nothing in a text should make it, and the caller keeps the order it has.
    fn score(&mut self, query: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError>;
}

/// A model ready to run.
pub struct LoadedReranker {
    /// Name and content hash.
    pub id: String,
    /// One per worker.
    pub rerankers: Vec<Box<dyn Reranker>>,
}

impl std::fmt::Debug for LoadedReranker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedReranker").field("id", &self.id).field("rerankers", &self.rerankers.len()).finish()
    }
}

/// Passages could not be scored.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RerankError {
    /// The runtime's run failed.
    #[error("the reranker failed: {detail}")]
    Run {
        /// The runtime's words.
        detail: String,
    },
    /// The model gave something that orders nothing: NaN, infinity.
    #[error("the reranker gave no usable score")]
    NotAScore,
    /// The model gave more or fewer scores than passages.
    #[error("the reranker gave {found} scores for {expected} passages")]
    Count {
        /// How many passages.
        expected: usize,
        /// How many scores.
        found: usize,
    },
    /// The worker panicked; it goes on with the next request.
    #[error("the rerank worker panicked")]
    Panicked,
    /// The pool is shut down.
    #[error("the reranker is shut down")]
    Stopped,
}

/// How much of a ranking is reordered, and how much the reranker's word counts in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// How many of the first places it sees.
    pub depth: usize,
    /// Its share of the new score, in `[0, 1]`: 0 leaves the order as it was, 1 is its word alone.
    pub weight: f32,
}

impl Default for Blend {
    fn default() -> Self {
        // A list holds twenty tools unless the caller says otherwise; even shares, since neither side was measured on the user's model.
        Self { depth: 20, weight: 0.5 }
    }
}

/// Reorders the first `logits.len()` of `ranked`, which they score in order.
///
/// The named ones stay before the others, each group in a range of its own: a place by
/// `(1 - weight) * normalised score + weight * sigmoid(logit)`, ties as they were. The new scores lie between the group's lowest and
/// highest old ones, so they still fall from place to place and never below what comes after.
pub fn blend(ranked: &mut [Scored], logits: &[f32], weight: f32) {
    let depth = logits.len().min(ranked.len());
    let (head, _) = ranked.split_at_mut(depth);
    for (scored, logit) in head.iter_mut().zip(logits) {
        scored.reranked = Some(sigmoid(*logit));
    }
    let (named, others) = head.split_at_mut(head.partition_point(|scored| scored.mentioned));
    reorder(named, weight);
    reorder(others, weight);
}

fn reorder(group: &mut [Scored], weight: f32) {
    let low = group.iter().map(|scored| scored.score).fold(f32::INFINITY, f32::min);
    let high = group.iter().map(|scored| scored.score).fold(f32::NEG_INFINITY, f32::max);
    let spread = high - low;
    let blended = |scored: &Scored| {
        // Equals stay equal: then the reranker's word is all there is.
        let normalised = if 0.0 < spread { (scored.score - low) / spread } else { 0.0 };
        (1.0 - weight) * normalised + weight * scored.reranked.unwrap_or_default()
    };
    let mut keyed: Vec<(f32, Scored)> = group.iter().map(|scored| (blended(scored), *scored)).collect();
    // Stable: ties stay as they were, which was an order without chance.
    keyed.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (place, (key, scored)) in group.iter_mut().zip(keyed) {
        *place = Scored { score: (low + key * spread).clamp(low, high), ..scored };
    }
}

/// From any logit to `[0, 1]`.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scored(slot: u32, score: f32, mentioned: bool) -> Scored {
        Scored { mentioned, ..Scored::bare(slot, score) }
    }

    /// As `rank` leaves it: named first, then by score.
    fn ranking(scores: &[f32], named: usize) -> Vec<Scored> {
        let mut scores = scores.to_vec();
        let named = named.min(scores.len());
        scores[..named].sort_by(|a, b| b.total_cmp(a));
        scores[named..].sort_by(|a, b| b.total_cmp(a));
        scores.iter().zip(0..).map(|(score, slot)| scored(slot, *score, (slot as usize) < named)).collect()
    }

    fn slots(ranked: &[Scored]) -> Vec<u32> {
        ranked.iter().map(|scored| scored.slot).collect()
    }

    #[test]
    fn the_head_is_reordered_and_the_rest_stays() {
        let mut ranked = ranking(&[0.9, 0.8, 0.7, 0.6], 0);
        blend(&mut ranked, &[-9.0, 0.0, 9.0], 0.6);
        assert_eq!(
            slots(&ranked),
            [2, 1, 0, 3],
            "0.4 · 0 + 0.6 · 1, then 0.4 · 0.5 + 0.6 · 0.5, then 0.4 · 1 + 0.6 · 0; then beyond"
        );
        assert_eq!(ranked[3], scored(3, 0.6, false));
        assert!(ranked[1].reranked == Some(0.5) && (ranked[1].score - 0.8).abs() < 1e-6, "{ranked:?}");
    }

    #[test]
    fn named_tools_stay_first_however_little_the_reranker_thinks_of_them() {
        let mut ranked = ranking(&[0.2, 0.1, 0.9, 0.8], 2);
        blend(&mut ranked, &[-9.0, -5.0, 3.0, 9.0], 1.0);
        assert_eq!(slots(&ranked), [1, 0, 3, 2]);
    }

    #[test]
    fn of_equals_its_word_decides_and_no_word_changes_nothing() {
        let mut ranked = ranking(&[0.5, 0.5, 0.5], 0);
        blend(&mut ranked, &[1.0, 2.0, 2.0], 0.1);
        assert_eq!(slots(&ranked), [1, 2, 0]);
        let mut ranked = ranking(&[0.5, 0.4], 0);
        blend(&mut ranked, &[], 1.0);
        assert_eq!(ranked, ranking(&[0.5, 0.4], 0));
        blend(&mut [], &[1.0], 1.0);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_plain_twin(
            scores in prop::collection::vec(prop::sample::select(vec![0.1_f32, 0.25, 0.5, 0.51, 0.9, 1.3]), 0..40),
            named in 0_usize..4,
            logits in prop::collection::vec(prop::sample::select(vec![-90.0_f32, -2.0, -0.5, 0.0, 0.5, 3.0, 90.0]), 0..40),
            weight in prop::sample::select(vec![0.0_f32, 0.25, 0.5, 1.0]),
        ) {
            let before = ranking(&scores, named);
            let depth = logits.len().min(before.len());
            let mut after = before.clone();
            blend(&mut after, &logits, weight);

            // The twin: take the best that is left, the named group first, until none is.
            let mut expected = Vec::new();
            for is_named in [true, false] {
                let group: Vec<usize> = (0..depth).filter(|i| before[*i].mentioned == is_named).collect();
                let of_group = group.iter().map(|i| before[*i].score);
                let (low, high) = of_group.fold((f32::MAX, f32::MIN), |(low, high), score| (low.min(score), high.max(score)));
                let key = |i: usize| {
                    let normalised = if low < high { (before[i].score - low) / (high - low) } else { 0.0 };
                    (1.0 - weight) * normalised + weight * (1.0 / (1.0 + (-logits[i]).exp()))
                };
                let mut left = group;
                while let Some(first) = left.iter().copied().reduce(|best, i| if key(best) < key(i) { i } else { best }) {
                    left.retain(|i| *i != first);
                    expected.push(before[first].slot);
                }
            }
            expected.extend(before[depth..].iter().map(|scored| scored.slot));
            prop_assert_eq!(slots(&after), expected);
            prop_assert_eq!(&after[depth..], &before[depth..]);
            let groups = [after.iter().filter(|s| s.mentioned).collect::<Vec<_>>(), after.iter().filter(|s| !s.mentioned).collect()];
            for pair in groups.iter().flat_map(|group| group.windows(2)) {
                prop_assert!(pair[1].score <= pair[0].score, "{:?}", pair);
            }
            if weight == 0.0 {
                prop_assert_eq!(slots(&after), slots(&before));
            }
        }
    }
}
