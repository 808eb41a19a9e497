//! Weighted fusion and the total order: named in the query first, then by score, ties by order of registration.

use serde::{Deserialize, Serialize};

use super::rivals::Standing;
use crate::index::{Found, Hit, ViewScores};

/// How much each score counts. The built-in ones go with any model: half the best view, half the mean of views, a fifth of the word score
/// relative to the best, a fifth of what the query says of the name, less what a document has in common with a large catalogue. An equal
/// vote for words loses 16 to 22 points of recall@5 on paraphrased queries. A model's own are in its weights file.
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
    /// Of what a document has in common with its whole catalogue, taken off, in a catalogue without end: among few documents the mean says
    /// what they are all about, and only among many is it what says nothing.
    #[serde(default)]
    pub centring: f32,
    /// Documents in a catalogue where half of that counts.
    #[serde(default)]
    pub centring_half: f32,
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            best: 0.5,
            mean: 0.5,
            full: 0.0,
            lexical: 0.2,
            named: 0.2,
            named_by_words: 0.3,
            centring: 1.0,
            centring_half: 3_000.0,
        }
    }
}

impl Fusion {
    /// For a request of which the model cannot read a share `unread`, in `[0, 1]`: meaning gives way to words in proportion, and whole texts
    /// to views, as what is left to read is a name or two. All of it is the ranking by words alone.
    #[must_use]
    pub fn with_unread(self, unread: f32) -> Self {
        let towards = |from: f32, to: f32| from + (to - from) * unread;
        let to_views = self.full * unread;
        Self {
            best: towards(self.best + to_views / 2.0, 0.0),
            mean: towards(self.mean + to_views / 2.0, 0.0),
            full: towards(self.full - to_views, 0.0),
            lexical: towards(self.lexical, 1.0),
            named: towards(self.named, self.named_by_words),
            named_by_words: self.named_by_words,
            centring: towards(self.centring, 0.0),
            centring_half: self.centring_half,
        }
    }

    /// For a catalogue of so many documents: centring as it counts there.
    #[must_use]
    pub fn among(self, documents: usize) -> Self {
        let documents = documents as f32;
        // A half of 0 is all of it everywhere.
        let share = documents / (documents + self.centring_half).max(1.0);
        Self { centring: self.centring * share, centring_half: 0.0, ..self }
    }

    /// The score by meaning alone; none without cosines.
    #[must_use]
    pub fn meaning(&self, hit: &Hit) -> Option<f32> {
        let cosines = |views: ViewScores| self.best * views.best + self.mean * views.mean + self.full * views.full;
        hit.views.map(|views| cosines(views) - self.centring * hit.common)
    }

    /// The whole score, where `lexical` is the hit's BM25 relative to the best.
    #[must_use]
    pub fn score(&self, hit: &Hit, lexical: f32) -> f32 {
        self.meaning(hit).unwrap_or(0.0) + self.lexical * lexical + self.named * hit.named + hit.favour
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
    /// What was taken off the score for what it has in common with all documents.
    pub common: f32,
    /// What was added to the score because it, or a tool of its source, was called before.
    pub favour: f32,
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
            common: 0.0,
            favour: 0.0,
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
        if ranking.semantic || 0.0 < lexical || 0.0 < hit.favour || mentioned {
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
        let common = hit.views.map_or(0.0, |_| ranking.fusion.centring * hit.common);
        let favour = hit.favour;
        Some(Scored { mentioned: key.mentioned, dense, lexical, named, common, favour, ..Scored::bare(slot, key.score) })
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
        let hits = bm25.into_iter().zip(0..).map(|(bm25, slot)| Hit { bm25, ..Hit::unseen(slot) });
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
    fn what_is_common_is_taken_off_in_large_catalogues() {
        let views = |cosine| Some(ViewScores { best: cosine, mean: cosine, full: cosine });
        let hub = Hit { views: views(0.50), common: 0.04, ..Hit::unseen(0) };
        let fitting = Hit { views: views(0.48), common: -0.01, ..Hit::unseen(1) };
        let found = Found { hits: vec![hub, fitting], most_bm25: 0.0, engine: Engine::Exact };
        let order = |tools: usize| {
            let fusion = Fusion::default().among(tools);
            let ranked = rank(&found, &Ranking { mentioned: &[], semantic: true, fusion, depth: 10 }, u64::from);
            ranked.iter().map(|scored| scored.slot).collect::<Vec<_>>()
        };
        assert_eq!((order(30), order(30_000)), (vec![0, 1], vec![1, 0]));
        let half = Fusion::default();
        assert!((half.among(half.centring_half as usize).centring - half.centring / 2.0).abs() < 1e-6);
        assert_eq!(Fusion { centring_half: 0.0, ..half }.among(7).centring, half.centring);
    }

    #[test]
    fn what_is_not_read_gives_way_to_words_and_whole_texts_to_views() {
        let whole = Fusion { best: 0.0, mean: 0.0, full: 1.0, ..Fusion::default() };
        let half = whole.with_unread(0.5);
        assert_eq!((half.best, half.mean, half.full), (0.125, 0.125, 0.25));
        assert_eq!(whole.with_unread(0.0), whole);
        let none = whole.with_unread(1.0);
        assert_eq!((none.best, none.mean, none.full, none.lexical), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn without_vectors_words_decide_and_strangers_stay_out() {
        let fusion = Fusion::default().with_unread(1.0);
        let ranking = Ranking { mentioned: &[3], semantic: false, fusion, depth: 10 };
        let ranked = rank(&found(vec![0.0, 2.0, 4.0, 0.0]), &ranking, u64::from);
        assert_eq!(ranked.iter().map(|s| (s.slot, s.score)).collect::<Vec<_>>(), [(3, 0.0), (2, 1.0), (1, 0.5)]);
    }
}
