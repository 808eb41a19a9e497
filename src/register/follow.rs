//! Keeps up with what other routers wrote into the same store.
//!
//! A notification only says that it is worth looking, and a look comes twice a second anyway: versions say what is missing, so a lost
//! notification costs half a second and nothing else. While the store is away, what is in memory serves.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{RegisterError, Registrar, task_failed};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Entry, Record, TenantCatalog, TextHash, Version};
use crate::error::Violation;
use crate::index::vector::Codes;
use crate::store::backup::{Backup, Kept};
use crate::store::{Since, StoreError, StoredTenant};
use crate::tool::TenantId;

/// Between two looks that nobody asked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks for a version that a caller waits for.
const AGAIN: Duration = Duration::from_millis(20);
/// Kept back of a caller's deadline for the way home, on a machine that may be busy: a tenth of it, within these.
const TRAVEL: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(100)];

/// Whether the store answered when it was last asked. A store that nobody else writes is only asked when something changes.
#[derive(Debug, Default)]
pub struct StoreState {
    away: Mutex<Option<Instant>>,
    /// Changes that it has and this router did not serve when it was last looked at.
    lag: AtomicU64,
}

impl StoreState {
    fn set(&self, away: bool) {
        let mut since = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if away { Some(since.unwrap_or_else(Instant::now)) } else { None };
    }

    /// For how long it has been away; `None` while it is there.
    #[must_use]
    pub fn away_for(&self) -> Option<Duration> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }

    /// How many changes of others, over all tenants, were not served here when it was last looked; 0 once they are.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }
}

impl Registrar {
    /// Follows the store until `stop`. Returns at once where no other router can write it.
    pub async fn follow_store(&self, stop: CancellationToken) {
        let Some(mut heard) = self.0.store.heard() else { return };
        let mut away = false;
        loop {
            // What is cut off here has published nothing.
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.catch_up_all() => looked,
            };
            self.0.state.set(looked.is_err());
            match &looked {
                Err(error) if !away => {
                    tracing::warn!(error.message = %error, "the store is away: selections go on from memory, registrations fail");
                }
                Ok(()) if away => tracing::info!("the store is back, the catalogue is up to date"),
                _ => (),
            }
            away = looked.is_err();
            tokio::select! {
                () = stop.cancelled() => return,
                changed = heard.changed() => if changed.is_err() { tokio::time::sleep(LOOK_EVERY).await },
                () = tokio::time::sleep(LOOK_EVERY) => (),
            }
        }
    }

    /// Brings every tenant up to what is stored.
    ///
    /// # Errors
    /// The store does not tell.
    pub async fn catch_up_all(&self) -> Result<(), RegisterError> {
        let stored: HashMap<TenantId, Version> = self.0.store.versions().await?.into_iter().collect();
        let snapshot = self.0.catalog.load();
        let known = snapshot.tenants().map(|(tenant, _)| tenant.clone());
        let tenants: HashSet<TenantId> = stored.keys().cloned().chain(known).collect();
        let behind = |tenant: &TenantId| {
            let (there, here) = (stored.get(tenant).copied().unwrap_or_default(), snapshot.tenant(tenant).version());
            // Of another history there is no distance; it counts as one.
            if there.epoch == here.epoch { there.number.saturating_sub(here.number) } else { 1 }
        };
        self.0.state.lag.store(tenants.iter().map(behind).sum(), Ordering::Relaxed);
        for tenant in tenants {
            if snapshot.tenant(&tenant).version() != stored.get(&tenant).copied().unwrap_or_default() {
                self.catch_up(&tenant).await?;
            }
        }
        self.0.state.lag.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Brings one tenant up to what is stored; gives the version it is at.
    ///
    /// # Errors
    /// The store does not tell.
    pub async fn catch_up(&self, tenant: &TenantId) -> Result<Version, RegisterError> {
        let _lock = self.0.writer.lock().await;
        let current = self.0.catalog.load().tenant(tenant);
        let (from, info) = (current.version(), self.0.pool.info().clone());
        match self.0.store.since(tenant, from).await? {
            Since::Nothing => Ok(from),
            Since::Whole(stored) if is_suspicious(&stored, &current) => {
                let (stored, tools) = (stored.records.len(), current.len());
                let detail = format!(
                    "it begins another history with {stored} tools, and this router has {tools}: put a backup into it, or restart the \
                     routers if that is meant"
                );
                Err(StoreError::Unavailable { detail }.into())
            }
            Since::Whole(stored) => {
                let version = stored.version;
                self.publish_stored(stored).await?;
                self.0.history.jump(tenant, version);
                Ok(version)
            }
            Since::Steps { version, upserts, removals, events } => {
                let texts = {
                    let (current, upserts) = (Arc::clone(&current), upserts.clone());
                    tokio::task::spawn_blocking(move || unknown_texts(&current, &upserts)).await.map_err(task_failed)?
                };
                // One router embedded them for all.
                let vectors = self.0.store.vectors_of(tenant, &info.id, info.dimension, &texts).await?;
                let next = tokio::task::spawn_blocking(move || {
                    let entries: Vec<Arc<Entry>> = upserts.into_iter().map(|record| entry(&current, record, &vectors)).collect();
                    Arc::new(current.changed(version, &entries, &removals, info.dimension))
                });
                self.0.publish(&next.await.map_err(task_failed)?);
                let mut before = from;
                for event in events {
                    let after = event.version;
                    self.0.history.record(tenant, before, event);
                    before = after;
                }
                Ok(version)
            }
        }
    }

    /// Waits until a tenant's catalogue is at a version or past it: read-your-writes, whichever router took the write.
    ///
    /// # Errors
    /// No version, one of another history, or one that does not arrive before the deadline.
    pub async fn reach(&self, tenant: &TenantId, wanted: &str, deadline: Instant) -> Result<(), RegisterError> {
        let malformed = || Violation::new("min_catalog_version", "is not a version: pass a catalog_version as it was given");
        let version = Version::parse(wanted).ok_or_else(malformed)?;
        // The answer has to travel.
        let travel = (deadline.saturating_duration_since(Instant::now()) / 10).clamp(TRAVEL[0], TRAVEL[1]);
        let deadline = deadline.checked_sub(travel).unwrap_or(deadline);
        loop {
            let current = self.0.catalog.load().tenant(tenant).version();
            let follows = current.epoch == version.epoch || current.number == 0;
            if version.number == 0 || (follows && version.number <= current.number) {
                return Ok(());
            }
            let (wanted, current) = (wanted.to_owned(), current.to_string());
            if self.0.store.heard().is_none() {
                return Err(if follows {
                    RegisterError::Behind { wanted, current }
                } else {
                    RegisterError::OtherHistory { wanted, current }
                });
            }
            // Whoever gave the version had it stored before, so one look is enough, unless the store is away just now.
            let caught_up = tokio::time::timeout_at(deadline.into(), self.catch_up(tenant)).await;
            match caught_up {
                Ok(Ok(now)) if now.epoch != version.epoch && 0 < now.number => {
                    return Err(RegisterError::OtherHistory { wanted, current: now.to_string() });
                }
                Ok(Ok(now)) if version.number <= now.number => return Ok(()),
                Err(_) => return Err(RegisterError::Behind { wanted, current }),
                Ok(_) => (),
            }
            if tokio::time::timeout_at(deadline.into(), tokio::time::sleep(AGAIN)).await.is_err() {
                return Err(RegisterError::Behind { wanted, current });
            }
        }
    }

    /// Serves a backup until the store answers. Its vectors of the current model come with it.
    ///
    /// # Errors
    /// It does not read.
    pub async fn restore_from(&self, backup: Backup) -> Result<usize, StoreError> {
        let _lock = self.0.writer.lock().await;
        self.0.state.set(true);
        let (info, tools) = (self.0.pool.info(), backup.tools());
        for Kept { stored, vectors, .. } in backup.tenants {
            let fit =
                vectors.into_iter().filter(|vector| vector.model_id == info.id && vector.codes.codes().len() == info.dimension);
            self.publish_with(stored, fit.map(|vector| (vector.text, vector.codes)).collect()).await?;
        }
        Ok(tools)
    }

    /// Whether the store answers.
    #[must_use]
    pub fn store_state(&self) -> Arc<StoreState> {
        Arc::clone(&self.0.state)
    }

    /// Makes a tenant's catalogue of what is stored, and serves it. The caller holds the writer's lock. Gives the texts whose vectors are in
    /// use where others are stored as well.
    pub(super) async fn publish_stored(
        &self,
        stored: StoredTenant,
    ) -> Result<(Arc<TenantCatalog>, Option<HashSet<TextHash>>), StoreError> {
        let info = self.0.pool.info();
        let vectors = self.0.store.vectors(&stored.tenant, &info.id, info.dimension).await?;
        self.publish_with(stored, vectors).await
    }

    /// The same with vectors that are at hand.
    async fn publish_with(
        &self,
        stored: StoredTenant,
        vectors: HashMap<TextHash, Codes>,
    ) -> Result<(Arc<TenantCatalog>, Option<HashSet<TextHash>>), StoreError> {
        let info = self.0.pool.info().clone();
        let built = tokio::task::spawn_blocking(move || {
            let mut live = HashSet::new();
            let entries: Vec<_> = stored
                .records
                .into_iter()
                .map(|record| Arc::new(Entry::new(record, |hash| vectors.get(hash).cloned())))
                .inspect(|entry| live.extend(entry.vectors().map(|(hash, _)| *hash)))
                .collect();
            let stale = vectors.keys().any(|hash| !live.contains(hash));
            let built = TenantCatalog::build(stored.tenant, stored.version, entries, info.dimension);
            (Arc::new(built), stale.then_some(live))
        });
        let (next, stale) = built.await.map_err(|e| StoreError::Damaged { detail: e.to_string() })?;
        self.0.publish(&next);
        Ok((next, stale))
    }
}

/// A tenant that removes its last tool keeps its version. One that has none any more was dropped, or this is another database; and one that
/// another router has begun to fill since then is no better. Where tools come and go within a history, sources hold mass removals.
fn is_suspicious(stored: &StoredTenant, current: &TenantCatalog) -> bool {
    let lost = current.len().saturating_sub(stored.records.len());
    let other = stored.version.epoch != current.version().epoch;
    stored.version.number == 0 || (other && super::MASS_REMOVAL_MIN < lost && current.len() < lost * 2)
}

/// A stored record as an entry; vectors of texts that it had before are those it had.
fn entry(current: &TenantCatalog, record: Record, vectors: &HashMap<TextHash, Codes>) -> Arc<Entry> {
    let old = current.get(&record.tool.id);
    let known = |hash: &TextHash| old.and_then(|entry| super::known_vector(entry, hash));
    Arc::new(Entry::new(record, |hash| vectors.get(hash).or_else(|| known(hash)).cloned()))
}

fn unknown_texts(current: &TenantCatalog, records: &[Record]) -> Vec<TextHash> {
    let of_record = |record: &Record| {
        let (old, texts) = (current.get(&record.tool.id), ViewTexts::of(&record.tool));
        let hashes = texts.base.into_iter().chain(texts.examples).map(|text| TextHash::of(&text));
        hashes.filter(|hash| old.and_then(|entry| super::known_vector(entry, hash)).is_none()).collect::<Vec<_>>()
    };
    let unknown: HashSet<TextHash> = records.iter().flat_map(of_record).collect();
    unknown.into_iter().collect()
}
