//! The plain baselines: BM25 over words, and one text per tool by cosine.

use std::time::Instant;

use super::dataset::Dataset;
use super::prepared::Prepared;
use super::results::KEPT;
use super::{EvalError, Model, Ranked};
use crate::catalog::views::{ViewTexts, lexical_terms};
use crate::index::lexical::{self, Postings, Statistics};
use crate::index::vector::UnitVector;
use crate::index::{Engine, terms};

/// Longest query text that is embedded, in characters, as in the baseline script of the data.
const QUERY_CHARS: usize = 1_500;

pub(super) fn bm25(data: &Dataset) -> Ranked {
    let (mut postings, none) = (Postings::default(), Postings::default());
    data.tools.iter().for_each(|tool| postings.push(&lexical_terms(tool).join(" ")));
    let statistics = Statistics::of([&postings, &none], []);
    let mut ranked = Ranked::default();
    for query in &data.queries {
        let started = Instant::now();
        let scores = lexical::score([&postings, &none], &statistics, &terms::terms(&query.text));
        ranked.lists.push(best(&scores));
        ranked.rest.push(started.elapsed());
    }
    ranked
}

pub(super) fn cosine(set: &Prepared, model: &mut Model, tick: &(dyn Fn() + Sync)) -> Result<Ranked, EvalError> {
    let data = &set.data;
    // The last base view is the whole description behind the name.
    let texts = data.tools.iter().map(|tool| ViewTexts::of(tool).base.pop().unwrap_or_default());
    let rows: Vec<Option<&UnitVector>> = texts.map(|text| set.vectors.get(&text)).collect();
    let prefix = model.pool.info().query_prefix.clone();
    let mut ranked = Ranked { engine: Some(Engine::Exact), ..Ranked::default() };
    for query in &data.queries {
        let text: String = query.text.chars().take(QUERY_CHARS).collect();
        let started = Instant::now();
        let Some(embedder) = model.embedders.first_mut() else { continue };
        let vector = embedder.embed(&format!("{prefix}{text}"))?;
        ranked.embed.push(started.elapsed());
        let started = Instant::now();
        let scores: Vec<f32> = rows.iter().map(|row| row.map_or(f32::NEG_INFINITY, |row| row.cosine(&vector))).collect();
        ranked.lists.push(best(&scores));
        ranked.rest.push(started.elapsed());
        tick();
    }
    Ok(ranked)
}

/// Slots of the best scores; ties keep file order.
fn best(scores: &[f32]) -> Vec<usize> {
    let mut slots: Vec<usize> = (0..scores.len()).collect();
    slots.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    slots.truncate(KEPT);
    slots
}
