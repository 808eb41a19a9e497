//! The service itself, in process: a catalogue is built from the set as registration would build it, and every query is a selection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::dataset::Dataset;
use super::{EvalError, Model, Ranked};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Entry, Record, TenantCatalog, TextHash, Version};
use crate::index::EngineChoice;
use crate::index::vector::Codes;
use crate::select::{self, Answer, Input, Request, Reranked, Selector, SelectorOptions, Stage, Trace};
use crate::tool::{ModelName, TenantId, Tool, ToolId};

/// No query of an evaluation may be answered by words because a machine was busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest query that the contract takes.
const QUERY_BYTES: usize = select::MAX_QUERY_BYTES;

pub(super) async fn rank(
    data: &Dataset,
    choice: EngineChoice,
    model: &mut Model,
    tick: &(dyn Fn() + Sync),
) -> Result<Ranked, EvalError> {
    let catalog = Arc::new(served(build(data, model, tick)?, choice));
    // Equal queries of a set are asked anew, each at its own cost.
    let selector =
        Selector::new(model.pool.clone(), model.policy.clone(), &SelectorOptions::BARE).with_reranking(model.reranking.clone());
    let mut ranked = Ranked::default();
    let mut tokens = 0_u64;
    for query in &data.queries {
        let text = asked(&query.text);
        let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
        // Once without a cap for the order, once as a caller would ask for cost and time.
        let (whole, _) = select_once(&catalog, &selector, text, Some(u32::MAX)).await.map_err(failed)?;
        ranked.lists.push(whole.tools.iter().filter_map(|tool| slot(&tool.id)).collect());
        let (usual, trace) = select_once(&catalog, &selector, text, None).await.map_err(failed)?;
        tokens += u64::from(usual.usage.returned.0);
        ranked.embed.push(stages(&trace, true));
        ranked.rest.push(stages(&trace, false));
        ranked.engine = trace.engine;
        tick();
    }
    ranked.tokens_mean = Some(tokens as f64 / data.queries.len().max(1) as f64);
    Ok(ranked)
}

/// The catalogue with a graph where `choice` wants one.
pub(super) fn served(catalog: TenantCatalog, choice: EngineChoice) -> TenantCatalog {
    if choice.wants_graph(catalog.len())
        && let Some(sealed) = catalog.sealed().clone().with_graph(&AtomicBool::new(false))
    {
        return catalog.over(sealed);
    }
    catalog
}

/// The part of a query that the contract takes.
pub(super) fn asked(text: &str) -> &str {
    text.get(..text.floor_char_boundary(QUERY_BYTES)).unwrap_or_default()
}

pub(super) async fn select_once(
    catalog: &Arc<TenantCatalog>,
    selector: &Selector,
    text: &str,
    max_tokens: Option<u32>,
) -> Result<(Arc<Answer>, Trace), String> {
    let input = Input { query: Some(text.to_owned()), max_tokens, ..Input::default() };
    let request = Request::check(input).map_err(|v| v.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let (answer, trace) = selector.select(catalog, &request, Instant::now() + PATIENCE).await.map_err(|e| e.to_string())?;
    // A figure must be that of the ranking it is printed for.
    if trace.reranked == Reranked::Left { Err(answer.degraded_reason.clone()) } else { Ok((answer, trace)) }
}

/// Time spent on embedding, or on everything else.
pub(super) fn stages(trace: &Trace, embed: bool) -> Duration {
    trace.stages.iter().filter(|(stage, _)| (*stage == Stage::Embed) == embed).map(|(_, took)| *took).sum()
}

/// Tools of a set may share source and name, which registered ones cannot: the slot is made part of the source, after a character that
/// no word is made of, so that it is never searched.
pub(super) fn evaluation_id(id: &ToolId, slot: usize) -> Option<ToolId> {
    ToolId::new(id.source(), id.name())
        .ok()
        .and_then(|id| ToolId::new(&format!("{}{MARK}{}", id.source(), mark(slot)), id.name()).ok())
}

/// Separates the slot from the source.
const MARK: char = '|';

/// The slot in characters that splitting into words drops.
fn mark(slot: usize) -> String {
    format!("{slot:b}").chars().map(|bit| if bit == '0' { '!' } else { '?' }).collect()
}

fn slot(id: &ToolId) -> Option<usize> {
    let bits: String = id.source().rsplit_once(MARK)?.1.chars().map(|c| if c == '!' { '0' } else { '1' }).collect();
    usize::from_str_radix(&bits, 2).ok()
}

fn build(data: &Dataset, model: &mut Model, tick: &(dyn Fn() + Sync)) -> Result<TenantCatalog, EvalError> {
    let texts: Vec<String> = data.tools.iter().flat_map(|tool| ViewTexts::of(tool).base).collect();
    let vectors = model.embed_all(texts, tick)?;
    let codes: HashMap<TextHash, Codes> =
        vectors.iter().map(|(text, vector)| (TextHash::of(text), Codes::quantise(vector))).collect();
    let distinct = data.tools.iter().enumerate().map(|(place, tool)| {
        let id = evaluation_id(&tool.id, place).unwrap_or_else(|| tool.id.clone());
        Tool { id, ..tool.clone() }
    });
    Ok(catalogue(distinct, |hash| codes.get(hash).cloned(), model.pool.info().dimension))
}

/// A catalogue of `tools`, whose ids are distinct, as registering them in this order would build it. `vector` gives the vector of a text.
pub fn catalogue(
    tools: impl IntoIterator<Item = Tool>,
    vector: impl Fn(&TextHash) -> Option<Codes>,
    dimension: usize,
) -> TenantCatalog {
    let entries = tools.into_iter().zip(0..).map(|(tool, position)| {
        let model_name = ModelName::choose(&tool.id, |_| false);
        Arc::new(Entry::new(Record::fresh(tool, model_name, position), &vector))
    });
    TenantCatalog::build(TenantId::default(), Version::default(), entries.collect(), dimension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::terms;

    #[test]
    fn the_slot_travels_in_the_source_and_is_no_word() {
        let id = ToolId::new("a|b server", "read").unwrap();
        for place in [0, 1, 2, 4_095, 100_000] {
            let marked = evaluation_id(&id, place).unwrap();
            assert_eq!(slot(&marked), Some(place));
            assert_eq!(terms::split(marked.source()), terms::split(id.source()));
            assert_eq!(terms::terms(marked.source()), terms::terms(id.source()));
        }
    }
}
