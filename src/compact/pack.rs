//! Fills a token cap: which tools, and how much of each.
//!
//! A tool is worth the probability that it is needed times the value of the form it is shown in. Which forms of which tools are worth most
//! under a cap is the multiple-choice knapsack problem (Sinha and Zoltners, 1979). Of each tool's forms those on the upper convex hull of
//! worth over tokens are steps, each dearer per worth than the one before; steps are taken by worth per token while they fit. That falls
//! short of the best there is by less than the worth of one step, the first that did not fit, because with a fraction of that step it would
//! be the best even where tools could be cut in pieces. Steps that did not fit then take the place of less useful ones where that gains.
//!
//! Three rules stand above worth. What must be shown comes first: what a prompt cache holds, pinned tools, as many as the caller wants.
//! One callable tool is shown wherever one fits. What is left in the end raises tools in their order, since a form that is worth no more by
//! the figures still has more to read.

mod steps;

use serde::{Deserialize, Serialize};

use self::steps::{Form, Plan};
use super::costs::Costs;
use super::directory::Line;
use super::render::{Fidelity, Format};
use super::tokens::Tokenizer;
use crate::tool::TokenCount;

/// How a tool is shown; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shown {
    /// As a line of the directory: to be known of, not to be called.
    Listed(Line),
    /// As an object that a model can call.
    Callable(Fidelity),
}

/// What each form is worth beside the whole definition, in `[0, 1]`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// A NAME line.
    pub name: f32,
    /// A SIGNATURE line.
    pub signature: f32,
    /// A SKELETON.
    pub skeleton: f32,
    /// LEAN.
    pub lean: f32,
    /// FULL.
    pub full: f32,
}

impl Default for Values {
    fn default() -> Self {
        Self { name: 0.2, signature: 0.6, skeleton: 0.9, lean: 1.0, full: 1.0 }
    }
}

impl Values {
    /// That of one form.
    #[must_use]
    pub fn of(&self, shown: Shown) -> f32 {
        match shown {
            Shown::Listed(Line::Name) => self.name,
            Shown::Listed(Line::Signature) => self.signature,
            Shown::Callable(Fidelity::Skeleton) => self.skeleton,
            Shown::Callable(Fidelity::Lean) => self.lean,
            Shown::Callable(Fidelity::Full) => self.full,
        }
    }
}

/// A tool that may be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// How likely it is needed, in `[0, 1]`.
    pub probability: f32,
    /// What it costs as SKELETON, LEAN and FULL. LEAN may cost less than SKELETON, since a cut can part a token.
    pub objects: [TokenCount; Fidelity::ALL.len()],
    /// What it costs as NAME and SIGNATURE line; nothing where no directory is wanted.
    pub lines: Option<[TokenCount; Line::ALL.len()]>,
    /// The form that it keeps, being in a prompt cache.
    pub held: Option<Fidelity>,
}

impl Candidate {
    /// The costs that matter to one request, as objects.
    #[must_use]
    pub fn of(costs: &Costs, format: Format, tokenizer: Tokenizer) -> Self {
        let objects = Fidelity::ALL.map(|fidelity| costs.get(format, fidelity, tokenizer));
        Self { probability: 0.0, objects, lines: None, held: None }
    }

    /// What that form costs; nothing where it may not have it.
    #[must_use]
    pub fn cost(&self, shown: Shown) -> Option<TokenCount> {
        match shown {
            Shown::Listed(line) => self.lines.map(|lines| lines[line as usize]),
            Shown::Callable(fidelity) => Some(self.objects[fidelity as usize]),
        }
    }

    /// What its smallest object costs.
    #[must_use]
    pub fn least(&self) -> TokenCount {
        self.held.map_or_else(
            || self.objects.into_iter().fold(TokenCount(u32::MAX), TokenCount::min),
            |held| self.objects[held as usize],
        )
    }

    fn callable(&self) -> impl Iterator<Item = Fidelity> + use<> {
        let held = self.held;
        Fidelity::ALL.into_iter().filter(move |fidelity| held.is_none_or(|held| held == *fidelity))
    }
}

/// What a packing must stay within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Most tokens of the list, its frame included, and the directory together.
    pub max_tokens: TokenCount,
    /// Most callable tools.
    pub max_tools: usize,
    /// Tokens of a list apart from its items: [`frame`](super::frame).
    pub frame: TokenCount,
    /// So many of the first candidates are shown before worth counts.
    pub first: usize,
    /// What forms are worth.
    pub values: Values,
}

/// What was kept, and why the rest was not. Indices are those of the candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Packing {
    /// The tools to show and how, in rank order.
    pub kept: Vec<(usize, Fidelity)>,
    /// The tools to list, in rank order.
    pub listed: Vec<(usize, Line)>,
    /// The tools left out, in rank order.
    pub dropped: Vec<(usize, DropReason)>,
    /// Frame and costs together: list and directory have at most this many tokens. 0 when nothing was kept.
    pub tokens: TokenCount,
    /// What it is worth: the sum of probability times value.
    pub worth: f32,
}

/// Why a tool was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Its smallest form is over what more useful ones left.
    OverBudget {
        /// Tokens of that form.
        needs: TokenCount,
        /// Tokens that were left.
        left: TokenCount,
    },
    /// There were as many tools as allowed.
    MaxTools,
}

/// Packs candidates, best first, what must be shown before all.
#[must_use]
pub fn pack(candidates: &[Candidate], limits: &Limits) -> Packing {
    // A cap below the frame has no room for any list, not even for one of tools that cost nothing.
    let room = (limits.frame <= limits.max_tokens).then(|| limits.max_tokens.saturating_sub(limits.frame));
    let Some(room) = room else { return nothing(candidates) };
    let mut plan = Plan::new(candidates.len(), room);
    let mut may_be_called = 0;
    let allowed: Vec<bool> = candidates
        .iter()
        .map(|candidate| {
            let fits = candidate.least() <= room && may_be_called < limits.max_tools;
            may_be_called += usize::from(fits);
            fits
        })
        .collect();
    let object = |index: usize, fidelity| form(candidates, limits, index, Shown::Callable(fidelity));
    for (index, candidate) in candidates.iter().enumerate() {
        let must = index < limits.first || plan.callable == 0;
        if must && allowed[index] && candidate.least() <= plan.left {
            let least = candidate.callable().find(|fidelity| candidate.objects[*fidelity as usize] == candidate.least());
            least.and_then(|fidelity| object(index, fidelity)).into_iter().for_each(|form| plan.set(index, form));
        }
    }
    let forms = |index: usize| {
        let (candidate, is_allowed) = (&candidates[index], allowed[index]);
        let lines = Line::ALL.map(Shown::Listed).into_iter().filter(|_| candidate.held.is_none());
        let objects = candidate.callable().map(Shown::Callable).filter(move |_| is_allowed);
        lines.chain(objects).filter_map(move |shown| form(candidates, limits, index, shown))
    };
    plan.take(candidates.len(), forms);
    // A callable form for those behind the last that was allowed, where one before them found no room.
    for (index, candidate) in candidates.iter().enumerate() {
        let back = plan.at(index).map_or(TokenCount(0), |form| form.cost);
        if plan.callable < limits.max_tools && !plan.is_callable(index) && candidate.least() <= plan.left + back {
            let fits = |fidelity: &Fidelity| candidate.objects[*fidelity as usize] <= plan.left + back;
            candidate
                .callable()
                .filter(fits)
                .last()
                .and_then(|fidelity| object(index, fidelity))
                .into_iter()
                .for_each(|form| plan.set(index, form));
        }
    }
    for index in 0..candidates.len() {
        let now = plan.at(index);
        let room = plan.left + now.map_or(TokenCount(0), |form| form.cost);
        let is_open = |form: &Form| plan.is_callable(index) || matches!(form.shown, Shown::Listed(_));
        let greater = forms(index).filter(|form| now.is_none_or(|now| now.shown < form.shown) && form.cost <= room);
        greater.filter(is_open).max_by_key(|form| form.shown).into_iter().for_each(|form| plan.set(index, form));
    }
    finish(candidates, limits, &plan)
}

fn form(candidates: &[Candidate], limits: &Limits, index: usize, shown: Shown) -> Option<Form> {
    let candidate = &candidates[index];
    let worth = candidate.probability.clamp(0.0, 1.0) * limits.values.of(shown);
    Some(Form { shown, cost: candidate.cost(shown)?, worth })
}

fn nothing(candidates: &[Candidate]) -> Packing {
    let over = |(index, candidate): (usize, &Candidate)| {
        (index, DropReason::OverBudget { needs: candidate.least(), left: TokenCount(0) })
    };
    let dropped = candidates.iter().enumerate().map(over).collect();
    Packing { kept: Vec::new(), listed: Vec::new(), dropped, tokens: TokenCount(0), worth: 0.0 }
}

fn finish(candidates: &[Candidate], limits: &Limits, plan: &Plan) -> Packing {
    let mut packing = Packing { kept: Vec::new(), listed: Vec::new(), dropped: Vec::new(), tokens: TokenCount(0), worth: 0.0 };
    for (index, candidate) in candidates.iter().enumerate() {
        let Some(form) = plan.at(index) else {
            let (needs, left) = (candidate.least(), plan.left);
            let reason = if left < needs { DropReason::OverBudget { needs, left } } else { DropReason::MaxTools };
            packing.dropped.push((index, reason));
            continue;
        };
        packing.worth += form.worth;
        match form.shown {
            Shown::Callable(fidelity) => packing.kept.push((index, fidelity)),
            Shown::Listed(line) => packing.listed.push((index, line)),
        }
    }
    if !packing.kept.is_empty() || !packing.listed.is_empty() {
        packing.tokens = limits.max_tokens.saturating_sub(plan.left);
    }
    packing
}

#[cfg(test)]
mod tests;
