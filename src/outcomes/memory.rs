//! All of it behind one lock, which is held for the time that adding takes: a selection adds its list, a report adds its calls.
//!
//! One lock and not four: what belongs to a call is seen by readers whole or not at all, and nobody can take two in different orders.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Calls, Cited, Counted, Edge, OTHER, Reported, Rollup, SelectionId, Selections, Shown, ToolMinute, ToolTotals, Window,
};
use crate::tool::TenantId;

/// What is known of calls.
#[derive(Debug)]
pub struct Outcomes {
    state: Mutex<State>,
    /// Whether anything is kept for the store.
    keeps: bool,
}

#[derive(Debug, Default)]
struct State {
    selections: Selections,
    calls: Calls,
    rollup: Rollup,
    window: Window,
    counted: u64,
    given_up: u64,
    tokens: HashMap<TenantId, Tokens>,
}

/// Tokens of a tenant's models since the start, as reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
}

/// Tenants whose tokens are added up each for itself; the rest share one sum.
const MAX_TENANTS: usize = 100;

impl State {
    fn spend(&mut self, counted: &Counted) {
        let known = self.tokens.len() < MAX_TENANTS || self.tokens.contains_key(&counted.tenant);
        let tenant = if known { counted.tenant.clone() } else { TenantId::new(OTHER) };
        let tokens = self.tokens.entry(tenant).or_default();
        tokens.input = tokens.input.saturating_add(counted.input_tokens.unwrap_or(0));
        tokens.output = tokens.output.saturating_add(counted.output_tokens.unwrap_or(0));
    }
}

impl Outcomes {
    /// Nothing yet. Unless it `keeps` them, counts are for the last hour only and nothing waits for the store.
    #[must_use]
    pub fn new(keeps: bool) -> Self {
        Self { state: Mutex::default(), keeps }
    }

    /// Nothing in here panics half way; were it to, counts that are off by one are better than none from then on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a selection and counts its tools as returned.
    pub fn shown(&self, id: SelectionId, shown: Shown, now_ms: u64) {
        let mut state = self.state();
        for (tool, _) in &shown.tools {
            if self.keeps {
                state.rollup.shown(&shown.tenant, tool, now_ms);
            }
            state.window.shown(&shown.tenant, tool, now_ms);
        }
        state.selections.remember(id, shown);
    }

    /// Counts a call; `None` when it was counted before.
    pub fn count(&self, tenant: &TenantId, reported: Reported, now_ms: u64) -> Option<Counted> {
        let mut state = self.state();
        if !state.calls.is_new(tenant, &reported.selection_id, &reported.call_id) {
            return None;
        }
        let known = SelectionId::parse(&reported.selection_id).and_then(|id| state.selections.get(tenant, id));
        let selection = match known {
            Some(_) => Cited::Known,
            None if reported.selection_id.is_empty() => Cited::Nothing,
            None => Cited::Unknown,
        };
        let agent = known.filter(|_| reported.agent.is_empty()).map(|shown| Arc::clone(&shown.agent));
        let traceparent = known.filter(|_| reported.traceparent.is_empty()).map(|shown| shown.traceparent.clone());
        let mut counted = Counted {
            tenant: tenant.clone(),
            place: known.and_then(|shown| shown.place(&reported.tool)).or(reported.place),
            tool: reported.tool,
            outcome: reported.outcome,
            error_class: reported.error_class,
            latency: reported.latency,
            input_tokens: reported.input_tokens,
            output_tokens: reported.output_tokens,
            agent: agent.unwrap_or_else(|| reported.agent.into()),
            traceparent: traceparent.unwrap_or(reported.traceparent),
            selection,
            is_kept: true,
        };
        counted.is_kept = !self.keeps || state.rollup.call(&counted, now_ms);
        state.window.call(&counted, now_ms);
        state.spend(&counted);
        state.counted += 1;
        Some(counted)
    }

    /// All that waits for the store. Whoever takes it answers for it.
    #[must_use]
    pub fn take(&self) -> Vec<ToolMinute> {
        self.state().rollup.take()
    }

    /// Whether so much waits that the store should have it now.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.state().rollup.is_crowded()
    }

    /// Calls that were taken for the store and never got there.
    pub fn give_up(&self, calls: u64) {
        self.state().given_up += calls;
    }

    /// Calls counted so far.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.state().counted
    }

    /// Of these, how many will never be in the store, though they should be.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let state = self.state();
        state.rollup.dropped_calls() + state.given_up
    }

    /// Tokens by tenant, by name; beyond a hundred the others are [`OTHER`].
    #[must_use]
    pub fn tokens(&self) -> Vec<(TenantId, Tokens)> {
        let mut all: Vec<_> = self.state().tokens.iter().map(|(tenant, tokens)| (tenant.clone(), *tokens)).collect();
        all.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        all
    }

    /// [`Window::tools`].
    #[must_use]
    pub fn tools(&self, minutes: u64, now_ms: u64) -> Vec<ToolTotals> {
        self.state().window.tools(minutes, now_ms)
    }

    /// [`Window::edges`].
    #[must_use]
    pub fn edges(&self, minutes: u64, now_ms: u64) -> Vec<Edge> {
        self.state().window.edges(minutes, now_ms)
    }
}
