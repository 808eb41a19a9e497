//! From a ranking to the list under the cap: pinned first → pack → write, with what was left out and why.

mod continuity;
mod fates;
mod written;

use std::collections::HashSet;
use std::sync::Arc;

pub(super) use self::continuity::Chosen;
use super::CANDIDATES;
use super::answer::{DropCause, Dropped};
use super::belief::{Belief, Unlikely};
use super::counted::Definition;
use super::request::Request;
use super::styled::Styled;
use crate::catalog::{Entry, State, TenantCatalog};
use crate::compact::profile::Written;
use crate::compact::{self, Candidate, Counter, Fidelity, Format, Limits, Packing, Tokenizer, Values};
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
            match self.available(id) {
                Ok(slot) => {
                    if taken.insert(slot) {
                        lined_up.extend(self.candidate(slot, self.scored(slot), true));
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

    /// The slot of a tool that the caller names, or why it cannot be had.
    fn available(&self, id: &ToolId) -> Result<u32, DropCause> {
        let slot = self.catalog.slot(id).ok_or(DropCause::NotFound)?;
        match self.catalog.at(slot) {
            Some(entry) if entry.record.state == State::Disabled => Err(DropCause::Disabled),
            _ if self.eligible.contains(slot) => Ok(slot),
            _ => Err(DropCause::OutOfScope),
        }
    }

    fn scored(&self, slot: u32) -> Option<&Scored> {
        self.ranked.iter().find(|scored| scored.slot == slot)
    }

    fn candidate(&self, slot: u32, scored: Option<&Scored>, pinned: bool) -> Option<LinedUp<'a>> {
        let entry = self.catalog.at(slot)?;
        let (style, counter) = (self.request.style(pinned), &self.request.budget.tokenizer);
        let written = (!style.is_counted()).then(|| self.styled.written(self.catalog.tenant(), entry, style, counter.base()));
        let counted = Candidate::of(&entry.record.costs, style.format, counter.base());
        let base = written.as_ref().map_or(counted.objects, |written| written.costs());
        let definition = Definition { tenant: self.catalog.tenant(), entry, style, written: written.as_deref() };
        let objects = self.styled.counted.objects(&definition, base, counter).map(|cost| cost + counter.overhead().per_tool);
        let lines = self.request.directory.then(|| self.styled.counted.lines(&definition, counter));
        Some(LinedUp { entry, scored: scored.copied(), pinned, costs: Candidate { objects, lines, ..counted }, written })
    }

    /// Which tools to show, and how.
    pub(super) fn choose(&self, lined_up: &mut Vec<LinedUp<'a>>) -> Chosen {
        match &self.request.previous {
            None => Chosen::anew(self.pack(lined_up, self.request.budget.max_tokens), self.request),
            Some(previous) => self.keep(previous, lined_up),
        }
    }

    /// The most useful of `lined_up` in `max_tokens`.
    fn pack(&self, lined_up: &[LinedUp<'_>], max_tokens: TokenCount) -> Packing {
        let one = |(place, l): (usize, &LinedUp<'_>)| Candidate { probability: self.probability(place, l), ..l.costs };
        let mut candidates: Vec<Candidate> = lined_up.iter().enumerate().map(one).collect();
        let budget = &self.request.budget;
        let frame = budget.tokenizer.frame();
        let limits = Limits { max_tokens, max_tools: budget.max_tools, frame, first: self.first(lined_up), values: self.values };
        if self.request.directory {
            let frame = frame + budget.tokenizer.directory_frame();
            let packing = compact::pack(&candidates, &Limits { frame, ..limits });
            // A directory must not cost the one callable tool its place.
            if !packing.kept.is_empty() || candidates.iter().all(|candidate| max_tokens < candidate.least() + limits.frame) {
                return packing;
            }
            candidates.iter_mut().for_each(|candidate| candidate.lines = None);
        }
        compact::pack(&candidates, &limits)
    }

    /// So many of the first are shown before worth counts.
    fn first(&self, lined_up: &[LinedUp<'_>]) -> usize {
        lined_up.iter().filter(|l| l.pinned).count().max(self.request.budget.min_tools)
    }

    /// How likely it is that the tool in this place is needed. What the caller pins or names is; where nothing is calibrated, places tell.
    /// A tool that ranks nowhere is not.
    fn probability(&self, place: usize, lined_up: &LinedUp<'_>) -> f32 {
        let by_place = 1.0 / (place as f32 + 2.0);
        match lined_up.scored {
            _ if lined_up.pinned => 1.0,
            Some(scored) if scored.mentioned => 1.0,
            Some(scored) => self.belief.placed(&scored, place).unwrap_or(by_place),
            None => 0.0,
        }
    }
}
