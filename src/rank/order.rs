//! Weighted fusion and the total order: named in the query first, then by score, ties by order of registration.

use serde::{Deserialize, Serialize};

use super::rivals::Standing;
use crate::index::{Found, Hit, ViewScores};

/// How much each score counts. The built-in ones go with any model: half the best view, half the mean of views, a fifth of the word score
/// relative to the best, a fifth of what the query says of the name. An equal vote for words loses 16 to 22 points of recall@5 on
/// paraphrased queries. A model's own are in its weights file.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    /// Of the best view's cosine.
    pub best: f32,
    /// Of the mean of the base views' cosines.
    pub mean: f32,
    /// Of the whole text's cosine.
    pub full: f32,
    /// Of BM25 relative to the best document's.
    pub lexical: f32,
    /// Of how much of the document's name the query says.
    pub named: f32,
    /// The same where words alone decide and the best BM25 counts 1.
    pub named_by_words: f32,
}

impl Default for Fusion {
    fn default() -> Self {
        Self { best: 0.5, mean: 0.5, full: 0.0, lexical: 0.2, named: 0.2, named_by_words: 0.3 }
    }
}

impl Fusion {
    /// For a request of which the model cannot read a share `unread`, in `[0, 1]`: meaning gives way to words in proportion. All of it
    /// is the ranking by words alone.
    #[must_use]
    pub fn with_unread(self, unread: f32) -> Self {
        let towards = |from: f32, to: f32| from + (to - from) * unread;
        Self {
            best: towards(self.best, 0.0),
            mean: towards(self.mean, 0.0),
            full: towards(self.full, 0.0),
            lexical: towards(self.lexical, 1.0),
            named: towards(self.named, self.named_by_words),
            named_by_words: self.named_by_words,
        }
    }

    /// The score by meaning alone.
    #[must_use]
    pub fn meaning(&self, views: ViewScores) -> f32 {
        self.best * views.best + self.mean * views.mean + self.full * views.full
    }

    /// The whole score, where `lexical` is the hit's BM25 relative to the best.
    #[must_use]
    pub fn score(&self, hit: &Hit, lexical: f32) -> f32 {
        hit.views.map_or(0.0, |views| self.meaning(views)) + self.lexical * lexical + self.named * hit.named
    }
}

/// A document with its score and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The document.
    pub slot: u32,
    /// The fused score.
    pub score: f32,
    /// The query names it.
    pub mentioned: bool,
    /// Cosines, where it has vectors and the query has one.
    pub dense: Option<ViewScores>,
    /// BM25 relative to the best document, in `[0, 1]`.
    pub lexical: f32,
    /// How much of its name the query says, in `[0, 1]`.
    pub named: f32,
    /// What parts of the query added to the score.
    pub parts: f32,
    /// What a reranker thinks of it, in `[0, 1]`, where one was asked.
    pub reranked: Option<f32>,
    /// The document that it is used together with, where that is why it has its place.
    pub with: Option<u32>,
    /// How it stands among its look-alikes, once [`settle`](super::rivals::settle) has looked.
    pub standing: Option<Standing>,
}

impl Scored {
    /// A document of which only the score is known.
    #[must_use]
    pub fn bare(slot: u32, score: f32) -> Self {
        Self {
            slot,
            score,
            mentioned: false,
            dense: None,
            lexical: 0.0,
            named: 0.0,
            parts: 0.0,
            reranked: None,
            with: None,
            standing: None,
        }
    }
}

/// How to rank.
#[derive(Clone, Copy, Debug)]
pub struct Ranking<'a> {
    /// Slots that the query names, ascending.
    pub mentioned: &'a [u32],
    /// Whether meaning counts. Without it words alone decide, and a document that shares none and is not named is left out.
    pub semantic: bool,
    /// How much each score counts.
    pub fusion: Fusion,
    /// How many are wanted.
    pub depth: usize,
}

/// The best `depth` of what was found, in order. `position` tells the order of registration, for ties.
#[must_use]
pub fn rank(found: &Found, ranking: &Ranking<'_>, position: impl Fn(u32) -> u64) -> Vec<Scored> {
    let score = |hit: &Hit| {
        let lexical = found.lexical(hit);
        (ranking.fusion.score(hit, lexical), lexical)
    };
    // Searched, not scanned: `search` in quotes may name half of all tools.
    let is_mentioned = |slot: u32| !ranking.mentioned.is_empty() && ranking.mentioned.binary_search(&slot).is_ok();
    // Keys first, documents for those that are wanted: sorting moves a few bytes for each of a hundred thousand.
    let mut keys: Vec<Key> = Vec::with_capacity(found.hits.len());
    for (hit, place) in found.hits.iter().zip(0_u32..) {
        let (score, lexical) = score(hit);
        let mentioned = is_mentioned(hit.slot);
        if ranking.semantic || 0.0 < lexical || mentioned {
            keys.push(Key { score, place, mentioned });
        }
    }
    let slot = |key: &Key| found.hits.get(key.place as usize).map_or(u32::MAX, |hit| hit.slot);
    let order = |a: &Key, b: &Key| {
        let by_score = b.mentioned.cmp(&a.mentioned).then(b.score.total_cmp(&a.score));
        by_score.then_with(|| position(slot(a)).cmp(&position(slot(b))))
    };
    if 0 < ranking.depth && ranking.depth < keys.len() {
        keys.select_nth_unstable_by(ranking.depth, order);
    }
    keys.truncate(ranking.depth);
    keys.sort_unstable_by(order);
    let scored = |key: Key| {
        let hit = found.hits.get(key.place as usize)?;
        let lexical = score(hit).1;
        let (slot, dense, named) = (hit.slot, hit.views, hit.named);
        Some(Scored { mentioned: key.mentioned, dense, lexical, named, ..Scored::bare(slot, key.score) })
    };
    keys.into_iter().filter_map(scored).collect()
}

#[derive(Clone, Copy)]
struct Key {
    score: f32,
    /// Of the hit.
    place: u32,
    mentioned: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::Engine;

    fn found(bm25: Vec<f32>) -> Found {
        let most_bm25 = bm25.iter().copied().fold(0.0, f32::max);
        let hits = bm25.into_iter().zip(0..).map(|(bm25, slot)| Hit { slot, views: None, bm25, named: 0.0 });
        Found { hits: hits.collect(), most_bm25, engine: Engine::Exact }
    }

    proptest! {
        #[test]
        fn the_best_equal_sorting_everything(
            bm25 in prop::collection::vec(prop::sample::select(vec![0.0_f32, 0.25, 0.5, 1.0]), 0..60),
            mentioned in prop::collection::btree_set(0_u32..60, 0..4),
            semantic in any::<bool>(),
            depth in 0_usize..70,
        ) {
            // Later slots were registered first: slots are no order.
            let position = |slot: u32| u64::from(100 - slot);
            let mentioned: Vec<u32> = mentioned.into_iter().collect();
            let mut all: Vec<(bool, f32, u32)> = bm25.iter().zip(0_u32..).map(|(s, slot)| (mentioned.contains(&slot), *s, slot)).collect();
            all.retain(|(named, score, _)| semantic || *named || 0.0 < *score);
            all.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.cmp(&a.2)));
            let fusion = Fusion::default().with_unread(1.0);
            let ranking = Ranking { mentioned: &mentioned, semantic, fusion, depth };
            let ranked = rank(&found(bm25), &ranking, position);
            prop_assert_eq!(ranked.iter().map(|s| s.slot).collect::<Vec<_>>(), all.iter().take(depth).map(|s| s.2).collect::<Vec<_>>());
            prop_assert!(ranked.iter().all(|s| s.mentioned == mentioned.contains(&s.slot)));
        }
    }

    #[test]
    fn without_vectors_words_decide_and_strangers_stay_out() {
        let fusion = Fusion::default().with_unread(1.0);
        let ranking = Ranking { mentioned: &[3], semantic: false, fusion, depth: 10 };
        let ranked = rank(&found(vec![0.0, 2.0, 4.0, 0.0]), &ranking, u64::from);
        assert_eq!(ranked.iter().map(|s| (s.slot, s.score)).collect::<Vec<_>>(), [(3, 0.0), (2, 1.0), (1, 0.5)]);
    }
}
