//! The last hour, by minutes: which tools are returned and called, and who calls them. For the status page and the map, which are asked
//! every second and must not touch the store.
//!
//! Bounded by names: so many agents and tools have figures of their own, all others share one. A place is free again when whoever had it was
//! not seen for an hour. Pairs of agent and tool are bounded per minute as well; past that, an agent's calls of other tools share one
//! figure. At its worst all of it is some 30 MB.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::names::{NO_PLACE, Names};
use super::tally::bucket_of;
use super::{Counted, LATENCY_BOUNDS_MS, Latencies, MINUTE_MS, minute_of};
use crate::tool::{TenantId, ToolId};

/// What those are called that have no figures of their own.
pub const OTHER: &str = "_OTHER";

/// Minutes that are remembered.
const MINUTES: u64 = 60;
/// Most agents with figures of their own: a map of more is no picture.
const MAX_AGENTS: usize = 64;
/// Most tools with figures of their own.
const MAX_TOOLS: usize = 1_000;
/// Most pairs of agent and tool in a minute.
const MAX_EDGES: usize = 2_000;
/// The share of latencies that is told.
const SHARE: f64 = 0.95;

/// A tool of a tenant.
type TenantTool = (TenantId, ToolId);

/// Counts of one party, or between two, over a minute.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    returned: u32,
    calls: u32,
    errors: u32,
    latencies: [u32; LATENCY_BOUNDS_MS.len() + 1],
}

impl Traffic {
    fn call(&mut self, failed: bool, latency: Option<Duration>) {
        self.calls = self.calls.saturating_add(1);
        self.errors = self.errors.saturating_add(u32::from(failed));
        if let Some(count) = latency.and_then(|latency| self.latencies.get_mut(bucket_of(latency))) {
            *count = count.saturating_add(1);
        }
    }
}

/// The same over several.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    returned: u64,
    calls: u64,
    errors: u64,
    latencies: Latencies,
}

impl Sum {
    fn add(&mut self, traffic: &Traffic) {
        self.returned += u64::from(traffic.returned);
        self.calls += u64::from(traffic.calls);
        self.errors += u64::from(traffic.errors);
        self.latencies.0.iter_mut().zip(traffic.latencies).for_each(|(sum, count)| *sum += u64::from(count));
    }
}

#[derive(Debug)]
struct Minute {
    minute: u64,
    tools: HashMap<u16, Traffic>,
    edges: HashMap<(u16, u16), Traffic>,
}

/// A tool over some time.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolTotals {
    /// The tool and whose it is; `None`: all that have no figures of their own, [`OTHER`] for people.
    pub tool: Option<(TenantId, ToolId)>,
    /// How often a selection returned it.
    pub returned: u64,
    /// Calls, however they went.
    pub calls: u64,
    /// Of these, how many counted against it.
    pub errors: u64,
    /// 95th percentile of their latency.
    pub p95: Option<Duration>,
}

/// An agent's calls of a tool over some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Its name; empty for callers without one, [`OTHER`] for those that have no figures of their own.
    pub agent: Arc<str>,
    /// The tool, as in [`ToolTotals`].
    pub tool: Option<(TenantId, ToolId)>,
    /// Calls, however they went.
    pub calls: u64,
    /// Of these, how many counted against the tool.
    pub errors: u64,
    /// 95th percentile of their latency.
    pub p95: Option<Duration>,
}

/// The last hour.
#[derive(Debug)]
pub struct Window {
    /// Oldest first.
    minutes: VecDeque<Minute>,
    tools: Names<TenantTool>,
    agents: Names<Arc<str>>,
    max_edges: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self::bounded(MAX_AGENTS, MAX_TOOLS, MAX_EDGES)
    }
}

impl Window {
    /// Figures for at most so many agents and tools, and pairs of them in a minute.
    #[must_use]
    pub fn bounded(agents: usize, tools: usize, max_edges: usize) -> Self {
        Self { minutes: VecDeque::new(), tools: Names::bounded(tools), agents: Names::bounded(agents), max_edges }
    }

    /// Counts that a selection returned a tool.
    pub fn shown(&mut self, tenant: &TenantId, tool: &ToolId, now_ms: u64) {
        self.advance(now_ms);
        let number = self.tools.number(&(tenant.clone(), tool.clone()));
        if let Some(minute) = self.minutes.back_mut() {
            let traffic = minute.tools.entry(number).or_default();
            traffic.returned = traffic.returned.saturating_add(1);
        }
    }

    /// Counts a call.
    pub fn call(&mut self, counted: &Counted, now_ms: u64) {
        self.advance(now_ms);
        let tool = self.tools.number(&(counted.tenant.clone(), counted.tool.clone()));
        let agent = self.agents.number(&counted.agent);
        let Some(minute) = self.minutes.back_mut() else { return };
        let failed = counted.outcome.is_failure();
        minute.tools.entry(tool).or_default().call(failed, counted.latency);
        let crowded = self.max_edges <= minute.edges.len() && !minute.edges.contains_key(&(agent, tool));
        let edge = (agent, if crowded { NO_PLACE } else { tool });
        minute.edges.entry(edge).or_default().call(failed, counted.latency);
    }

    /// Makes the last minute the one of `now_ms`, and lets those go that are over an hour old. Of a clock that is set back a little, the
    /// newest minute takes what comes; one that is set back by more begins anew.
    fn advance(&mut self, now_ms: u64) {
        let now = minute_of(now_ms);
        match self.minutes.back().map(|newest| newest.minute) {
            Some(newest) if newest == now || (now < newest && newest < now + MINUTES) => return,
            Some(newest) if now < newest => self.minutes.clear(),
            _ => (),
        }
        let before = self.minutes.len();
        while self.minutes.front().is_some_and(|oldest| oldest.minute + MINUTES <= now) {
            self.minutes.pop_front();
        }
        if self.minutes.len() != before || before == 0 {
            self.free_names();
        }
        self.minutes.push_back(Minute { minute: now, tools: HashMap::new(), edges: HashMap::new() });
    }

    fn free_names(&mut self) {
        let (mut tools, mut agents) = (HashSet::new(), HashSet::new());
        for minute in &self.minutes {
            tools.extend(minute.tools.keys().copied());
            agents.extend(minute.edges.keys().map(|(agent, _)| *agent));
        }
        self.tools.keep(|number| tools.contains(&number));
        self.agents.keep(|number| agents.contains(&number));
    }

    /// The last so many minutes, of which the present one is under way.
    fn last(&self, minutes: u64, now_ms: u64) -> impl Iterator<Item = &Minute> {
        let from = (minute_of(now_ms) + 1).saturating_sub(minutes.clamp(1, MINUTES));
        self.minutes.iter().filter(move |minute| from <= minute.minute)
    }

    /// How long the last so many minutes are, of which the present one is under way.
    #[must_use]
    pub fn length(minutes: u64, now_ms: u64) -> Duration {
        let from = (minute_of(now_ms) + 1).saturating_sub(minutes.clamp(1, MINUTES));
        Duration::from_millis(now_ms.saturating_sub(from * MINUTE_MS))
    }

    /// Every tool of the last so many minutes, 1 to 60, most calls first, then most returned, then by name; the others last.
    #[must_use]
    pub fn tools(&self, minutes: u64, now_ms: u64) -> Vec<ToolTotals> {
        let counts = self.last(minutes, now_ms).flat_map(|minute| &minute.tools).map(|(tool, traffic)| (*tool, traffic));
        let total = |(tool, Sum { returned, calls, errors, latencies }): (u16, Sum)| ToolTotals {
            tool: self.tools.name(tool).cloned(),
            returned,
            calls,
            errors,
            p95: latencies.quantile(SHARE),
        };
        let mut totals: Vec<ToolTotals> = summed(counts).into_iter().map(total).collect();
        totals.sort_by(|a, b| {
            let order = |t: &ToolTotals| (t.tool.is_none(), std::cmp::Reverse((t.calls, t.returned)));
            order(a).cmp(&order(b)).then_with(|| a.tool.cmp(&b.tool))
        });
        totals
    }

    /// Who called which tool in the last so many minutes, 1 to 60, by agent, then by tool, the others last.
    #[must_use]
    pub fn edges(&self, minutes: u64, now_ms: u64) -> Vec<Edge> {
        let counts = self.last(minutes, now_ms).flat_map(|minute| &minute.edges).map(|(edge, traffic)| (*edge, traffic));
        let one = |((agent, tool), Sum { calls, errors, latencies, .. }): ((u16, u16), Sum)| Edge {
            agent: self.agent(agent),
            tool: self.tools.name(tool).cloned(),
            calls,
            errors,
            p95: latencies.quantile(SHARE),
        };
        let mut edges: Vec<Edge> = summed(counts).into_iter().map(one).collect();
        edges.sort_by(|a, b| (&a.agent, a.tool.is_none(), &a.tool).cmp(&(&b.agent, b.tool.is_none(), &b.tool)));
        edges
    }

    fn agent(&self, number: u16) -> Arc<str> {
        self.agents.name(number).cloned().unwrap_or_else(|| OTHER.into())
    }
}

fn summed<'a, K: Eq + std::hash::Hash>(counts: impl Iterator<Item = (K, &'a Traffic)>) -> HashMap<K, Sum> {
    let mut sums: HashMap<K, Sum> = HashMap::new();
    counts.for_each(|(key, traffic)| sums.entry(key).or_default().add(traffic));
    sums
}

#[cfg(test)]
mod tests;
