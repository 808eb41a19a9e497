//! How a source is doing, for people and meters.

use std::time::{Duration, Instant};

use super::{Progress, Source, Tried};

/// What a source is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its first list is not in yet.
    Starting,
    /// The tools are what the server listed last.
    Synced,
    /// The server cannot be read.
    Failing,
    /// The last list waits to be released.
    Held,
    /// An operator paused it.
    Paused,
    /// Another router that shares the store syncs it.
    Elsewhere,
}

impl State {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Starting, Self::Synced, Self::Failing, Self::Held, Self::Paused, Self::Elsewhere];

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Synced => "synced",
            Self::Failing => "failing",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// A tool of a list that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name, or its place in the list.
    pub tool: String,
    /// Why.
    pub reason: String,
    /// Whether its last good revision goes on serving.
    pub kept: bool,
}

/// How a source is doing.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its name.
    pub source: String,
    /// The command line, or the URL.
    pub endpoint: String,
    /// What it is doing.
    pub state: State,
    /// Its tools in the catalogue.
    pub tools: usize,
    /// When the last good list was applied, ms since the Unix epoch.
    pub last_sync_at_ms: Option<u64>,
    /// How long ago that was.
    pub age: Option<Duration>,
    /// Between two syncs that nothing else asked for.
    pub interval: Duration,
    /// Why the last try failed, or what is held.
    pub error: String,
    /// Until the next try.
    pub next_sync_in: Option<Duration>,
    /// Tries that failed since the last good one.
    pub failures: u32,
    /// Tries since the router started.
    pub syncs: u64,
    /// Of those, how many failed.
    pub failed_syncs: u64,
    /// Its syncs over the last quarter of an hour.
    pub recent: Tried,
    /// What was left out of the last list.
    pub left_out: Vec<LeftOut>,
    /// Whether the server tells when its list changes.
    pub notifies: bool,
}

impl Status {
    pub(super) fn of(source: &Source, progress: &Progress, tools: usize, now: Instant) -> Self {
        let state = match progress {
            Progress { paused: true, .. } => State::Paused,
            Progress { elsewhere: true, .. } => State::Elsewhere,
            Progress { held: Some(_), .. } => State::Held,
            Progress { failures: 1.., .. } => State::Failing,
            Progress { last_sync: None, .. } => State::Starting,
            _ => State::Synced,
        };
        let held = progress.held.as_ref().filter(|_| progress.error.is_empty());
        Self {
            source: source.name.clone(),
            endpoint: source.endpoint.to_string(),
            state,
            tools,
            last_sync_at_ms: progress.last_sync.map(|(at_ms, _)| at_ms),
            age: progress.last_sync.map(|(_, at)| now.saturating_duration_since(at)),
            interval: source.interval,
            error: held.map_or_else(|| progress.error.clone(), |held| held.reason.clone()),
            next_sync_in: progress
                .due
                .filter(|_| !progress.paused && !progress.elsewhere)
                .map(|due| due.saturating_duration_since(now)),
            failures: progress.failures,
            syncs: progress.syncs,
            failed_syncs: progress.failed_syncs,
            recent: progress.tries.over(now),
            left_out: progress.left_out.clone(),
            notifies: progress.notifies,
        }
    }
}
