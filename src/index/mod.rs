//! What one tenant's catalogue searches: vectors of views, words, sets of allowed documents.
//!
//! A document is a number, its slot; what it stands for is none of this module's business. Documents lie in two segments: a sealed one,
//! made in one go, and a delta of what came since, which is small enough to be made anew with every change. A sealed document that was
//! changed or removed is gone: it keeps its slot, out of which nobody is served, until the segments are merged. Scores do not depend on
//! this division.
//!
//! The exact scan is the default engine, and the engine for every scoped search at any size. A sealed segment may have a graph; it proposes
//! candidates, which are scored on all views like everything else. The delta is always scanned.

pub mod allow;
mod common;
mod engine;
pub mod exact;
pub mod hnsw;
pub mod lexical;
mod like;
mod names;
mod segment;
pub mod terms;
pub mod vector;

use std::sync::Arc;

use self::allow::Allowed;
use self::common::Common;
pub use self::engine::{Engine, EngineChoice};
pub use self::exact::ViewScores;
use self::hnsw::Graph;
use self::lexical::Statistics;
use self::names::Said;
pub use self::segment::{Document, Segment};
use self::vector::{Codes, UnitVector};

/// Documents that each arm of a graph search proposes.
pub const CANDIDATES: usize = 200;
/// With fewer of the graph's candidates allowed than this, too many near ones are not: then everything allowed is scanned.
const MIN_ALLOWED_CANDIDATES: usize = 100;

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The query's vector; without one words alone decide.
    pub vector: Option<&'a UnitVector>,
    /// Its words.
    pub terms: &'a [String],
    /// Documents that are scored whatever a graph says, where they are allowed.
    pub always: &'a [u32],
    /// How much of what all documents have in common a graph takes off the vector before it looks: as much as the ranking will.
    pub centring: f32,
}

/// A document that may be relevant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The document.
    pub slot: u32,
    /// Cosines of its views, where it has vectors and the query has one.
    pub views: Option<ViewScores>,
    /// BM25; 0 where it shares no word.
    pub bm25: f32,
    /// How much of its name the query says: the squared share of the name's words, in `[0, 1]`.
    pub named: f32,
    /// What it has in common with all documents by meaning; 0 in the mean. Taken off by centring.
    pub common: f32,
    /// What is added to its score for reasons that are not in the query; 0 from a search.
    pub favour: f32,
}

impl Hit {
    /// A document of which nothing is known yet.
    #[must_use]
    pub fn unseen(slot: u32) -> Self {
        Self { slot, views: None, bm25: 0.0, named: 0.0, common: 0.0, favour: 0.0 }
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Every allowed document (exact), or the candidates among them (graph), by slot.
    pub hits: Vec<Hit>,
    /// The best BM25 of all allowed documents.
    pub most_bm25: f32,
    /// Who searched.
    pub engine: Engine,
}

impl Found {
    /// A hit's BM25 relative to the best, in `[0, 1]`; 0 where no document shares a word with the query.
    #[must_use]
    pub fn lexical(&self, hit: &Hit) -> f32 {
        if 0.0 < self.most_bm25 { hit.bm25 / self.most_bm25 } else { 0.0 }
    }
}

/// The searchable form. Immutable.
#[derive(Debug)]
pub struct Index {
    sealed: Arc<Segment>,
    graph: Option<Arc<Graph>>,
    delta: Arc<Segment>,
    statistics: Statistics,
    common: Common,
}

impl Index {
    /// Puts `delta` behind `sealed`, from which the documents `gone` are gone, each a place with its words. `graph` is the sealed segment's.
    pub fn new<'a>(
        sealed: Arc<Segment>,
        graph: Option<Arc<Graph>>,
        delta: Arc<Segment>,
        gone: impl IntoIterator<Item = (u32, &'a str)>,
    ) -> Self {
        let mut sum = sealed.rows.sum().clone();
        sum.add_all(delta.rows.sum());
        let gone = gone.into_iter().inspect(|(place, _)| sealed.rows.take_from(&mut sum, *place)).map(|(_, words)| words);
        let statistics = Statistics::of([&sealed.words, &delta.words], gone);
        let common = Common::of(&sum, [&sealed.rows, &delta.rows]);
        Self { sealed, graph, delta, statistics, common }
    }

    /// Slots, those of documents that are gone included.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.sealed.len() + self.delta.len()
    }

    /// How rare `word`, one of [`terms::terms`], is in this catalogue, in `[0, 1]`: 1 in one document, 0 in none.
    #[must_use]
    pub fn rarity(&self, word: &str) -> f32 {
        lexical::rarity([&self.sealed.words, &self.delta.words], &self.statistics, word)
    }

    /// Whether a graph proposes candidates.
    #[must_use]
    pub fn has_graph(&self) -> bool {
        self.graph.is_some()
    }

    /// Searches the allowed documents, by graph where `engine` asks for one, there is one, and it can.
    #[must_use]
    pub fn search(&self, query: &Query<'_>, allowed: &Allowed, engine: Engine) -> Found {
        self.find(query, allowed, engine, None)
    }

    /// Scores `proposed`, those that are allowed, as a graph search that proposed just them would: beside the best of all by words.
    #[must_use]
    pub fn search_among(&self, query: &Query<'_>, allowed: &Allowed, proposed: &[u32]) -> Found {
        let mut proposed: Vec<u32> = proposed.iter().copied().filter(|slot| allowed.contains(*slot)).collect();
        proposed.sort_unstable();
        proposed.dedup();
        self.find(query, allowed, Engine::Hnsw, Some(proposed))
    }

    /// `proposed` stands for what a graph would say.
    fn find(&self, query: &Query<'_>, allowed: &Allowed, engine: Engine, proposed: Option<Vec<u32>>) -> Found {
        let bm25 = lexical::score([&self.sealed.words, &self.delta.words], &self.statistics, query.terms);
        let codes = query.vector.map(Codes::quantise);
        let wants_near = engine == Engine::Hnsw && proposed.is_none();
        let near = codes.as_ref().filter(|_| wants_near).and_then(|codes| self.near(codes, query, allowed));
        let said = Said::of([&self.sealed.names, &self.delta.names], query.terms);
        let hit = |slot: u32| {
            let bm25 = bm25.get(slot as usize).copied().unwrap_or(0.0);
            Hit { bm25, named: said.share(slot), common: self.common.share(slot), ..Hit::unseen(slot) }
        };
        let (mut hits, most_bm25, engine): (Vec<Hit>, f32, Engine) = match (proposed, near) {
            (Some(proposed), _) => {
                let of_slot = |slot: u32| bm25.get(slot as usize).copied().unwrap_or(0.0);
                let most_bm25 = allowed.iter().map(of_slot).fold(0.0_f32, f32::max);
                (proposed.into_iter().map(hit).collect(), most_bm25, Engine::Hnsw)
            }
            (None, Some(near)) => {
                let by_words = lexical::best(&bm25, CANDIDATES, |slot| allowed.contains(slot));
                let most_bm25 = by_words.first().map_or(0.0, |(score, _)| *score);
                let candidates = self.candidates(near, &by_words, query.always, allowed);
                (candidates.into_iter().map(hit).collect(), most_bm25, Engine::Hnsw)
            }
            (None, None) => {
                let mut hits = Vec::with_capacity(allowed.len());
                hits.extend(allowed.iter().map(hit));
                let most_bm25 = hits.iter().fold(0.0_f32, |most, hit| most.max(hit.bm25));
                (hits, most_bm25, Engine::Exact)
            }
        };
        if let Some(codes) = &codes {
            let base = u32::try_from(self.sealed.len()).unwrap_or(u32::MAX);
            let cut = hits.partition_point(|hit| hit.slot < base);
            let (sealed, delta) = hits.split_at_mut(cut);
            self.sealed.rows.score(codes, 0, sealed);
            self.delta.rows.score(codes, base, delta);
        }
        Found { hits, most_bm25, engine }
    }

    /// Sealed documents that the graph finds near, those that are allowed; `None` when these are too few to trust.
    fn near(&self, codes: &Codes, query: &Query<'_>, allowed: &Allowed) -> Option<Vec<u32>> {
        let centred = query.vector.and_then(|vector| self.common.taken_off(vector, query.centring));
        let centred = centred.as_ref().map(Codes::quantise);
        let mut near = self.graph.as_ref()?.search(centred.as_ref().unwrap_or(codes), CANDIDATES);
        near.retain(|slot| allowed.contains(*slot));
        (MIN_ALLOWED_CANDIDATES <= near.len()).then_some(near)
    }

    /// What a graph search looks at, ascending: the near ones, the whole delta, the best by words, and `always`.
    fn candidates(&self, mut near: Vec<u32>, by_words: &[(f32, u32)], always: &[u32], allowed: &Allowed) -> Vec<u32> {
        near.extend((0_u32..).take(self.slots()).skip(self.sealed.len()).filter(|slot| allowed.contains(*slot)));
        near.extend(always.iter().filter(|slot| allowed.contains(**slot)));
        near.extend(by_words.iter().map(|(_, slot)| slot));
        near.sort_unstable();
        near.dedup();
        near
    }
}

#[cfg(test)]
mod tests;
