//! Lists that stay from turn to turn, so that the model's prompt cache is paid for once.
//!
//! A cache holds a prompt as far as it begins with the very bytes of the one before. So the tools of the list before keep their places and
//! their forms, and only what this turn misses is appended: in rank order, until the list is worth nearly as much as one made for this turn
//! alone. That works while there is room, so a list that is made anew does not fill the cap. When the old list has become a poor one it is
//! given up, since a model that lacks its tool costs more than a cache that is filled again.

use std::collections::HashSet;

use super::{LinedUp, Selection};
use crate::compact::{self, Candidate, DropReason, Fidelity, Limits, Line, Packing};
use crate::select::answer::{Change, DropCause, Stay, definition_hash};
use crate::select::request::{Previous, Request};
use crate::tool::TokenCount;

/// Tools are appended until the list has this share of the worth of one that is made anew: the rest is the tail that any list ends with.
const ENOUGH: f32 = 0.95;
/// A list that would have less than this share of it is made anew.
const TOO_LITTLE: f32 = 0.8;
/// A list that is made anew may take so many parts of the cap in three.
const FILLED_THIRDS: u32 = 2;

/// What is shown, and how.
#[derive(Debug)]
pub(in crate::select) struct Chosen {
    /// Callable tools in the order of the list.
    pub(in crate::select) kept: Vec<(usize, Fidelity)>,
    /// Lines of the directory, in theirs.
    pub(in crate::select) listed: Vec<(usize, Line)>,
    /// What is not shown, and why.
    pub(in crate::select) dropped: Vec<(usize, DropCause)>,
    /// Tokens that packing had left; what is kept back for later turns is not among them.
    pub(in crate::select) left: TokenCount,
    /// What became of the list before, where the caller wants it kept.
    pub(in crate::select) stay: Option<Stay>,
}

impl Chosen {
    /// What packing chose within the limits of `request`.
    pub(super) fn anew(packing: Packing, request: &Request) -> Self {
        let dropped = packing.dropped.iter().map(|(index, reason)| (*index, cause(*reason, request))).collect();
        let left = request.budget.max_tokens.saturating_sub(packing.tokens);
        Self { kept: packing.kept, listed: packing.listed, dropped, left, stay: None }
    }
}

fn cause(reason: DropReason, request: &Request) -> DropCause {
    match reason {
        DropReason::OverBudget { needs, left } => DropCause::OverBudget { needs, left },
        DropReason::MaxTools => DropCause::MaxTools { limit: request.budget.max_tools },
    }
}

/// As much of the list before as is still what it was.
struct Held {
    tools: Vec<(usize, Fidelity)>,
    /// Why that is not all.
    broken: Option<String>,
}

impl<'a> Selection<'a> {
    /// Keeps the list before where that is good enough.
    pub(super) fn keep(&self, previous: &[Previous], lined_up: &mut Vec<LinedUp<'a>>) -> Chosen {
        let max_tokens = self.request.budget.max_tokens;
        let (first, ranked) = (self.first(lined_up), lined_up.len());
        let filled = TokenCount((u64::from(max_tokens.0) * u64::from(FILLED_THIRDS) / 3) as u32);
        let mut packed_in = filled;
        let mut fresh = self.pack(lined_up, packed_in);
        let is_shown = |packing: &Packing, index: usize| packing.kept.iter().any(|(kept, _)| *kept == index);
        if fresh.kept.is_empty() || (0..first.min(ranked)).any(|index| !is_shown(&fresh, index)) {
            packed_in = max_tokens;
            fresh = self.pack(lined_up, packed_in);
        }
        let held = self.held(previous, lined_up);
        let appended = self.append(&held.tools, &fresh, lined_up, first);
        let (kept, why) = match appended {
            Ok(kept) => (kept, held.broken.unwrap_or_default()),
            Err(why) => (fresh.kept.clone(), why),
        };
        let ids = kept.iter().filter_map(|(index, fidelity)| Some((&lined_up.get(*index)?.entry.record.tool.id, *fidelity)));
        let same = previous.iter().zip(ids).take_while(|(before, now)| (&before.id, before.fidelity) == *now).count();
        let kept_tools = same.min(held.tools.len());
        let (change, detail) = match kept_tools {
            _ if previous.is_empty() => (Change::First, String::new()),
            all if all == previous.len() => (Change::Appended, String::new()),
            _ => (Change::Rebuilt, why),
        };
        let chosen = self.fill(kept, &fresh, lined_up, ranked);
        let left = chosen.left.min(packed_in.saturating_sub(fresh.tokens));
        Chosen { stay: Some(Stay { change, kept_tools, detail }), left, ..chosen }
    }

    /// The list before, up to the first tool that is not what it was. Tools that no longer rank are added to `lined_up`.
    fn held(&self, previous: &[Previous], lined_up: &mut Vec<LinedUp<'a>>) -> Held {
        let mut held = Held { tools: Vec::with_capacity(previous.len()), broken: None };
        for before in previous {
            let slot = match self.available(&before.id) {
                Ok(slot) => slot,
                Err(cause) => {
                    held.broken = Some(cause.detail(&before.id));
                    break;
                }
            };
            let known = lined_up.iter().position(|l| l.entry.record.tool.id == before.id);
            let index = known.unwrap_or(lined_up.len());
            if known.is_none() {
                lined_up.extend(self.candidate(slot, self.scored(slot), false));
            }
            let Some(now) = lined_up.get(index) else { break };
            if !before.hash.is_empty() && before.hash != definition_hash(&self.definition(now, before.fidelity)) {
                held.broken = Some(format!("{} is written otherwise than before", before.id));
                break;
            }
            held.tools.push((index, before.fidelity));
        }
        held
    }

    /// `held` and what this turn misses; or why the list is better made anew.
    fn append(
        &self,
        held: &[(usize, Fidelity)],
        fresh: &Packing,
        lined_up: &[LinedUp<'_>],
        first: usize,
    ) -> Result<Vec<(usize, Fidelity)>, String> {
        let budget = &self.request.budget;
        let cost = |(index, fidelity): (usize, Fidelity)| lined_up[index].costs.objects[fidelity as usize];
        let worth = |(index, fidelity): (usize, Fidelity)| {
            self.probability(index, &lined_up[index]) * self.values.of(compact::Shown::Callable(fidelity))
        };
        let frame = budget.tokenizer.frame();
        let needs = held.iter().fold(frame, |sum, tool| sum + cost(*tool));
        if budget.max_tokens < needs {
            return Err(format!("the list before needs {needs} tokens, max_tokens is {}", budget.max_tokens));
        }
        if budget.max_tools < held.len() {
            return Err(format!("the list before has {} tools, max_tools is {}", held.len(), budget.max_tools));
        }
        let anew: f32 = fresh.kept.iter().map(|tool| worth(*tool)).sum();
        let mut has: f32 = held.iter().map(|tool| worth(*tool)).sum();
        let mut room = budget.max_tokens.saturating_sub(needs);
        let mut kept = held.to_vec();
        let there: HashSet<usize> = held.iter().map(|(index, _)| *index).collect();
        for tool in fresh.kept.iter().copied().filter(|(index, _)| !there.contains(index)) {
            let must = tool.0 < first;
            if !must && ENOUGH * anew <= has {
                break;
            }
            if cost(tool) <= room && kept.len() < budget.max_tools {
                room = room.saturating_sub(cost(tool));
                has += worth(tool);
                kept.push(tool);
            } else if must {
                return Err(format!("{} has no room behind the list before", lined_up[tool.0].entry.record.tool.id));
            }
        }
        if has < TOO_LITTLE * anew {
            let percent = has / anew * 100.0;
            return Err(format!("the list before, with what fits behind it, is worth {percent:.0} % of one made for this turn"));
        }
        Ok(kept)
    }

    /// `kept` with a directory of the first `ranked` in what it leaves of the cap, where one is wanted.
    fn fill(&self, kept: Vec<(usize, Fidelity)>, fresh: &Packing, lined_up: &[LinedUp<'_>], ranked: usize) -> Chosen {
        let budget = &self.request.budget;
        let shown: HashSet<usize> = kept.iter().map(|(index, _)| *index).collect();
        let others = (0..ranked).filter(|index| !shown.contains(index));
        let order: Vec<usize> = kept.iter().map(|(index, _)| *index).chain(others).collect();
        let candidate = |(place, index): (usize, &usize)| {
            let lined_up = &lined_up[*index];
            let held = kept.get(place).map(|(_, fidelity)| *fidelity);
            Candidate { probability: self.probability(*index, lined_up), held, ..lined_up.costs }
        };
        let candidates: Vec<Candidate> = order.iter().enumerate().map(candidate).collect();
        let frame = budget.tokenizer.frame();
        let limits =
            Limits { max_tokens: budget.max_tokens, max_tools: kept.len(), frame, first: kept.len(), values: self.values };
        let header = if self.request.directory { budget.tokenizer.directory_frame() } else { TokenCount(0) };
        let packing = compact::pack(&candidates, &Limits { frame: frame + header, ..limits });
        // No room for the header: then there is no directory.
        let has_room = packing.kept.len() == kept.len();
        let tokens = if has_room { packing.tokens } else { compact::pack(&candidates, &limits).tokens };
        let listed =
            packing.listed.into_iter().filter(|_| has_room).map(|(place, line)| (order[place], line)).collect::<Vec<_>>();
        let missed = |index: &usize| !shown.contains(index) && listed.iter().all(|(listed, _)| listed != index);
        let left = budget.max_tokens.saturating_sub(tokens);
        let dropped = (0..ranked).filter(missed).map(|index| {
            let planned = fresh.dropped.iter().find(|(dropped, _)| *dropped == index);
            let would_be_kept = fresh.kept.iter().any(|(kept, _)| *kept == index);
            let cause = match planned {
                Some((_, reason)) => cause(*reason, self.request),
                None if would_be_kept => DropCause::NotMissed,
                None => DropCause::OverBudget { needs: lined_up[index].costs.least(), left },
            };
            (index, cause)
        });
        let dropped = dropped.collect();
        Chosen { dropped, kept, listed, left, stay: None }
    }
}
