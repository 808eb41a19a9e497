//! From a ranking to the list under the cap: pinned first → pack → render, with what was left out and why.

use std::collections::HashSet;
use std::sync::Arc;

use super::CANDIDATES;
use super::answer::{self, DropCause, Dropped, Explanation, NoMatch, Selected, Usage};
use super::belief::{Belief, Unlikely};
use super::counted::{self, Definition};
use super::request::Request;
use super::styled::Styled;
use crate::catalog::{Entry, State, TenantCatalog};
use crate::compact::profile::Written;
use crate::compact::{self, Candidate, Counter, DropReason, Fidelity, Format, Limits, Tokenizer, Values};
use crate::index::allow::Allowed;
use crate::rank::Scored;
use crate::tool::{TokenCount, ToolId};

/// A tool that packing may take, with its place in the ranking.
pub(super) struct LinedUp<'a> {
    entry: &'a Arc<Entry>,
    scored: Option<Scored>,
    pinned: bool,
    costs: Candidate,
    /// Its definition, where that is not the one that was counted at registration.
    written: Option<Arc<Written>>,
}

impl LinedUp<'_> {
    /// Tokens of its entry, without what the vendor adds to it.
    fn tokens(&self, fidelity: Fidelity, counter: &Counter) -> TokenCount {
        self.costs.objects[fidelity as usize].saturating_sub(counter.overhead().per_tool)
    }

    /// Tokens of the same entry at FULL in a vocabulary that is counted at registration.
    fn base_tokens(&self, format: Format, base: Tokenizer) -> TokenCount {
        let counted = || self.entry.record.costs.get(format, Fidelity::Full, base);
        self.written.as_ref().map_or_else(counted, |written| written.cost(Fidelity::Full))
    }
}

/// One selection's ranking on its way to a list.
pub(super) struct Selection<'a> {
    pub(super) catalog: &'a TenantCatalog,
    pub(super) request: &'a Request,
    pub(super) eligible: &'a Allowed,
    pub(super) ranked: &'a [Scored],
    pub(super) belief: Belief<'a>,
    /// What each form of a tool is worth.
    pub(super) values: Values,
    pub(super) styled: &'a Styled,
}

impl<'a> Selection<'a> {
    /// Pinned tools in the caller's order, then the ranking; pinned ones that cannot be had are reported.
    pub(super) fn line_up(&self) -> (Vec<LinedUp<'a>>, Vec<Dropped>) {
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
        let nothing_fits = self.belief.nothing_fits(self.request).is_some();
        let ranking = self.ranked.iter().take(CANDIDATES).filter(|scored| !taken.contains(&scored.slot));
        for (place, scored) in ranking.enumerate() {
            let is_wanted = lined_up.len() < self.request.budget.min_tools;
            if nothing_fits && !is_wanted {
                break;
            }
            match self.belief.too_unlikely(self.request, scored).filter(|_| !is_wanted) {
                None => lined_up.extend(self.candidate(scored.slot, Some(scored), false)),
                // What comes after the last place would not be missed.
                Some(unlikely) if place < self.request.budget.max_tools => dropped.extend(self.unlikely(scored, unlikely)),
                Some(_) => (),
            }
        }
        (lined_up, dropped)
    }

    fn unlikely(&self, scored: &Scored, unlikely: Unlikely) -> Option<Dropped> {
        let id = self.catalog.at(scored.slot)?.record.tool.id.clone();
        let cause = DropCause::LowConfidence { confidence: unlikely.confidence, least: unlikely.least };
        Some(Dropped { detail: cause.detail(&id), id, cause })
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
        let (style, counter) = (self.request.style(pinned), &self.request.budget.tokenizer);
        let written = (!style.is_counted()).then(|| self.styled.written(self.catalog.tenant(), entry, style, counter.base()));
        let counted = Candidate::of(&entry.record.costs, style.format, counter.base());
        let base = written.as_ref().map_or(counted.objects, |written| written.costs());
        let definition = Definition { tenant: self.catalog.tenant(), entry, style, written: written.as_deref() };
        let objects = self.styled.counted.objects(&definition, base, counter).map(|cost| cost + counter.overhead().per_tool);
        let costs = Candidate { objects, ..counted };
        Some(LinedUp { entry, scored: scored.copied(), pinned, costs, written })
    }

    pub(super) fn pack(&self, lined_up: &[LinedUp<'_>]) -> compact::Packing {
        let probability = |(place, l): (usize, &LinedUp<'_>)| self.probability(place, l);
        let candidates = lined_up.iter().enumerate().map(|one| Candidate { probability: probability(one), ..one.1.costs });
        let budget = &self.request.budget;
        let limits = Limits {
            max_tokens: budget.max_tokens,
            max_tools: budget.max_tools,
            frame: budget.tokenizer.frame(),
            first: lined_up.iter().filter(|l| l.pinned).count().max(budget.min_tools),
            values: self.values,
        };
        compact::pack(&candidates.collect::<Vec<_>>(), &limits)
    }

    /// How likely it is that the tool in this place is needed. What the caller pins or names is; where nothing is calibrated, places tell.
    fn probability(&self, place: usize, lined_up: &LinedUp<'_>) -> f32 {
        let is_asked_for = lined_up.pinned || lined_up.scored.is_some_and(|scored| scored.mentioned);
        let by_place = 1.0 / (place as f32 + 2.0);
        let believed = lined_up.scored.and_then(|scored| self.belief.tool(&scored)).unwrap_or(by_place);
        if is_asked_for { 1.0 } else { believed }
    }

    /// Writes the list. Packing adds upper bounds, so the exact count of what is written fits; it is made all the same, because the cap is
    /// the promise. What was counted at registration is not counted again: see [`Costs::line`](compact::Costs::line).
    pub(super) fn render(&self, lined_up: &[LinedUp<'_>], kept: &[(usize, Fidelity)]) -> (Vec<Selected>, String, TokenCount) {
        let (format, counter) = (self.request.format, &self.request.budget.tokenizer);
        let mut tools: Vec<Selected> = Vec::with_capacity(kept.len());
        let mut lines = Vec::with_capacity(kept.len());
        for (lined_up, fidelity) in kept.iter().filter_map(|(i, fidelity)| Some((lined_up.get(*i)?, *fidelity))) {
            let (definition, line) = match &lined_up.written {
                Some(written) => (written.text(fidelity).to_owned(), written.line(fidelity)),
                None => {
                    let definition = lined_up.entry.rendering(format, fidelity);
                    let line = lined_up.entry.record.costs.line(format, fidelity, counter.base(), &definition);
                    (definition, line)
                }
            };
            lines.push(line);
            tools.push(self.selected(lined_up, fidelity, definition));
        }
        loop {
            let prompt = compact::prompt(tools.iter().map(|tool| tool.definition.as_str()));
            let tokens = counter.list_tokens(&lines, &prompt);
            if tokens + counter.overhead().around(tools.len()) <= self.request.budget.max_tokens || tools.is_empty() {
                return (tools, prompt, tokens);
            }
            lines.pop();
            tools.pop();
        }
    }

    fn selected(&self, lined_up: &LinedUp<'_>, fidelity: Fidelity, definition: String) -> Selected {
        let record = &lined_up.entry.record;
        Selected {
            id: record.tool.id.clone(),
            model_name: record.model_name.clone(),
            score: lined_up.scored.map_or(0.0, |scored| scored.score),
            confidence: lined_up.scored.and_then(|scored| self.belief.tool(&scored)),
            fidelity,
            tokens: lined_up.tokens(fidelity, &self.request.budget.tokenizer),
            profile: lined_up.written.as_ref().map_or(self.request.profile, |written| written.profile),
            is_lossy: lined_up.written.as_ref().is_some_and(|written| written.is_lossy),
            profile_detail: lined_up.written.as_ref().map_or_else(String::new, |written| written.detail.clone()),
            definition,
            reasons: if self.request.explain { self.reasons(lined_up.scored.as_ref(), lined_up.pinned) } else { Vec::new() },
        }
    }

    fn reasons(&self, scored: Option<&Scored>, pinned: bool) -> Vec<String> {
        answer::reasons(scored, pinned, |slot| self.catalog.at(slot).map(|entry| &entry.record.tool.id))
    }

    /// Of what packing left out, the part a caller would miss: pinned tools, and those among the first `max_tools`.
    pub(super) fn dropped(&self, lined_up: &[LinedUp<'_>], left_out: &[(usize, DropReason)]) -> Vec<Dropped> {
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

    pub(super) fn usage(&self, lined_up: &[LinedUp<'_>], tools: usize, returned: TokenCount) -> Usage {
        let (format, counter) = (self.request.format, &self.request.budget.tokenizer);
        let base = counter.base();
        let eligible_tokens = if self.request.scope.is_everything() {
            self.catalog.full_tokens(format, base)
        } else {
            let entries = self.eligible.iter().filter_map(|slot| self.catalog.at(slot));
            entries.map(|entry| u64::from(entry.record.costs.get(format, Fidelity::Full, base).0)).sum()
        };
        let sample = lined_up.iter().map(|l| (l.tokens(Fidelity::Full, counter), l.base_tokens(format, base)));
        Usage {
            eligible_tokens: counted::total(eligible_tokens, sample, counter),
            returned,
            overhead: counter.overhead().around(tools),
            max_tokens: self.request.budget.max_tokens,
            eligible_tools: self.eligible.len(),
        }
    }

    pub(super) fn no_match(&self, lined_up: &[LinedUp<'_>]) -> NoMatch {
        if self.catalog.enabled().is_empty() {
            return NoMatch::EmptyCatalog { registered: self.catalog.len() };
        }
        if self.eligible.is_empty() {
            return NoMatch::EmptyScope { enabled: self.catalog.enabled().len() };
        }
        if let Some(Unlikely { confidence, least }) = self.belief.nothing_fits(self.request).filter(|_| lined_up.is_empty()) {
            return NoMatch::LowConfidence { confidence, least };
        }
        match lined_up.iter().map(|l| l.costs.least()).min() {
            Some(smallest) => {
                let smallest = smallest + self.request.budget.tokenizer.frame();
                NoMatch::OverBudget { smallest, max_tokens: self.request.budget.max_tokens }
            }
            None => match self.ranked.first().and_then(|first| self.belief.too_unlikely(self.request, first)) {
                Some(Unlikely { confidence, least }) => NoMatch::LowConfidence { confidence, least },
                None => NoMatch::NothingRelevant,
            },
        }
    }

    /// What of its confidence, or of all tools', keeps a tool out that is not reported as dropped.
    fn why_not(&self, scored: Option<&Scored>, id: &ToolId) -> Option<String> {
        if let Some(Unlikely { confidence, least }) = self.belief.nothing_fits(self.request) {
            return Some(NoMatch::LowConfidence { confidence, least }.detail());
        }
        let Unlikely { confidence, least } = self.belief.too_unlikely(self.request, scored?)?;
        Some(DropCause::LowConfidence { confidence, least }.detail(id))
    }

    pub(super) fn explain(&self, tools: &[Selected], dropped: &[Dropped]) -> Vec<Explanation> {
        let explain = |id: &ToolId| {
            let rank = self.catalog.slot(id).and_then(|slot| self.ranked.iter().position(|scored| scored.slot == slot));
            let scored = rank.and_then(|rank| self.ranked.get(rank));
            let fate = if let Some(place) = tools.iter().position(|tool| tool.id == *id) {
                format!("returned, place {} of {}, {}", place + 1, tools.len(), tools[place].fidelity.name())
            } else if let Some(dropped) = dropped.iter().find(|dropped| dropped.id == *id) {
                format!("not returned: {}", dropped.detail)
            } else {
                let why = match (self.pinnable(id), scored) {
                    (Err(cause), _) => cause.detail(id),
                    (Ok(_), scored) => self.why_not(scored, id).unwrap_or_else(|| match scored {
                        None => "nothing in common with the query".to_owned(),
                        Some(_) => format!("others ranked higher, and {} came into the list", tools.len()),
                    }),
                };
                format!("not returned: {why}")
            };
            Explanation {
                id: id.clone(),
                fate,
                rank: rank.map(|rank| rank + 1),
                score: scored.map(|scored| scored.score),
                reasons: scored.map_or_else(Vec::new, |scored| self.reasons(Some(scored), false)),
            }
        };
        self.request.explain_tools.iter().map(explain).collect()
    }
}
