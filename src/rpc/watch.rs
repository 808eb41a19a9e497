//! `WatchCatalog`: the history of a tenant as a stream.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::proto;
use super::proto::watch_catalog_response::Event as Told;
use super::status::invalid;
use crate::catalog::Version;
use crate::catalog::history::{Event, Follower, News};
use crate::error::Violation;
use crate::tool::check_source;

/// Streams that are open at once; each is cheap, but nobody needs a thousand.
pub(super) const MAX_WATCHERS: usize = 256;
/// Silence before a bookmark, in ms.
const BOOKMARK_MS: std::ops::RangeInclusive<u32> = 100..=300_000;
const DEFAULT_BOOKMARK_MS: u32 = 30_000;

/// What is watched, checked.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) since: Option<Version>,
    source: Option<String>,
    bookmark: Duration,
}

impl Wanted {
    pub(super) fn check(message: proto::WatchCatalogRequest) -> Result<Self, Status> {
        let mut violations = Vec::new();
        let since = match message.since_version.as_deref() {
            None => None,
            Some(text) => {
                let version = Version::parse(text);
                if version.is_none() {
                    let description =
                        format!("is {text:?}, which is no version this service gave: leave it out, or list the tools again");
                    violations.push(Violation::new("since_version", description));
                }
                version
            }
        };
        if let Some(source) = &message.source {
            violations.extend(check_source(source).err());
        }
        let ms = message.bookmark_interval_ms.unwrap_or(DEFAULT_BOOKMARK_MS);
        if !BOOKMARK_MS.contains(&ms) {
            let description = format!("is {ms}, it must be {} to {}", BOOKMARK_MS.start(), BOOKMARK_MS.end());
            violations.push(Violation::new("bookmark_interval_ms", description));
        }
        if !violations.is_empty() {
            return Err(invalid(&violations));
        }
        Ok(Self { since, source: message.source, bookmark: Duration::from_millis(ms.into()) })
    }
}

struct Watching {
    wanted: Wanted,
    follower: Follower,
    stop: CancellationToken,
    waiting: VecDeque<Told>,
    /// Since when the reader has been told nothing.
    silent_since: Instant,
    _place: OwnedSemaphorePermit,
}

/// The stream: what is missing, a bookmark, then what happens. It goes at the reader's pace; who is too slow is told what was missed.
pub(super) fn watch(
    wanted: Wanted,
    follower: Follower,
    stop: CancellationToken,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<proto::WatchCatalogResponse, Status>> + Send {
    let mut watching = Watching { wanted, follower, stop, waiting: VecDeque::new(), silent_since: Instant::now(), _place: place };
    watching.look();
    watching.bookmark();
    stream::unfold(watching, |mut watching| async move {
        let told = watching.next().await?;
        Some((Ok(proto::WatchCatalogResponse { event: Some(told) }), watching))
    })
}

impl Watching {
    /// `None` when the router stops.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                self.silent_since = Instant::now();
                return Some(told);
            }
            // Counted from the last thing told: changes of other sources wake this loop and break no silence.
            let bookmark_at = self.silent_since + self.wanted.bookmark;
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = self.follower.grown() => self.look(),
                () = tokio::time::sleep_until(bookmark_at) => self.bookmark(),
            }
        }
    }

    fn look(&mut self) {
        match self.follower.news() {
            News::None => (),
            News::Lost(version) => {
                let reason = "changes before this version are no longer known, or were missed: list the tools again".to_owned();
                self.waiting
                    .push_back(Told::ResyncRequired(proto::ResyncRequired { catalog_version: version.to_string(), reason }));
            }
            News::Events(events) => {
                let of_source = |event: &&std::sync::Arc<Event>| self.wanted.source.as_ref().is_none_or(|s| *s == event.source);
                self.waiting.extend(events.iter().filter(of_source).map(|event| Told::Change(change(event))));
            }
        }
    }

    fn bookmark(&mut self) {
        let catalog_version = self.follower.after().to_string();
        self.waiting.push_back(Told::Bookmark(proto::CatalogBookmark { catalog_version }));
    }
}

fn change(event: &Event) -> proto::CatalogChange {
    let Event { version, source, added, changed, removed, enabled, disabled } = event.clone();
    proto::CatalogChange { catalog_version: version.to_string(), source, added, changed, removed, enabled, disabled }
}
