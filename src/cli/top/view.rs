//! What the screen shows: the last answer, and what changed between answers. No drawing and no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::rpc::proto::GetStatusResponse;

/// Points of history that are kept: more than a screen is wide.
const HISTORY: usize = 300;

/// How the router can be reached.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Link {
    /// Nothing has been heard yet.
    Asking,
    /// The last question was answered.
    Live,
    /// It was not; what is shown is from before.
    Away {
        /// Since the last answer, or since the first question.
        since: Instant,
        /// What went wrong, in one line.
        why: String,
    },
}

/// What happened between two answers, by the second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    pub(super) calls: f64,
    pub(super) errors: f64,
    pub(super) sheds: f64,
    pub(super) saved_tokens: f64,
}

/// Everything on the screen.
#[derive(Debug)]
pub(super) struct View {
    pub(super) address: String,
    pub(super) link: Link,
    pub(super) paused: bool,
    pub(super) status: Option<GetStatusResponse>,
    pub(super) now: Option<Rates>,
    /// Selections a second, newest last.
    pub(super) calls: VecDeque<f64>,
    /// Median of the last minute in microseconds, newest last.
    pub(super) p50: VecDeque<u64>,
    /// How often the router was seen to begin anew.
    pub(super) restarts: u32,
    /// When the last answer came, where the next can be compared with it.
    base: Option<Instant>,
    asked_since: Option<Instant>,
}

impl View {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            link: Link::Asking,
            paused: false,
            status: None,
            now: None,
            calls: VecDeque::new(),
            p50: VecDeque::new(),
            restarts: 0,
            base: None,
            asked_since: None,
        }
    }

    /// Stops or goes on. What happened in between is no rate of now, so the next answer only begins anew.
    pub(super) fn toggle_pause(&mut self) {
        self.paused = !self.paused;
        (self.base, self.now) = (None, None);
    }

    /// Takes what came at `at`.
    pub(super) fn take(&mut self, at: Instant, answer: Result<GetStatusResponse, String>) {
        if self.paused {
            return;
        }
        let since = *self.asked_since.get_or_insert(at);
        match answer {
            Err(why) => {
                let why = why.lines().next().unwrap_or_default().to_owned();
                let since = if let Link::Away { since, .. } = self.link { since } else { since };
                self.link = Link::Away { since, why };
                (self.base, self.now) = (None, None);
            }
            Ok(status) => {
                self.compare(at, &status);
                self.link = Link::Live;
                self.asked_since = Some(at);
                self.base = Some(at);
                self.status = Some(status);
            }
        }
    }

    fn compare(&mut self, at: Instant, status: &GetStatusResponse) {
        let Some(before) = &self.status else { return };
        if before.instance_id != status.instance_id {
            // Counters began at 0 again; behind a balancer it may be another router.
            self.restarts += 1;
            (self.now, self.base) = (None, None);
            return;
        }
        let Some(seconds) = self.base.map(|base| at.saturating_duration_since(base).as_secs_f64()).filter(|s| 0.0 < *s) else {
            return;
        };
        let (old, new) = (before.total.unwrap_or_default(), status.total.unwrap_or_default());
        let rate = |old: u64, new: u64| new.saturating_sub(old) as f64 / seconds;
        let rates = Rates {
            calls: rate(old.calls, new.calls),
            errors: rate(old.errors, new.errors),
            sheds: rate(old.sheds, new.sheds),
            saved_tokens: rate(old.saved_tokens, new.saved_tokens),
        };
        self.now = Some(rates);
        push(&mut self.calls, rates.calls);
        push(&mut self.p50, status.last_minute.and_then(|minute| minute.p50_micros).unwrap_or(0));
    }

    /// For how long the router has been away.
    pub(super) fn away_for(&self, now: Instant) -> Option<Duration> {
        match &self.link {
            Link::Away { since, .. } => Some(now.saturating_duration_since(*since)),
            Link::Asking | Link::Live => None,
        }
    }
}

fn push<T>(history: &mut VecDeque<T>, value: T) {
    if history.len() == HISTORY {
        history.pop_front();
    }
    history.push_back(value);
}
