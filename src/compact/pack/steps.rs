//! The knapsack itself: forms become steps, steps are taken by worth per token.

use super::Shown;
use crate::tool::TokenCount;

/// Steps that did not fit and are tried in the place of others: those of most worth per token come first, and one of them is what keeps
/// the rest from being the best.
const TRIED_AGAIN: usize = 16;

/// One form of one tool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    pub(super) shown: Shown,
    pub(super) cost: TokenCount,
    pub(super) worth: f32,
}

/// What is shown so far.
#[derive(Debug)]
pub(super) struct Plan {
    chosen: Vec<Option<Form>>,
    pub(super) left: TokenCount,
    pub(super) callable: usize,
}

/// From one form of a tool, or none, to a better one.
#[derive(Clone, Copy, Debug)]
struct Step {
    index: usize,
    from: Option<Form>,
    to: Form,
    /// Worth per token.
    rate: f64,
}

impl Step {
    fn new(index: usize, from: Option<Form>, to: Form) -> Self {
        let step = Self { index, from, to, rate: 0.0 };
        Self { rate: f64::from(step.gain()) / f64::from(step.tokens()).max(0.5), ..step }
    }

    fn tokens(&self) -> u32 {
        self.to.cost.0.saturating_sub(self.from.map_or(0, |form| form.cost.0))
    }

    fn gain(&self) -> f32 {
        self.to.worth - self.from.map_or(0.0, |form| form.worth)
    }
}

impl Plan {
    pub(super) fn new(candidates: usize, room: TokenCount) -> Self {
        Self { chosen: vec![None; candidates], left: room, callable: 0 }
    }

    pub(super) fn at(&self, index: usize) -> Option<Form> {
        self.chosen.get(index).copied().flatten()
    }

    pub(super) fn is_callable(&self, index: usize) -> bool {
        self.at(index).is_some_and(|form| matches!(form.shown, Shown::Callable(_)))
    }

    /// Shows the tool so, and no longer as it was; the caller knows that it fits.
    pub(super) fn set(&mut self, index: usize, form: Form) {
        self.put(index, Some(form));
    }

    fn put(&mut self, index: usize, form: Option<Form>) {
        let back = self.at(index).map_or(TokenCount(0), |form| form.cost);
        self.callable -= usize::from(self.is_callable(index));
        self.left = (self.left + back).saturating_sub(form.map_or(TokenCount(0), |form| form.cost));
        if let Some(chosen) = self.chosen.get_mut(index) {
            *chosen = form;
        }
        self.callable += usize::from(self.is_callable(index));
    }

    fn fits(&self, step: &Step) -> bool {
        step.tokens() <= self.left.0
    }

    /// Takes steps of all tools, those of most worth per token first.
    pub(super) fn take<F: Iterator<Item = Form>>(&mut self, candidates: usize, forms: impl Fn(usize) -> F) {
        let mut steps: Vec<Step> = Vec::with_capacity(candidates * 3);
        let mut of_one = Vec::new();
        for index in 0..candidates {
            of_one.clear();
            of_one.extend(forms(index));
            hull(index, self.at(index), &mut of_one, &mut steps);
        }
        // A stable sort: equal rates in rank order, and the steps of one tool in theirs.
        steps.sort_by(|a, b| b.rate.total_cmp(&a.rate));
        let (mut taken, mut missed) = (Vec::new(), Vec::new());
        for step in steps {
            if self.at(step.index) != step.from {
                continue;
            }
            if self.fits(&step) {
                self.set(step.index, step.to);
                taken.push(step);
            } else if missed.len() < TRIED_AGAIN {
                missed.push(step);
            }
        }
        for step in missed {
            self.try_again(&step, &mut taken);
        }
    }

    /// Takes `step` if undoing the last steps that were taken makes room at a smaller loss.
    fn try_again(&mut self, step: &Step, taken: &mut Vec<Step>) {
        if self.at(step.index) != step.from {
            return;
        }
        let (mut loss, mut room, mut undone) = (0.0, self.left.0, Vec::new());
        for (place, other) in taken.iter().enumerate().rev() {
            if step.tokens() <= room {
                break;
            }
            let is_last = self.at(other.index) == Some(other.to);
            if other.index == step.index || !is_last {
                continue;
            }
            loss += other.gain();
            room = room.saturating_add(other.tokens());
            undone.push(place);
            if step.gain() <= loss {
                return;
            }
        }
        if room < step.tokens() {
            return;
        }
        for place in undone {
            let other = taken.remove(place);
            self.put(other.index, other.from);
        }
        self.set(step.index, step.to);
        taken.push(*step);
    }
}

/// The steps of one tool: its forms on the upper convex hull of worth over tokens, from the one it has.
fn hull(index: usize, from: Option<Form>, forms: &mut Vec<Form>, steps: &mut Vec<Step>) {
    let (base_cost, base_worth) = from.map_or((0, 0.0), |form| (form.cost.0, form.worth));
    forms.retain(|form| base_worth < form.worth && base_cost <= form.cost.0);
    forms.sort_by(|a, b| a.cost.cmp(&b.cost).then(b.worth.total_cmp(&a.worth)));
    let first = steps.len();
    for form in forms.iter().copied() {
        let before = steps.get(first..).and_then(<[Step]>::last).map_or(base_worth, |step| step.to.worth);
        if form.worth <= before {
            continue;
        }
        // A step that gains less per token than the one over it is no corner of the hull: the two become one.
        let mut step = Step::new(index, steps.get(first..).and_then(<[Step]>::last).map_or(from, |step| Some(step.to)), form);
        while let Some(last) = steps.get(first..).and_then(<[Step]>::last)
            && last.rate <= step.rate
        {
            step = Step::new(index, last.from, form);
            steps.pop();
        }
        steps.push(step);
    }
}
