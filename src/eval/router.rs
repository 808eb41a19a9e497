//! The service itself, in process: a catalogue is built from the set as registration would build it, and every query is a selection.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::prepared::Prepared;
use super::results::{Abstention, Asked, Case, KEPT, Returned, WORST};
use super::{EvalError, Model, Ranked};
use crate::catalog::{Entry, Record, TenantCatalog, TextHash, Version};
use crate::eval::dataset::Query;
use crate::index::EngineChoice;
use crate::index::vector::Codes;
use crate::rank::Step;
use crate::select::{self, Answer, Input, Policy, Request, Reranked, Scope, Selector, SelectorOptions, Stage, Trace};
use crate::tool::{ModelName, TenantId, Tool, ToolId};

/// No query of an evaluation may be answered by words because a machine was busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest query that the contract takes.
const QUERY_BYTES: usize = select::MAX_QUERY_BYTES;
/// Vectors of queries that are kept while steps are left out one by one: each is embedded once.
const VECTOR_BYTES: u64 = 1 << 30;
/// How many returned tools of a case are shown.
const SHOWN: usize = 6;
/// Longest text of a case, in characters.
const CASE_CHARS: usize = 600;

/// The router on one set. Vectors of queries are kept from one ranking to the next.
pub(super) struct Router<'a> {
    set: &'a Prepared,
    policy: Policy,
    selector: Selector,
}

impl<'a> Router<'a> {
    pub(super) fn new(set: &'a Prepared, model: &Model) -> Self {
        let options = SelectorOptions { vector_bytes: VECTOR_BYTES, ..SelectorOptions::BARE };
        let selector = Selector::new(model.pool.clone(), model.policy.clone(), &options).with_reranking(model.reranking.clone());
        Self { set, policy: model.policy.clone(), selector }
    }

    /// Ranks the whole set as a caller would have it.
    pub(super) async fn rank(&self, tick: &(dyn Fn() + Sync)) -> Result<Ranked, EvalError> {
        let mut ranked = Ranked::default();
        let mut tokens = 0_u64;
        for query in &self.set.data.queries {
            let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
            // Once as a caller would ask, for cost and time, then without a cap and holding nothing back, for the order.
            let (usual, trace) =
                self.select(&self.selector, Input { query: text(query), ..Input::default() }).await.map_err(failed)?;
            let whole = self.whole(&self.selector, query).await?;
            ranked.lists.push(places(&whole));
            ranked.confidences.push(whole.confidence);
            tokens += u64::from(usual.usage.returned.0);
            ranked.embed.push(stages(&trace, true));
            ranked.rest.push(stages(&trace, false));
            ranked.engine = trace.engine;
            tick();
        }
        ranked.tokens_mean = Some(tokens as f64 / self.set.data.queries.len().max(1) as f64);
        Ok(ranked)
    }

    /// The same order with one step left out; nothing is timed.
    pub(super) async fn without(&self, step: Step, tick: &(dyn Fn() + Sync)) -> Result<Ranked, EvalError> {
        let policy = Policy { left_out: self.policy.left_out.and(step), ..self.policy.clone() };
        let selector = self.selector.ranking_by(policy);
        let mut ranked = Ranked::default();
        for query in &self.set.data.queries {
            let whole = self.whole(&selector, query).await?;
            ranked.lists.push(places(&whole));
            tick();
        }
        Ok(ranked)
    }

    /// The queries with the lowest nDCG, worst first, with what was returned and why.
    pub(super) async fn worst(&self, ranked: &Ranked) -> Result<Vec<Case>, EvalError> {
        let queries = self.set.data.queries.iter().zip(&ranked.lists);
        let score = |query: &Query, list: &Vec<usize>| Asked::of(&query.id, list, &query.relevant, None).scores().ndcg_10;
        let mut order: Vec<(f64, &Query)> = queries.map(|(query, list)| (score(query, list), query)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut cases = Vec::new();
        for (_, query) in order.into_iter().take(WORST) {
            let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
            let input = Input { explain: true, ..whole_input(query) };
            let (answer, _) = self.select(&self.selector, input).await.map_err(failed)?;
            let returned = answer.tools.iter().take(SHOWN).map(|tool| {
                let place = slot(&tool.id);
                let tool_name = place.map_or_else(String::new, |place| self.set.display(place));
                let needed = place.is_some_and(|place| query.relevant.contains(&place));
                Returned { tool: tool_name, needed, why: tool.reasons.join("; ") }
            });
            cases.push(Case {
                id: query.id.clone(),
                text: query.text.chars().take(CASE_CHARS).collect(),
                needed: query.relevant.iter().map(|place| self.set.display(*place)).collect(),
                returned: returned.collect(),
            });
        }
        Ok(cases)
    }

    /// How sure the router is for requests that need no tool beside those that do; nothing where it knows no confidence. Where labels are
    /// about candidates only, both are asked among their candidates.
    pub(super) async fn abstention(
        &self,
        none: &[Query],
        none_split: &str,
        tick: &(dyn Fn() + Sync),
    ) -> Result<Option<Abstention>, EvalError> {
        let Some(calibrated) = self.policy.weights.confidence.as_ref() else { return Ok(None) };
        let among_candidates = none.iter().all(|query| query.candidates.is_some());
        let (mut of_none, mut of_some) = (Vec::new(), Vec::new());
        for query in none.iter().chain(&self.set.data.queries) {
            let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
            let candidates = query.candidates.as_ref().filter(|_| among_candidates);
            let allow = candidates.map_or_else(Vec::new, |places| self.set.ids(places));
            let input = Input { scope: Scope { allow, ..Scope::default() }, ..whole_input(query) };
            let (answer, _) = self.select(&self.selector, input).await.map_err(failed)?;
            // A request that names a tool is never held back, and one of which the model reads nothing cannot be judged.
            let confidence = answer.confidence.unwrap_or(1.0);
            if query.relevant.is_empty() {
                of_none.push(confidence);
            } else {
                of_some.push((confidence, Asked::of(&query.id, &places(&answer), &query.relevant, None).recall(5)));
            }
            tick();
        }
        Ok(Some(Abstention {
            set: self.set.data.name.clone(),
            none_split: none_split.to_owned(),
            some_split: self.set.data.split.clone(),
            none: of_none,
            some: of_some,
            abstain_below: calibrated.abstain_below,
            abstain_strictly_below: calibrated.abstain_strictly_below,
        }))
    }

    async fn whole(&self, selector: &Selector, query: &Query) -> Result<Arc<Answer>, EvalError> {
        let (answer, _) = self
            .select(selector, whole_input(query))
            .await
            .map_err(|detail| EvalError::Select { query: query.id.clone(), detail })?;
        Ok(answer)
    }

    async fn select(&self, selector: &Selector, input: Input) -> Result<(Arc<Answer>, Trace), String> {
        select_once(&self.set.catalog, selector, input).await
    }
}

pub(super) async fn select_once(
    catalog: &Arc<TenantCatalog>,
    selector: &Selector,
    input: Input,
) -> Result<(Arc<Answer>, Trace), String> {
    let request = Request::check(input).map_err(|v| v.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let (answer, trace) = selector.select(catalog, &request, Instant::now() + PATIENCE).await.map_err(|e| e.to_string())?;
    // A figure must be that of the ranking it is printed for.
    if trace.reranked == Reranked::Left { Err(answer.degraded_reason.clone()) } else { Ok((answer, trace)) }
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

/// Without a cap and holding nothing back.
fn whole_input(query: &Query) -> Input {
    Input {
        query: text(query),
        max_tokens: Some(u32::MAX),
        max_tools: u32::try_from(KEPT).ok(),
        min_confidence: Some(0.0),
        ..Input::default()
    }
}

/// The part of a query that the contract takes.
pub(super) fn asked(text: &str) -> &str {
    text.get(..text.floor_char_boundary(QUERY_BYTES)).unwrap_or_default()
}

pub(super) fn text(query: &Query) -> Option<String> {
    Some(asked(&query.text).to_owned())
}

fn places(answer: &Answer) -> Vec<usize> {
    answer.tools.iter().filter_map(|tool| slot(&tool.id)).collect()
}

/// Time spent on embedding, or on everything else.
pub(super) fn stages(trace: &Trace, embed: bool) -> Duration {
    trace.stages.iter().filter(|timed| (timed.stage == Stage::Embed) == embed).map(|timed| timed.took).sum()
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

pub(super) fn slot(id: &ToolId) -> Option<usize> {
    let bits: String = id.source().rsplit_once(MARK)?.1.chars().map(|c| if c == '!' { '0' } else { '1' }).collect();
    usize::from_str_radix(&bits, 2).ok()
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
