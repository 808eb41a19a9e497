//! One selection, from a query to a list of tools under the cap.
//!
//! Order: scope → embed ‖ words → fuse → pinned first → pack → render. It works on one tenant catalogue from start to end and returns the
//! answer beside a [`Trace`]; what is measured or logged of it is decided elsewhere. Only the embedding waits for anything; the rest is
//! arithmetic on memory, well under a millisecond at thousands of tools.

mod answer;
mod request;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::answer::{Answer, DropCause, Dropped, Explanation, Mode, NoMatch, Selected, Usage};
pub use self::request::{Budget, Input, MAX_PINNED, MAX_QUERY_BYTES, MAX_TOOLS_LIMIT, Request, Scope};
use crate::catalog::{Entry, State, TenantCatalog};
use crate::compact::{self, Candidate, DropReason, Fidelity, Limits};
use crate::embed::{Pool, QueryError};
use crate::error::{Kind, Violation};
use crate::index::allow::Allowed;
use crate::index::terms;
use crate::index::vector::UnitVector;
use crate::rank::{self, Scored, Weights};
use crate::tool::{TokenCount, ToolId};

/// How far down the ranking packing looks for tools that fit.
const CANDIDATES: usize = 200;
/// Kept back from the deadline for everything after the embedding, with room for a busy machine.
const RESERVE: Duration = Duration::from_millis(5);
/// With more of the tools lacking vectors than this, ranking by meaning would hide them: words treat all alike.
const MAX_WITHOUT_VECTORS: f64 = 0.1;

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// Something in the request is wrong.
    #[error("{}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// Each thing that is wrong.
        violations: Vec<Violation>,
    },
    /// Too many queries wait for the embedder.
    #[error("{waiting} selections wait for the embedder, the limit is {limit}")]
    Overloaded {
        /// How many wait.
        waiting: usize,
        /// The limit.
        limit: usize,
        /// When there should be room.
        retry_after: Duration,
    },
}

impl SelectError {
    /// How a caller is to understand it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid { .. } => Kind::Invalid,
            Self::Overloaded { retry_after, .. } => Kind::Overloaded { retry_after: *retry_after },
        }
    }

    /// The fields that are wrong, for a rich error.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid { violations } => violations,
            Self::Overloaded { .. } => &[],
        }
    }
}

/// A part of a selection that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for and running the model.
    Embed,
    /// Scoring views and words.
    Retrieve,
    /// Fusing and ordering.
    Rank,
    /// Choosing tools and fidelities.
    Pack,
    /// Writing the text and counting it.
    Render,
}

impl Stage {
    /// Its name in metrics and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Retrieve => "retrieve",
            Self::Rank => "rank",
            Self::Pack => "pack",
            Self::Render => "render",
        }
    }
}

/// What a selection did, for meters and logs.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// How long each stage took, in order.
    pub stages: Vec<(Stage, Duration)>,
}

impl Trace {
    fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.stages.push((stage, started.elapsed()));
        result
    }
}

/// Selects tools of `catalog` for `request`, before `deadline`.
///
/// # Errors
/// The embed queue is full. A near deadline is no error: then the answer is lexical.
pub async fn select(
    catalog: &TenantCatalog,
    pool: &Pool,
    request: &Request,
    deadline: Instant,
) -> Result<(Answer, Trace), SelectError> {
    let mut trace = Trace::default();
    let eligible = request.scope.narrow(catalog);
    let started = Instant::now();
    let (vector, degraded) = if eligible.is_empty() { (None, None) } else { embed(catalog, pool, request, deadline).await? };
    trace.stages.push((Stage::Embed, started.elapsed()));

    let (dense, lexical, mentioned) = trace.time(Stage::Retrieve, || {
        let dense = vector.as_ref().map(|vector| catalog.index().dense(vector, &eligible));
        let lexical = catalog.index().lexical(&terms::terms(&request.query), &eligible);
        (dense, lexical, catalog.mentions().find(&request.query))
    });
    let ranked = trace.time(Stage::Rank, || {
        let scored = rank::fuse(dense.as_deref(), &lexical, &mentioned, &eligible, &Weights::default());
        let depth = if request.explain_tools.is_empty() { CANDIDATES } else { usize::MAX };
        rank::top(scored, depth)
    });
    let mode = match (&vector, &degraded) {
        (None, Some(_)) => Mode::Lexical,
        _ => Mode::Semantic,
    };
    let selection = Selection { catalog, request, eligible: &eligible, ranked: &ranked };
    let (lined_up, mut dropped) = selection.line_up();
    let packing = trace.time(Stage::Pack, || selection.pack(&lined_up));
    let (tools, prompt, returned) = trace.time(Stage::Render, || selection.render(&lined_up, &packing.kept));
    dropped.extend(selection.dropped(&lined_up, &packing.dropped));
    let explanations = selection.explain(&tools, &dropped);
    let usage = selection.usage(returned);
    let no_match = tools.is_empty().then(|| selection.no_match(&lined_up));
    let version = catalog.version();
    let degraded_reason = degraded.filter(|_| mode == Mode::Lexical).unwrap_or_default();
    Ok((Answer { tools, prompt, usage, no_match, dropped, mode, degraded_reason, version, explanations }, trace))
}

/// The query's vector, or why there is none.
async fn embed(
    catalog: &TenantCatalog,
    pool: &Pool,
    request: &Request,
    deadline: Instant,
) -> Result<(Option<UnitVector>, Option<String>), SelectError> {
    let (lacking, all) = (catalog.without_vectors(), catalog.entries().len());
    if all as f64 * MAX_WITHOUT_VECTORS < lacking as f64 {
        return Ok((None, Some(format!("{lacking} of {all} tools are not embedded with model {} yet", pool.info().id))));
    }
    let deadline = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    match pool.query(request.query.clone(), deadline).await {
        Ok(vector) => Ok((Some(vector), None)),
        Err(QueryError::Full { waiting, limit, retry_after }) => Err(SelectError::Overloaded { waiting, limit, retry_after }),
        Err(slow_or_failed) => Ok((None, Some(slow_or_failed.to_string()))),
    }
}

/// A tool that packing may take, with its place in the ranking.
struct LinedUp<'a> {
    entry: &'a Arc<Entry>,
    scored: Option<Scored>,
    pinned: bool,
    costs: Candidate,
}

struct Selection<'a> {
    catalog: &'a TenantCatalog,
    request: &'a Request,
    eligible: &'a Allowed,
    ranked: &'a [Scored],
}

impl<'a> Selection<'a> {
    /// Pinned tools in the caller's order, then the ranking; pinned ones that cannot be had are reported.
    fn line_up(&self) -> (Vec<LinedUp<'a>>, Vec<Dropped>) {
        let mut lined_up = Vec::new();
        let mut dropped = Vec::new();
        let mut taken = HashSet::new();
        for id in &self.request.pinned {
            match self.pinnable(id) {
                Ok(slot) => {
                    if taken.insert(slot) {
                        let scored = self.ranked.iter().find(|scored| scored.slot == slot);
                        lined_up.extend(self.candidate(slot, scored, true));
                    }
                }
                Err(cause) => dropped.push(Dropped { id: id.clone(), detail: cause.detail(id), cause }),
            }
        }
        for scored in self.ranked.iter().take(CANDIDATES).filter(|scored| !taken.contains(&scored.slot)) {
            lined_up.extend(self.candidate(scored.slot, Some(scored), false));
        }
        (lined_up, dropped)
    }

    fn pinnable(&self, id: &ToolId) -> Result<u32, DropCause> {
        let slot = self.catalog.slot(id).ok_or(DropCause::NotFound)?;
        match self.catalog.at(slot) {
            Some(entry) if entry.record.state == State::Disabled => Err(DropCause::Disabled),
            _ if self.eligible.contains(slot) => Ok(slot),
            _ => Err(DropCause::OutOfScope),
        }
    }

    fn candidate(&self, slot: u32, scored: Option<&Scored>, pinned: bool) -> Option<LinedUp<'a>> {
        let entry = self.catalog.at(slot)?;
        let costs = Candidate::of(&entry.record.costs, self.request.format, self.request.budget.tokenizer);
        Some(LinedUp { entry, scored: scored.copied(), pinned, costs })
    }

    fn pack(&self, lined_up: &[LinedUp<'_>]) -> compact::Packing {
        let candidates: Vec<Candidate> = lined_up.iter().map(|l| l.costs).collect();
        let budget = &self.request.budget;
        let frame = compact::frame(budget.tokenizer);
        let limits = Limits { max_tokens: budget.max_tokens, max_tools: budget.max_tools, frame, leads: compact::LEADS };
        compact::pack(&candidates, &limits)
    }

    /// Writes the list. Packing adds upper bounds, so the exact count fits; it is made all the same, because the cap is the promise.
    fn render(&self, lined_up: &[LinedUp<'_>], kept: &[(usize, Fidelity)]) -> (Vec<Selected>, String, TokenCount) {
        let mut tools: Vec<Selected> = kept
            .iter()
            .filter_map(|(i, fidelity)| Some((lined_up.get(*i)?, *fidelity)))
            .map(|(l, fidelity)| self.selected(l, fidelity))
            .collect();
        loop {
            let prompt = compact::prompt(tools.iter().map(|tool| tool.definition.as_str()));
            let returned = self.request.budget.tokenizer.count(&prompt);
            if returned <= self.request.budget.max_tokens || tools.pop().is_none() {
                return (tools, prompt, returned);
            }
        }
    }

    fn selected(&self, lined_up: &LinedUp<'_>, fidelity: Fidelity) -> Selected {
        let record = &lined_up.entry.record;
        Selected {
            id: record.tool.id.clone(),
            model_name: record.model_name.clone(),
            score: lined_up.scored.map_or(0.0, |scored| scored.score),
            fidelity,
            tokens: record.costs.get(self.request.format, fidelity, self.request.budget.tokenizer),
            definition: lined_up.entry.rendering(self.request.format, fidelity).to_owned(),
            reasons: if self.request.explain { answer::reasons(lined_up.scored.as_ref(), lined_up.pinned) } else { Vec::new() },
        }
    }

    /// Of what packing left out, the part a caller would miss: pinned tools, and those among the first `max_tools`.
    fn dropped(&self, lined_up: &[LinedUp<'_>], left_out: &[(usize, DropReason)]) -> Vec<Dropped> {
        let missed = |i: usize| lined_up.get(i).filter(|l| l.pinned || i < self.request.budget.max_tools);
        left_out
            .iter()
            .filter_map(|(i, reason)| Some((missed(*i)?, reason)))
            .map(|(l, reason)| {
                let id = l.entry.record.tool.id.clone();
                let cause = match *reason {
                    DropReason::OverBudget { needs, left } => DropCause::OverBudget { needs, left },
                    DropReason::MaxTools => DropCause::MaxTools { limit: self.request.budget.max_tools },
                };
                Dropped { detail: cause.detail(&id), id, cause }
            })
            .collect()
    }

    fn usage(&self, returned: TokenCount) -> Usage {
        let (format, tokenizer) = (self.request.format, self.request.budget.tokenizer);
        let eligible_tokens = if self.request.scope.is_everything() {
            self.catalog.full_tokens(format, tokenizer)
        } else {
            let entries = self.eligible.iter().filter_map(|slot| self.catalog.at(slot));
            entries.map(|entry| u64::from(entry.record.costs.get(format, Fidelity::Full, tokenizer).0)).sum()
        };
        Usage { eligible_tokens, returned, max_tokens: self.request.budget.max_tokens, eligible_tools: self.eligible.len() }
    }

    fn no_match(&self, lined_up: &[LinedUp<'_>]) -> NoMatch {
        if self.catalog.enabled().is_empty() {
            return NoMatch::EmptyCatalog { registered: self.catalog.entries().len() };
        }
        if self.eligible.is_empty() {
            return NoMatch::EmptyScope { enabled: self.catalog.enabled().len() };
        }
        match lined_up.iter().map(|l| l.costs.skeleton.min(l.costs.lean).min(l.costs.full)).min() {
            Some(smallest) => {
                let smallest = smallest + compact::frame(self.request.budget.tokenizer);
                NoMatch::OverBudget { smallest, max_tokens: self.request.budget.max_tokens }
            }
            None => NoMatch::NothingRelevant,
        }
    }

    fn explain(&self, tools: &[Selected], dropped: &[Dropped]) -> Vec<Explanation> {
        let explain = |id: &ToolId| {
            let rank = self.catalog.slot(id).and_then(|slot| self.ranked.iter().position(|scored| scored.slot == slot));
            let fate = if let Some(place) = tools.iter().position(|tool| tool.id == *id) {
                format!("returned, place {} of {}, {}", place + 1, tools.len(), tools[place].fidelity.name())
            } else if let Some(dropped) = dropped.iter().find(|dropped| dropped.id == *id) {
                format!("not returned: {}", dropped.detail)
            } else {
                match self.pinnable(id) {
                    Err(cause) => format!("not returned: {}", cause.detail(id)),
                    Ok(_) if rank.is_none() => "not returned: nothing in common with the query".to_owned(),
                    Ok(_) => format!("not returned: others ranked higher, and {} came into the list", tools.len()),
                }
            };
            let scored = rank.and_then(|rank| self.ranked.get(rank));
            Explanation {
                id: id.clone(),
                fate,
                rank: rank.map(|rank| rank + 1),
                score: scored.map(|scored| scored.score),
                reasons: scored.map_or_else(Vec::new, |scored| answer::reasons(Some(scored), false)),
            }
        };
        self.request.explain_tools.iter().map(explain).collect()
    }
}
