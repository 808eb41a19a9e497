//! Takes counts of calls from memory to the store, and lets old ones go.
//!
//! A store that is away holds up nothing but this task: what it took waits here as it is, what comes meanwhile waits where it is counted, and
//! both have a bound. The store must never be full of counts either, since registrations need it: when it says that it is full, the oldest
//! half goes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config;
use crate::outcomes::{Flush, Outcomes, Refusal, minute_of};
use crate::store::{Store, StoreError};
use crate::telemetry::Meters;
use crate::telemetry::recent::UNKNOWN_AGENT;
use crate::telemetry::windows::{AgentToolWindow, Calls, ModelTokens, OutcomeWindow, ToolWindow};

/// Rows that are written at once: a moment of the embedded store's only connection.
const ROWS: usize = 1_000;
/// Between two looks whether something is to be done.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two rounds of letting old counts go.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
/// Longest that the last write may hold up a stop.
const LAST: Duration = Duration::from_secs(3);
/// Minutes that status and map look back on.
const WINDOW_MINUTES: u64 = 15;
/// Minutes of a day.
const DAY: u64 = 24 * 60;

/// What it works on.
pub(super) struct Keeper {
    pub(super) outcomes: Arc<Outcomes>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) meters: Arc<Meters>,
    pub(super) settings: config::Outcomes,
}

/// Until `stop`, and once more then.
pub(super) async fn keep(keeper: Keeper, stop: CancellationToken) {
    let mut writer = Writer::new(keeper);
    tokio::select! {
        // What is under way may be cut off: a flush is sent again as it was, and the rest is done another day.
        () = stop.cancelled() => (),
        () = writer.run() => (),
    }
    if tokio::time::timeout(LAST, writer.write()).await.is_err() {
        tracing::warn!("the last counts of calls did not reach the store in time");
    }
    writer.give_up();
}

/// What was reported over the last quarter of an hour, for status and map.
pub(super) fn window(outcomes: &Outcomes, now_ms: u64) -> OutcomeWindow {
    let calls = |calls, errors, p95| Calls { calls, errors, p95 };
    // Those that share a place have no name of their own to be shown by.
    let tools = outcomes.tools(WINDOW_MINUTES, now_ms).into_iter().filter_map(|total| {
        let (_, tool) = total.tool?;
        Some(ToolWindow { tool, calls: calls(total.calls, total.errors, total.p95) })
    });
    let edges = outcomes.edges(WINDOW_MINUTES, now_ms).into_iter().filter_map(|edge| {
        let (_, tool) = edge.tool?;
        let agent = if edge.agent.is_empty() { UNKNOWN_AGENT.to_owned() } else { edge.agent.to_string() };
        Some(AgentToolWindow { agent, tool, calls: calls(edge.calls, edge.errors, edge.p95) })
    });
    let tokens = outcomes.tokens().into_iter().map(|(tenant, tokens)| ModelTokens {
        tenant: tenant.as_str().to_owned(),
        input: tokens.input,
        output: tokens.output,
    });
    OutcomeWindow { tools: tools.collect(), edges: edges.collect(), tenants: tokens.collect() }
}

/// What was taken and is not written yet.
struct Writer {
    keeper: Keeper,
    router: String,
    number: u64,
    waiting: VecDeque<Flush>,
    is_away: bool,
    /// How many minutes are kept: fewer than configured after the store was full.
    kept: u64,
    /// When it last was.
    relieved: Option<Instant>,
}

impl Writer {
    fn new(keeper: Keeper) -> Self {
        let kept = keeper.settings.keep_days * DAY;
        let router = format!("{:016x}", rand::random::<u64>());
        Self { keeper, router, number: 0, waiting: VecDeque::new(), is_away: false, kept, relieved: None }
    }

    /// Writes and lets go, for ever.
    async fn run(&mut self) {
        let pace = Duration::from_secs(self.keeper.settings.flush_s);
        let (mut written, mut pruned) = (Instant::now(), None::<Instant>);
        loop {
            // A store that is away is asked at its usual pace, however much waits.
            let crowded = !self.is_away && self.keeper.outcomes.is_crowded();
            if crowded || pace <= written.elapsed() {
                self.write().await;
                written = Instant::now();
            }
            if pruned.is_none_or(|at| PRUNE_EVERY <= at.elapsed()) {
                self.prune().await;
                pruned = Some(Instant::now());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn minute(&self) -> u64 {
        minute_of(self.keeper.clock.now_ms())
    }

    /// Writes what waits, and ends at what cannot be written.
    async fn write(&mut self) {
        // As long as what was taken before waits, the rest stays where its minutes still add up.
        if self.waiting.is_empty() {
            self.take();
        }
        while let Some(flush) = self.waiting.front() {
            let added = self.keeper.store.add_minutes(flush).await;
            match added {
                Ok(()) => {
                    self.waiting.pop_front();
                    if std::mem::take(&mut self.is_away) {
                        tracing::info!("the store takes counts of calls again");
                    }
                }
                Err(error) => return self.failed(error).await,
            }
            // After a time without the store there may be as much again.
            if self.waiting.is_empty() && self.keeper.outcomes.is_crowded() {
                self.take();
            }
        }
    }

    fn take(&mut self) {
        let (minute, mut counts) = (self.minute(), self.keeper.outcomes.take());
        while !counts.is_empty() {
            let rest = counts.split_off(counts.len().min(ROWS));
            self.number += 1;
            self.waiting.push_back(Flush { router: self.router.clone(), number: self.number, minute, counts });
            counts = rest;
        }
    }

    async fn failed(&mut self, error: StoreError) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(error.message = %error, "the store takes no counts of calls: they wait");
        }
        // Once an hour: a disk that others filled for a while must not cost all that is kept.
        let again = self.relieved.is_none_or(|at| PRUNE_EVERY <= at.elapsed());
        if matches!(error, StoreError::Full) && again {
            (self.kept, self.relieved) = (self.kept / 2, Some(Instant::now()));
            tracing::warn!(outcomes.kept_minutes = self.kept, "the store is full: older counts of calls go");
            self.prune().await;
        }
    }

    /// Lets go what is older than is to be kept, the present minute included. What cannot be done now is done next time.
    async fn prune(&mut self) {
        let before = (self.minute() + 1).saturating_sub(self.kept);
        loop {
            match self.keeper.store.drop_minutes(before).await {
                Ok(0) => return,
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => {
                    tracing::debug!(error.message = %error, "old counts of calls stay for now");
                    return;
                }
            }
        }
    }

    /// Counts as dropped what did not get there.
    fn give_up(&mut self) {
        self.take();
        let calls: u64 = self.waiting.drain(..).map(|flush| flush.calls()).sum();
        if 0 < calls {
            self.keeper.outcomes.give_up(calls);
            self.keeper.meters.outcome_refused(Refusal::Dropped, calls);
            tracing::warn!(outcomes.dropped = calls, "reported calls did not reach the store");
        }
    }
}

#[cfg(test)]
mod tests;
