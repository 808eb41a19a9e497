//! What a selection sees of each labelled request, taken down once, so that thousands of weights can be tried without searching again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::embed::{Embedding, Pool};
use crate::eval::EvalError;
use crate::eval::measures::Scores;
use crate::eval::prepared::Prepared;
use crate::eval::results::KEPT;
use crate::index::{Engine, Found, Query, terms};
use crate::rank::{self, Fusion, Ranking, Scored, Weights, clauses};
use crate::select::{CANDIDATES, search_parts};

/// No request of a fit may be left out because a machine was busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request with what was found for it.
pub(super) struct Sample {
    pub(super) embedding: Arc<Embedding>,
    /// By the whole request: everything that was searched.
    pub(super) found: Found,
    pub(super) mentioned: Vec<u32>,
    /// By each part, among the leading tools.
    pub(super) parts: Vec<Found>,
    /// Slots of the tools that it needs, in a catalogue whose slots are the set's places.
    pub(super) relevant: Vec<usize>,
    /// In the catalogue.
    tools: usize,
    /// In the request.
    pub(super) words: usize,
}

impl Sample {
    /// Embeds `text` and searches `set` for it.
    pub(super) async fn take(
        set: &Prepared,
        pool: &Pool,
        weights: &Weights,
        id: &str,
        text: &str,
        relevant: &[usize],
    ) -> Result<Self, EvalError> {
        let ranges = clauses::parts(text, weights.clauses.min_words, weights.clauses.max_parts);
        let embedding = pool.query_parts(text, ranges.clone(), Instant::now() + PATIENCE).await;
        let embedding = embedding.map_err(|e| EvalError::Select { query: id.to_owned(), detail: e.to_string() })?;
        let catalog = &set.catalog;
        let terms = terms::terms(text);
        let query = Query { vector: Some(&embedding.whole), terms: &terms, always: &[], centring: 0.0 };
        let found = catalog.index().search(&query, catalog.enabled(), Engine::Exact);
        let mentioned = catalog.mentioned(text);
        let mut sample = Self {
            embedding: Arc::new(embedding),
            found,
            mentioned,
            parts: Vec::new(),
            relevant: relevant.to_vec(),
            tools: catalog.len(),
            words: clauses::words(text),
        };
        let head = sample.head(&weights.fusion);
        sample.parts = search_parts(catalog, text, &ranges, &sample.embedding, &head);
        Ok(sample)
    }

    fn head(&self, fusion: &Fusion) -> Vec<Scored> {
        let ranking = Ranking { mentioned: &self.mentioned, semantic: true, fusion: fusion.among(self.tools), depth: CANDIDATES };
        rank::rank(&self.found, &ranking, u64::from)
    }

    /// The ranking by `weights`.
    pub(super) fn ranked(&self, weights: &Weights) -> Vec<Scored> {
        let mut ranked = self.head(&weights.fusion);
        rank::lift(&mut ranked, &self.parts, &weights.fusion.among(self.tools), &weights.clauses, u64::from);
        ranked
    }

    /// The measures of that ranking.
    pub(super) fn scores(&self, weights: &Weights) -> Scores {
        let list: Vec<usize> = self.ranked(weights).iter().take(KEPT).map(|scored| scored.slot as usize).collect();
        Scores::of(&list, &self.relevant)
    }
}
