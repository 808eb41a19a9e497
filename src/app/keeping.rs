//! The store from start to end: opening it, starting without it, and what the world is told while it is away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::AppError;
use crate::config::Config;
use crate::console::Readiness;
use crate::register::StoreState;
use crate::rpc::server::Health;
use crate::store::backup::{self, Backup};
use crate::store::place::{Peer, Place};
use crate::store::postgres::PostgresStore;
use crate::store::{Store, StoreError};

/// Between two tries to reach a database at start.
const AGAIN: Duration = Duration::from_millis(500);
/// Between two looks whether probes have to be told something else.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A store that can be served from.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    /// Where it is, for people.
    pub(super) place: String,
    /// Where it is, for spans.
    pub(super) peer: Peer,
    /// What to serve until it answers, where it did not in time.
    pub(super) instead: Option<Backup>,
}

/// Opens the configured store. A database gets some time to answer, and then the last snapshot serves where there is one.
///
/// # Errors
/// It cannot be opened.
pub(super) async fn open(config: &Config) -> Result<Opened, AppError> {
    let place = config.store_place()?;
    let Place::Postgres(options) = &place else {
        return Ok(Opened { store: place.open().await?, place: place.name(), peer: place.peer(), instead: None });
    };
    let settings = config.store.postgres.clone().unwrap_or_default();
    let patience = Duration::from_millis(settings.start_timeout_ms);
    let (store, begun) = (PostgresStore::new(options)?, Instant::now());
    let mut told = false;
    let error = loop {
        match store.bring_up().await {
            Ok(()) => return Ok(Opened { store: Arc::new(store), place: place.name(), peer: place.peer(), instead: None }),
            Err(error @ StoreError::Unavailable { .. }) if begun.elapsed() < patience => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(error.message = %error, timeout_ms = settings.start_timeout_ms, "waiting for the store");
                }
                tokio::time::sleep(AGAIN).await;
            }
            Err(error @ StoreError::Unavailable { .. }) => break error,
            Err(error) => return Err(error.into()),
        }
    };
    let instead = Some(last_known(config, error, patience)?);
    Ok(Opened { store: Arc::new(store), place: place.name(), peer: place.peer(), instead })
}

/// The last snapshot, for a database that does not answer.
///
/// # Errors
/// There is none, or it is of no use.
pub(super) fn last_known(config: &Config, error: StoreError, waited: Duration) -> Result<Backup, AppError> {
    let Some(file) = config.store.postgres.as_ref().and_then(|postgres| postgres.snapshot_file.as_ref()) else {
        let hint = "set store.postgres.snapshot_file to start from what was last known";
        return Err(AppError::NoStore { error, waited, hint });
    };
    let read = std::fs::File::open(file).map_err(backup::BackupError::from);
    match read.and_then(|file| backup::read(std::io::BufReader::new(file))) {
        Ok(backup) => {
            let (path, tools) = (file.display(), backup.tools());
            tracing::warn!(error.message = %error, store.snapshot = %path, catalog.tools = tools, "starting from the last snapshot");
            Ok(backup)
        }
        Err(unread) => {
            tracing::error!(error.message = %unread, store.snapshot = %file.display(), "the snapshot is of no use");
            let hint = "and store.postgres.snapshot_file does not help: the log says why";
            Err(AppError::NoStore { error, waited, hint })
        }
    }
}

/// What probes hear: ready as long as selections are answered, unless a limit is set to how long that may be without a store.
pub(super) async fn tell_probes(
    state: Arc<StoreState>,
    limit: Option<Duration>,
    readiness: Readiness,
    health: Health,
    stop: CancellationToken,
) {
    let mut ready = true;
    loop {
        let away = state.away_for();
        readiness.set_away(away);
        let now = limit.zip(away).is_none_or(|(limit, away)| away < limit);
        if now != ready {
            ready = now;
            tracing::warn!(router.ready = ready, "the store decides whether traffic comes");
            readiness.set(ready);
            health.set(ready).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => (),
        }
    }
}
