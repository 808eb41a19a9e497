//! What the last minutes were like, for an operator who asks this router and has no Prometheus at hand.
//!
//! Counted beside the meters and not read back from them: those only ever grow, and their percentiles have no window. Everything is bounded,
//! whatever callers call themselves and however many tools there are: a ring of slots for all calls, a ring of minutes for every agent and
//! tool, and a name that was idle for a whole round makes room for others. It is on the path of every selection, so it takes one lock for
//! less than a microsecond of additions, and allocates only for a name it has not seen. Nothing here reads a clock.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::{Counter, Histogram};

use crate::catalog::TenantCatalog;
use crate::select::{Answer, Mode};
use crate::tool::{TenantId, ToolId};

/// Length of a slot: the last minute is known to a sixth of it.
const SLOT: Duration = Duration::from_secs(10);
/// Slots in a minute.
const PER_MINUTE: usize = 6;
/// Minutes that are kept.
pub const MINUTES: usize = 15;
/// Agents that are told apart; the others are one.
const MAX_AGENTS: usize = 64;
/// Tenants that are told apart; the same number as in the meters.
const MAX_TENANTS: usize = 100;
/// Tools that are counted; others are left out until one of these was not returned for a whole round.
const MAX_TOOLS: usize = 1_000;
/// Stands for every name beyond those.
pub const OTHER: &str = "_OTHER";
/// The agent of a call that does not say.
pub const UNKNOWN_AGENT: &str = "unknown";
/// Longest duration that is told apart: the longest deadline that is believed, an hour, in microseconds.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// How a call ended, as far as rates go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was answered, or refused for what it asked.
    Well,
    /// A fault of ours, or late.
    Failed,
    /// Turned away under load.
    Shed,
}

/// Selections over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Calls that ended, in whatever way.
    pub calls: u64,
    /// Of these, how many failed.
    pub errors: u64,
    /// Of these, how many were turned away.
    pub sheds: u64,
    /// Selections that were answered.
    pub answered: u64,
    /// Of these, by words alone.
    pub lexical: u64,
    /// Of these, with no tool.
    pub no_match: u64,
    /// Tokens of all eligible tools at FULL.
    pub eligible_tokens: u64,
    /// Tokens returned.
    pub returned_tokens: u64,
    /// Tokens saved.
    pub saved_tokens: u64,
}

impl Counted {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.sheds += other.sheds;
        self.answered += other.answered;
        self.lexical += other.lexical;
        self.no_match += other.no_match;
        self.eligible_tokens += other.eligible_tokens;
        self.returned_tokens += other.returned_tokens;
        self.saved_tokens += other.saved_tokens;
    }
}

/// Selections over a window, with how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Over how long.
    pub window: Duration,
    /// What was counted.
    pub counted: Counted,
    /// Median, 95th and 99th percentile, each within a tenth of its size; nothing without a call.
    pub percentiles: Option<[Duration; 3]>,
}

/// An agent's calls over the window of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTraffic {
    /// Who; [`OTHER`] for all beyond the first 64.
    pub agent: String,
    /// Calls that ended.
    pub calls: u64,
    /// Of these, how many failed.
    pub errors: u64,
    /// 95th percentile; nothing without a call.
    pub p95: Option<Duration>,
}

/// Tokens of a tenant since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantTokens {
    /// Returned to it.
    pub returned: u64,
    /// Saved for it.
    pub saved: u64,
}

/// What an operator asks every second.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Since the start.
    pub total: Traffic,
    /// Of the last minute.
    pub last_minute: Traffic,
    /// Each of the last [`MINUTES`], newest first.
    pub minutes: Vec<Counted>,
    /// How often each tool was returned over the window, in no order.
    pub tools: Vec<(ToolId, u64)>,
    /// Tokens by tenant since the start, in no order; [`OTHER`] for all beyond the first hundred.
    pub tenants: Vec<(String, TenantTokens)>,
}

/// What the last minutes were like.
#[derive(Debug)]
pub struct Recent(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Instant,
    /// Slots since the start; the newest of `slots` is this one.
    slot: u64,
    /// Newest first.
    slots: VecDeque<Slot>,
    total: Counted,
    total_took: Histogram<u64>,
    agents: HashMap<Box<str>, Ring<AgentMinute>>,
    tools: HashMap<ToolId, Ring<u64>>,
    tenants: HashMap<TenantId, TenantTokens>,
    other_tenants: TenantTokens,
}

#[derive(Debug)]
struct Slot {
    counted: Counted,
    took: Histogram<u32>,
}

/// One value for each of the last minutes, by the minute's number modulo their count.
type Ring<T> = [T; MINUTES];

#[derive(Debug, Default)]
struct AgentMinute {
    calls: u64,
    errors: u64,
    /// Made in the first minute that has a call; an agent that called once takes little.
    took: Option<Histogram<u32>>,
}

impl Recent {
    /// Begins to count at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self(Mutex::new(Inner {
            begun: now,
            slot: 0,
            slots: (0..MINUTES * PER_MINUTE).map(|_| Slot { counted: Counted::default(), took: durations() }).collect(),
            total: Counted::default(),
            total_took: durations(),
            agents: HashMap::new(),
            tools: HashMap::new(),
            tenants: HashMap::new(),
            other_tenants: TenantTokens::default(),
        }))
    }

    fn at(&self, now: Instant) -> MutexGuard<'_, Inner> {
        // Additions do not panic half way; were one to, a count would be off by one.
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.advance(now);
        inner
    }

    /// A call of SelectTools or RankTools ended; nobody knows who called where it was turned away at the door.
    pub fn call(&self, now: Instant, agent: Option<&str>, ended: Ended, took: Duration) {
        let counted = Counted {
            calls: 1,
            errors: u64::from(ended == Ended::Failed),
            sheds: u64::from(ended == Ended::Shed),
            ..Counted::default()
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut inner = self.at(now);
        let inner = &mut *inner;
        inner.count(&counted);
        inner.total_took.saturating_record(micros);
        if let Some(slot) = inner.slots.front_mut() {
            slot.took.saturating_record(micros);
        }
        if let Some(agent) = agent {
            let minute = inner.agent_minute(agent);
            minute.calls += 1;
            minute.errors += counted.errors;
            minute.took.get_or_insert_with(durations).saturating_record(micros);
        }
    }

    /// A selection was answered. Tools that its caller brought along have no places here: anybody could fill them with names.
    pub fn selection(&self, now: Instant, registered: &TenantCatalog, answer: &Answer) {
        let (returned, saved) = (u64::from(answer.usage.returned.0), answer.usage.saved());
        let counted = Counted {
            answered: 1,
            lexical: u64::from(answer.mode == Mode::Lexical),
            no_match: u64::from(answer.no_match.is_some()),
            eligible_tokens: answer.usage.eligible_tokens,
            returned_tokens: returned,
            saved_tokens: saved,
            ..Counted::default()
        };
        let tools = answer.tools.iter().map(|tool| &tool.id).filter(|id| registered.get(id).is_some());
        self.add_selection(now, registered.tenant(), &counted, tools);
    }

    fn add_selection<'a>(&self, now: Instant, tenant: &TenantId, counted: &Counted, tools: impl Iterator<Item = &'a ToolId>) {
        let mut inner = self.at(now);
        let inner = &mut *inner;
        inner.count(counted);
        let tokens = inner.tenant(tenant);
        tokens.returned += counted.returned_tokens;
        tokens.saved += counted.saved_tokens;
        let minute = inner.minute();
        for tool in tools {
            if let Some(ring) = inner.tools.get_mut(tool) {
                ring[minute] += 1;
            } else if inner.tools.len() < MAX_TOOLS {
                let mut ring = Ring::default();
                ring[minute] = 1;
                inner.tools.insert(tool.clone(), ring);
            }
        }
    }

    /// How it is going.
    #[must_use]
    pub fn seen(&self, now: Instant) -> Seen {
        let inner = self.at(now);
        let minute = inner.slots.iter().take(PER_MINUTE);
        let mut took = durations::<u32>();
        for slot in minute.clone() {
            // All have the same bounds.
            let _ = took.add(&slot.took);
        }
        let total = Traffic {
            window: now.saturating_duration_since(inner.begun),
            counted: inner.total,
            percentiles: percentiles(&inner.total_took),
        };
        let last_minute =
            Traffic { window: inner.window(now, PER_MINUTE), counted: sum(minute), percentiles: percentiles(&took) };
        let slots = inner.slots.iter().collect::<Vec<_>>();
        let tenants = inner.tenants.iter().map(|(tenant, tokens)| (tenant.as_str().to_owned(), *tokens));
        let others = (inner.other_tenants != TenantTokens::default()).then(|| (OTHER.to_owned(), inner.other_tenants));
        Seen {
            total,
            last_minute,
            minutes: slots.chunks(PER_MINUTE).map(|minute| sum(minute.iter().copied())).collect(),
            tools: inner.tools.iter().map(|(tool, ring)| (tool.clone(), ring.iter().sum())).collect(),
            tenants: tenants.chain(others).collect(),
        }
    }

    /// Who called over the last minutes, by name, and over how long that was counted.
    #[must_use]
    pub fn agents(&self, now: Instant) -> (Vec<AgentTraffic>, Duration) {
        let inner = self.at(now);
        let mut agents: Vec<AgentTraffic> = inner.agents.iter().map(|(agent, ring)| agent_traffic(agent, ring)).collect();
        let window = inner.minutes_window(now);
        drop(inner);
        agents.retain(|agent| 0 < agent.calls);
        agents.sort_by(|a, b| a.agent.cmp(&b.agent));
        (agents, window)
    }
}

impl Inner {
    /// Brings the rings up to `now`. Callers take their time before they take the lock, so one may be a little late: it counts as now.
    fn advance(&mut self, now: Instant) {
        let slot = now.saturating_duration_since(self.begun).as_secs() / SLOT.as_secs();
        if slot <= self.slot {
            return;
        }
        let (before, after) = (self.slot / PER_MINUTE as u64, slot / PER_MINUTE as u64);
        for _ in 0..(slot - self.slot).min(self.slots.len() as u64) {
            if let Some(mut oldest) = self.slots.pop_back() {
                oldest.counted = Counted::default();
                oldest.took.reset();
                self.slots.push_front(oldest);
            }
        }
        self.slot = slot;
        for minute in (before + 1..=after).rev().take(MINUTES) {
            self.forget(at(minute));
        }
    }

    /// Empties a minute's place in every ring, and drops the names that have nothing left.
    fn forget(&mut self, minute: usize) {
        self.tools.retain(|_, ring| {
            ring[minute] = 0;
            ring.iter().any(|returned| 0 < *returned)
        });
        self.agents.retain(|_, ring| {
            let AgentMinute { calls, errors, took } = &mut ring[minute];
            (*calls, *errors) = (0, 0);
            if let Some(took) = took {
                took.reset();
            }
            ring.iter().any(|minute| 0 < minute.calls)
        });
    }

    fn minute(&self) -> usize {
        at(self.slot / PER_MINUTE as u64)
    }

    fn count(&mut self, counted: &Counted) {
        self.total.add(counted);
        if let Some(slot) = self.slots.front_mut() {
            slot.counted.add(counted);
        }
    }

    fn agent_minute(&mut self, agent: &str) -> &mut AgentMinute {
        let minute = self.minute();
        let known = self.agents.contains_key(agent);
        // The last place is for the others.
        let name = if known || self.agents.len() < MAX_AGENTS { agent } else { OTHER };
        if !self.agents.contains_key(name) {
            self.agents.insert(name.into(), Ring::default());
        }
        let ring = self.agents.get_mut(name).expect("it is there or was just put there");
        &mut ring[minute]
    }

    fn tenant(&mut self, tenant: &TenantId) -> &mut TenantTokens {
        if !self.tenants.contains_key(tenant) {
            if MAX_TENANTS <= self.tenants.len() {
                return &mut self.other_tenants;
            }
            self.tenants.insert(tenant.clone(), TenantTokens::default());
        }
        self.tenants.get_mut(tenant).expect("it is there or was just put there")
    }

    /// How long the newest `slots` have lasted.
    fn window(&self, now: Instant, slots: usize) -> Duration {
        let first = (self.slot + 1).saturating_sub(slots as u64);
        let start = self.begun + SLOT * u32::try_from(first).unwrap_or(u32::MAX);
        now.saturating_duration_since(start)
    }

    /// How long the kept minutes have lasted.
    fn minutes_window(&self, now: Instant) -> Duration {
        let first = (self.slot / PER_MINUTE as u64 + 1).saturating_sub(MINUTES as u64);
        let start = self.begun + Duration::from_secs(60) * u32::try_from(first).unwrap_or(u32::MAX);
        now.saturating_duration_since(start)
    }
}

/// The place of a minute in a ring.
fn at(minute: u64) -> usize {
    usize::try_from(minute % MINUTES as u64).unwrap_or(0)
}

fn sum<'a>(slots: impl Iterator<Item = &'a Slot>) -> Counted {
    slots.fold(Counted::default(), |mut sum, slot| {
        sum.add(&slot.counted);
        sum
    })
}

fn agent_traffic(agent: &str, ring: &Ring<AgentMinute>) -> AgentTraffic {
    let mut took = durations::<u32>();
    for minute in ring.iter().filter_map(|minute| minute.took.as_ref()) {
        let _ = took.add(minute);
    }
    AgentTraffic {
        agent: agent.to_owned(),
        calls: ring.iter().map(|minute| minute.calls).sum(),
        errors: ring.iter().map(|minute| minute.errors).sum(),
        p95: percentiles(&took).map(|[_, p95, _]| p95),
    }
}

/// Microseconds from 1 to an hour, each known to a tenth: 2 KiB.
fn durations<C: Counter>() -> Histogram<C> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, 1).expect("the bounds are constants that fit each other")
}

fn percentiles<C: Counter>(took: &Histogram<C>) -> Option<[Duration; 3]> {
    let at = |quantile| Duration::from_micros(took.value_at_quantile(quantile));
    (!took.is_empty()).then(|| [at(0.5), at(0.95), at(0.99)])
}

#[cfg(test)]
mod tests;
