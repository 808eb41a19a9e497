//! What changed lately, for those who follow along.
//!
//! A bounded memory of published changes, tenant by tenant. A follower that asks for more than is remembered, or falls behind it, is told
//! that changes are missing; nobody waits for the slowest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::change::Version;
use crate::tool::TenantId;

/// Changes that are remembered of a tenant: an afternoon of single registrations.
const MAX_EVENTS: usize = 4_096;
/// Names in them together: a few whole catalogues.
const MAX_NAMES: usize = 200_000;

/// One published change of one source. Names within the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The version after it.
    pub version: Version,
    /// Whose tools.
    pub source: String,
    /// New tools.
    pub added: Vec<String>,
    /// Tools with other content.
    pub changed: Vec<String>,
    /// Tools that are gone.
    pub removed: Vec<String>,
    /// Tools that are selectable again.
    pub enabled: Vec<String>,
    /// Tools that no longer are.
    pub disabled: Vec<String>,
}

impl Event {
    fn names(&self) -> usize {
        // One for the event itself.
        1 + [&self.added, &self.changed, &self.removed, &self.enabled, &self.disabled].map(Vec::len).iter().sum::<usize>()
    }
}

/// What is remembered of every tenant.
#[derive(Debug, Default)]
pub struct History(Mutex<HashMap<TenantId, Arc<Line>>>);

#[derive(Debug)]
struct Line {
    kept: Mutex<Kept>,
    grown: watch::Sender<()>,
}

#[derive(Debug)]
struct Kept {
    /// In order, no version left out.
    events: VecDeque<Arc<Event>>,
    names: usize,
    /// After the last event.
    version: Version,
}

impl History {
    fn line(&self, tenant: &TenantId, version: Version) -> Arc<Line> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            let kept = Kept { events: VecDeque::new(), names: 0, version };
            Arc::new(Line { kept: Mutex::new(kept), grown: watch::Sender::new(()) })
        };
        Arc::clone(lines.entry(tenant.clone()).or_insert_with(fresh))
    }

    /// Remembers a change that is published. `from` is the version before it.
    pub fn record(&self, tenant: &TenantId, from: Version, event: Event) {
        let line = self.line(tenant, from);
        {
            let mut kept = line.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.version = event.version;
            kept.names += event.names();
            kept.events.push_back(Arc::new(event));
            while MAX_EVENTS < kept.events.len() || (MAX_NAMES < kept.names && 1 < kept.events.len()) {
                let gone = kept.events.pop_front().map_or(0, |event| event.names());
                kept.names -= gone;
            }
        }
        line.grown.send_replace(());
    }

    /// Forgets what led to a catalogue that came from somewhere else: followers are told that changes are missing.
    pub fn jump(&self, tenant: &TenantId, version: Version) {
        let line = self.line(tenant, version);
        {
            let mut kept = line.kept.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Kept { events: VecDeque::new(), names: 0, version };
        }
        line.grown.send_replace(());
    }

    /// Follows a tenant whose catalogue is at `current`, from `since` on; without it from now on.
    #[must_use]
    pub fn follow(&self, tenant: &TenantId, since: Option<Version>, current: Version) -> Follower {
        let line = self.line(tenant, current);
        let grown = line.grown.subscribe();
        // What is not known to have been is as good as missed.
        let known = |since: &Version| since.number <= current.number && (since.epoch == current.epoch || since.number == 0);
        match since {
            Some(since) if !known(&since) => Follower { line, grown, after: current, lost: true },
            since => Follower { line, grown, after: since.unwrap_or(current), lost: false },
        }
    }
}

/// Someone's place in the history.
#[derive(Debug)]
pub struct Follower {
    line: Arc<Line>,
    grown: watch::Receiver<()>,
    after: Version,
    lost: bool,
}

/// What a follower has not been told yet.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    None,
    /// These changes, in order.
    Events(Vec<Arc<Event>>),
    /// More than is remembered; what comes now follows this version.
    Lost(Version),
}

impl Follower {
    /// The version up to which it has been told.
    #[must_use]
    pub fn after(&self) -> Version {
        self.after
    }

    /// What happened since it was asked last. Does not wait.
    pub fn news(&mut self) -> News {
        if std::mem::take(&mut self.lost) {
            return News::Lost(self.after);
        }
        let kept = self.line.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The catalogue is published a moment before its change is remembered.
        let same_history = kept.version.epoch == self.after.epoch || self.after.number == 0;
        if same_history && kept.version.number <= self.after.number {
            return News::None;
        }
        let follows = |first: &Arc<Event>| {
            first.version.number <= self.after.number + 1 && (first.version.epoch == self.after.epoch || self.after.number == 0)
        };
        if kept.events.front().is_some_and(follows) {
            let new = kept.events.iter().filter(|event| self.after.number < event.version.number).cloned().collect();
            self.after = kept.version;
            News::Events(new)
        } else {
            self.after = kept.version;
            News::Lost(self.after)
        }
    }

    /// Waits until there may be news.
    pub async fn grown(&mut self) {
        if self.grown.changed().await.is_err() {
            // The line lives as long as we hold it.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> Version {
        Version { epoch: if number == 0 { 0 } else { 7 }, number }
    }

    fn event(number: u64, names: usize) -> Event {
        let added = (0..names).map(|i| format!("t{i}")).collect();
        Event { version: at(number), source: "s".into(), added, ..Event::default() }
    }

    fn told(news: News) -> Vec<u64> {
        match news {
            News::Events(events) => events.iter().map(|event| event.version.number).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_follower_is_told_everything_once() {
        let (history, tenant) = (History::default(), TenantId::default());
        let mut from_start = history.follow(&tenant, None, at(0));
        assert_eq!(from_start.news(), News::None);
        for number in 1..=3 {
            history.record(&tenant, at(number - 1), event(number, 1));
        }
        assert_eq!(told(from_start.news()), [1, 2, 3]);
        assert_eq!((from_start.news(), from_start.after()), (News::None, at(3)));
        assert_eq!(told(history.follow(&tenant, Some(at(1)), at(3)).news()), [2, 3]);
        assert_eq!(history.follow(&tenant, Some(at(3)), at(3)).news(), News::None);
        assert_eq!(history.follow(&tenant, None, at(3)).news(), News::None);
        assert_eq!(history.follow(&TenantId::new("other"), None, at(0)).news(), News::None);
    }

    #[test]
    fn what_is_not_known_is_said_to_be_missing() {
        let (history, tenant) = (History::default(), TenantId::default());
        // Restored from a store at version 5: what was before is not known.
        for (since, missing) in [(at(5), false), (at(4), true), (at(6), true), (Version { epoch: 8, number: 5 }, true)] {
            let news = history.follow(&tenant, Some(since), at(5)).news();
            assert_eq!(news == News::Lost(at(5)), missing, "{since:?} {news:?}");
        }
        // At 4 with 6 recorded: 5 is missing between them.
        history.record(&tenant, at(5), event(6, 1));
        assert_eq!(history.follow(&tenant, Some(at(4)), at(6)).news(), News::Lost(at(6)));
        assert_eq!(told(history.follow(&tenant, Some(at(5)), at(6)).news()), [6]);
    }

    #[test]
    fn a_slow_follower_is_lost_and_goes_on() {
        let (history, tenant) = (History::default(), TenantId::default());
        let mut slow = history.follow(&tenant, None, at(0));
        for number in 1..=(MAX_EVENTS as u64 + 1) {
            history.record(&tenant, at(number - 1), event(number, 0));
        }
        let end = at(MAX_EVENTS as u64 + 1);
        assert_eq!(slow.news(), News::Lost(end));
        history.record(&tenant, end, event(end.number + 1, MAX_NAMES));
        assert_eq!(told(slow.news()), [end.number + 1], "one large change is kept whatever its size");
        let kept = history.line(&tenant, at(0)).kept.lock().unwrap().events.len();
        assert_eq!(kept, 1);
    }

    #[tokio::test]
    async fn a_follower_is_woken() {
        let (history, tenant) = (Arc::new(History::default()), TenantId::default());
        let mut follower = history.follow(&tenant, None, at(0));
        let recorder = Arc::clone(&history);
        let later = tokio::spawn(async move { recorder.record(&TenantId::default(), at(0), event(1, 1)) });
        follower.grown().await;
        later.await.unwrap();
        assert_eq!(told(follower.news()), [1]);
    }
}
