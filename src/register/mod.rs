//! The way into the catalogue: validate → gate → diff by content hash → embed what changed → store → publish → look for look-alikes.
//!
//! Embedding, the slow part, runs before the writer's lock, so that one publisher's thousand tools do not hold up another's one. Under the
//! lock the diff is made again against what is current then. Storing and publishing run as one task of their own: a caller who hangs up
//! cannot leave a change stored but not published.

mod alike;
mod backfill;
mod diff;
mod error;
mod follow;
mod upkeep;
pub mod validate;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use tracing::Instrument;

pub use self::diff::Diff;
use self::diff::{Plan, plan};
pub use self::error::RegisterError;
pub use self::follow::StoreState;
use self::upkeep::Upkeep;
pub use self::validate::{Candidate, validate_batch};
use crate::catalog::alike::LookAlikes;
use crate::catalog::history::{Event, Follower, History};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Catalog, Change, Entry, Record, State, TenantCatalog, TextHash, Version};
use crate::clock::Clock;
use crate::embed::Pool;
use crate::error::Violation;
use crate::index::EngineChoice;
use crate::index::vector::Codes;
use crate::spans::{self, names};
use crate::store::{Store, StoreError};
use crate::tool::{TenantId, Tool, ToolId, check_source};

/// Registrations under way at once. Each may hold a batch in memory, and the background lane embeds one text at a time anyway.
const MAX_CONCURRENT: usize = 16;
/// How often a change is made anew because another router was faster. Each time somebody got on, so this is long.
const MAX_TRIES: usize = 64;
/// A source that loses more than half of its tools, and more than this many, is more likely broken than emptied.
const MASS_REMOVAL_MIN: usize = 5;

/// How a list of tools is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Add these, replace those that exist.
    Upsert,
    /// This is the whole list of the source: what is not in it goes.
    WholeList {
        /// Go on even when most tools of the source would go.
        allow_mass_removal: bool,
    },
}

/// Options that every change has.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Apply only at this version.
    pub expected_version: Option<String>,
    /// Say what would change; change nothing.
    pub dry_run: bool,
    /// Who asks, for the audit of the store.
    pub actor: String,
}

/// What a change did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The version after it.
    pub version: Version,
    /// What changed.
    pub diff: Diff,
    /// What the new and changed tools look like. Nothing after a dry run: then they have no vectors.
    pub look_alikes: LookAlikes,
}

impl Outcome {
    fn new(version: Version, diff: Diff) -> Self {
        Self { version, diff, look_alikes: LookAlikes::default() }
    }
}

/// Which tools of a source to remove.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Names(Vec<String>),
    /// Every one.
    All,
}

/// The one writer of the catalogue. A cheap handle.
#[derive(Clone)]
pub struct Registrar(Arc<Parts>);

struct Parts {
    catalog: Arc<Catalog>,
    upkeep: Upkeep,
    store: Arc<dyn Store>,
    pool: Pool,
    clock: Arc<dyn Clock>,
    writer: Arc<Mutex<()>>,
    permits: Semaphore,
    history: History,
    state: Arc<StoreState>,
}

impl std::fmt::Debug for Registrar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registrar").finish_non_exhaustive()
    }
}

/// One step of a catalogue: entries as they are from now on, and what is stored with them.
#[derive(Default)]
struct Step {
    changed: Vec<Arc<Entry>>,
    removals: Vec<ToolId>,
    vectors: Vec<(TextHash, Codes)>,
    /// Who asked for it.
    actor: String,
}

/// What one change needs besides the lock: everything that was prepared without it.
type Vectors = HashMap<TextHash, Codes>;

impl Registrar {
    /// A writer over these parts.
    pub fn new(catalog: Arc<Catalog>, store: Arc<dyn Store>, pool: Pool, clock: Arc<dyn Clock>, choice: EngineChoice) -> Self {
        let (writer, permits) = (Arc::default(), Semaphore::new(MAX_CONCURRENT));
        let (upkeep, history, state) = (Upkeep::new(choice), History::default(), Arc::default());
        Self(Arc::new(Parts { catalog, upkeep, store, pool, clock, writer, permits, history, state }))
    }

    /// Follows the changes of a tenant from `since` on; without it from now on.
    #[must_use]
    pub fn follow(&self, tenant: &TenantId, since: Option<Version>) -> Follower {
        let current = self.0.catalog.load().tenant(tenant).version();
        self.0.history.follow(tenant, since, current)
    }

    /// Registers `tools`, all of one `source`.
    ///
    /// # Errors
    /// Nothing was changed; the error says why.
    pub async fn register(
        &self,
        tenant: &TenantId,
        source: &str,
        tools: Vec<Tool>,
        meaning: Meaning,
        options: Options,
    ) -> Result<Outcome, RegisterError> {
        check_source(source)?;
        let _permit = self.0.permits.try_acquire().map_err(|_| RegisterError::Overloaded { limit: MAX_CONCURRENT })?;
        let wanted = prepare(tools).instrument(spans::step(names::PREPARE)).await?;
        let mut vectors = Vectors::new();
        self.catch_up_first(tenant).await?;
        let mut tries = 0;
        loop {
            // Without the lock: see what changes, embed what that needs.
            let current = self.0.catalog.load().tenant(tenant);
            let draft = self.checked_plan(&current, source, &wanted, meaning, &options)?;
            if options.dry_run || draft.is_empty() {
                return Ok(Outcome::new(current.version(), draft.diff));
            }
            let embedding = self.embed_missing(&draft.upserts, &current, &mut vectors);
            embedding.instrument(spans::step(names::EMBED)).await?;
            // Under the lock: the same against what is current now. A rival may have changed a tool that was equal a moment ago;
            // then its texts are missing and another round embeds them.
            let lock = Arc::clone(&self.0.writer).lock_owned().await;
            let current = self.0.catalog.load().tenant(tenant);
            let plan = self.checked_plan(&current, source, &wanted, meaning, &options)?;
            if plan.is_empty() {
                return Ok(Outcome::new(current.version(), plan.diff));
            }
            if !missing_texts(&plan.upserts, &current, &vectors).is_empty() {
                continue;
            }
            match self.commit(tenant, current, plan, vectors.clone(), &options.actor, lock).await {
                Ok(mut outcome) => {
                    outcome.look_alikes = self.look_alikes(tenant, source, &outcome.diff).await;
                    return Ok(outcome);
                }
                Err(error) => self.after(tenant, error, &mut tries).await?,
            }
        }
    }

    /// Removes tools of a source.
    ///
    /// # Errors
    /// A name that does not exist; then nothing is removed.
    pub async fn unregister(
        &self,
        tenant: &TenantId,
        source: &str,
        which: Which,
        options: Options,
    ) -> Result<Outcome, RegisterError> {
        check_source(source)?;
        self.catch_up_first(tenant).await?;
        let mut tries = 0;
        loop {
            let lock = Arc::clone(&self.0.writer).lock_owned().await;
            let current = self.0.catalog.load().tenant(tenant);
            check_version(&current, &options)?;
            let removals = match &which {
                Which::All => {
                    let all: Vec<ToolId> = current.of_source(source).map(|e| e.record.tool.id.clone()).collect();
                    if all.is_empty() {
                        return Err(RegisterError::NoSuchSource { source_name: source.to_owned() });
                    }
                    all
                }
                Which::Names(names) => existing(&current, source, names)?,
            };
            let diff = Diff { removed: removals.iter().map(|id| id.name().to_owned()).collect(), ..Diff::default() };
            if options.dry_run {
                return Ok(Outcome::new(current.version(), diff));
            }
            let plan = Plan { diff, upserts: Vec::new(), removals };
            match self.commit(tenant, current, plan, Vectors::new(), &options.actor, lock).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => self.after(tenant, error, &mut tries).await?,
            }
        }
    }

    /// Enables or disables tools; gives the names whose state changed.
    ///
    /// # Errors
    /// A name that does not exist; then nothing is changed.
    pub async fn set_state(
        &self,
        tenant: &TenantId,
        source: &str,
        names: Vec<String>,
        state: State,
        options: Options,
    ) -> Result<(Version, Vec<String>), RegisterError> {
        check_source(source)?;
        self.catch_up_first(tenant).await?;
        let mut tries = 0;
        loop {
            let lock = Arc::clone(&self.0.writer).lock_owned().await;
            let current = self.0.catalog.load().tenant(tenant);
            check_version(&current, &options)?;
            let ids = existing(&current, source, &names)?;
            let others = ids.iter().filter_map(|id| current.get(id)).filter(|e| e.record.state != state);
            let changed: Vec<Arc<Entry>> = others.map(|e| Arc::new(e.in_state(state))).collect();
            let changed_names = changed.iter().map(|e| e.record.tool.id.name().to_owned()).collect();
            if changed.is_empty() {
                return Ok((current.version(), changed_names));
            }
            let step = Step { changed, actor: options.actor.clone(), ..Step::default() };
            match self.store_and_publish(tenant, &current, step, lock).await {
                Ok(version) => return Ok((version, changed_names)),
                Err(error) => self.after(tenant, error, &mut tries).await?,
            }
        }
    }

    /// What to do after a change was not stored: another router was faster, so it is made anew, of what is stored now.
    async fn after(&self, tenant: &TenantId, error: RegisterError, tries: &mut usize) -> Result<(), RegisterError> {
        *tries += 1;
        match error {
            RegisterError::Store(StoreError::Moved { .. }) if self.0.store.heard().is_some() && *tries < MAX_TRIES => {
                self.catch_up(tenant).await.map(drop)
            }
            error => Err(error),
        }
    }

    /// What is stored, before a change is judged by what is here: that a tool is unchanged, or does not exist, another router may just
    /// have made untrue.
    async fn catch_up_first(&self, tenant: &TenantId) -> Result<(), RegisterError> {
        if self.0.store.heard().is_some() {
            self.catch_up(tenant).await?;
        }
        Ok(())
    }

    /// Loads every tenant's catalogue from the store. Vectors of the current model come with it; tools without get them from
    /// [`Registrar::backfill`].
    ///
    /// # Errors
    /// The store does not give it.
    pub async fn restore(&self) -> Result<usize, StoreError> {
        let _lock = self.0.writer.lock().await;
        let info = self.0.pool.info().clone();
        let mut tools = 0;
        for stored in self.0.store.load().await? {
            tools += stored.records.len();
            let (next, stale) = self.publish_stored(stored).await?;
            // Where others write too, a text that is new to us may be theirs, and a model that is not ours may be theirs as well.
            if self.0.store.heard().is_some() {
                continue;
            }
            if let Some(live) = stale {
                self.0.store.prune_vectors(next.tenant(), &info.id, &live).await?;
            }
            if next.without_vectors() == 0 {
                self.0.store.drop_other_models(next.tenant(), &info.id).await?;
            }
        }
        Ok(tools)
    }

    fn checked_plan(
        &self,
        current: &TenantCatalog,
        source: &str,
        wanted: &[diff::Wanted],
        meaning: Meaning,
        options: &Options,
    ) -> Result<Plan, RegisterError> {
        check_version(current, options)?;
        let plan = plan(current, source, wanted, meaning, self.0.clock.now_ms());
        let removed = plan.removals.len();
        if MASS_REMOVAL_MIN < removed && meaning == (Meaning::WholeList { allow_mass_removal: false }) {
            let of = current.of_source(source).count();
            if of < removed * 2 {
                return Err(RegisterError::MassRemoval { source_name: source.to_owned(), removed, of });
            }
        }
        Ok(plan)
    }

    async fn embed_missing(
        &self,
        upserts: &[diff::Upsert],
        current: &TenantCatalog,
        vectors: &mut Vectors,
    ) -> Result<(), RegisterError> {
        for (hash, text) in missing_texts(upserts, current, vectors) {
            let vector = self.0.pool.passage(text).await?;
            vectors.insert(hash, Codes::quantise(&vector));
        }
        Ok(())
    }

    async fn commit(
        &self,
        tenant: &TenantId,
        current: Arc<TenantCatalog>,
        plan: Plan,
        vectors: Vectors,
        actor: &str,
        lock: OwnedMutexGuard<()>,
    ) -> Result<Outcome, RegisterError> {
        let base = Arc::clone(&current);
        let (entries, removals, diff, fresh) = tokio::task::spawn_blocking(move || {
            let records = diff::records(&base, plan.upserts, &plan.removals);
            let mut fresh: HashMap<TextHash, Codes> = HashMap::new();
            let entries: Vec<Arc<Entry>> = records
                .into_iter()
                .map(|record| {
                    let old = base.get(&record.tool.id).cloned();
                    let known = |hash: &TextHash| old.as_ref().and_then(|e| known_vector(e, hash)).cloned();
                    let entry = Entry::new(record, |hash| vectors.get(hash).cloned().or_else(|| known(hash)));
                    for (hash, codes) in entry.vectors() {
                        if let (Some(codes), None) = (codes, known(hash)) {
                            fresh.insert(*hash, codes.clone());
                        }
                    }
                    Arc::new(entry)
                })
                .collect();
            let mut fresh: Vec<_> = fresh.into_iter().collect();
            fresh.sort_by_key(|(hash, _)| *hash);
            (entries, plan.removals, plan.diff, fresh)
        })
        .await
        .map_err(task_failed)?;
        let step = Step { changed: entries, removals, vectors: fresh, actor: actor.to_owned() };
        let version = self.store_and_publish(tenant, &current, step, lock).await?;
        Ok(Outcome::new(version, diff))
    }

    /// The last step, which must not be cut in two: a task that outlives its caller and keeps the lock until it is done.
    async fn store_and_publish(
        &self,
        tenant: &TenantId,
        current: &Arc<TenantCatalog>,
        step: Step,
        lock: OwnedMutexGuard<()>,
    ) -> Result<Version, RegisterError> {
        let parts = Arc::clone(&self.0);
        let (tenant, current) = (tenant.clone(), Arc::clone(current));
        let work = async move {
            let result = parts.store_then_publish(tenant, &current, step).await;
            drop(lock);
            result
        };
        // It may outlive the call, and is part of its trace all the same.
        let task = tokio::spawn(work.instrument(spans::step(names::STORE_AND_PUBLISH)));
        task.await.map_err(task_failed)?
    }
}

impl Parts {
    async fn store_then_publish(
        self: &Arc<Self>,
        tenant: TenantId,
        current: &Arc<TenantCatalog>,
        step: Step,
    ) -> Result<Version, RegisterError> {
        let Step { changed, removals, vectors, actor } = step;
        let from = current.version();
        // The first change of a tenant draws its epoch.
        let epoch = if from.number == 0 { rand::random() } else { from.epoch };
        let to = Version { epoch, ..from.next() };
        let info = self.pool.info().clone();
        let upserts: Vec<Record> = changed.iter().map(|entry| entry.record.clone()).collect();
        let dropped_texts = dropped_texts(current, &changed, &removals);
        let event = event(current, &changed, &removals);
        let change =
            Change { tenant: tenant.clone(), actor, from, to, upserts, removals, dropped_texts, model_id: info.id, vectors };
        self.store.apply(&change).await.inspect_err(|error| {
            // Of which another router was faster there is nothing to say.
            if !matches!(error, StoreError::Moved { .. }) {
                tracing::warn!(error.message = %error, "a change was not stored, and not made");
            }
        })?;

        let (base, gone) = (Arc::clone(current), change.removals);
        let next = tokio::task::spawn_blocking(move || Arc::new(base.changed(to, &changed, &gone, info.dimension)));
        self.publish(&next.await.map_err(task_failed)?);
        // After publishing: who is told of a change finds it.
        if let Some(event) = event {
            self.history.record(&tenant, from, Event { version: to, ..event });
        }
        Ok(to)
    }
}

/// What a change is to those who follow along. `None` when there is none: every change is of one source.
fn event(current: &TenantCatalog, changed: &[Arc<Entry>], removals: &[ToolId]) -> Option<Event> {
    let first = changed.first().map(|entry| &entry.record.tool.id).or(removals.first())?;
    let mut event = Event { source: first.source().to_owned(), ..Event::default() };
    event.removed = removals.iter().map(|id| id.name().to_owned()).collect();
    for Record { tool, fingerprint, state, .. } in changed.iter().map(|entry| &entry.record) {
        let names = match current.get(&tool.id).map(|old| &old.record) {
            None => &mut event.added,
            Some(old) if old.fingerprint != *fingerprint => &mut event.changed,
            Some(old) if old.state == *state => continue,
            Some(_) if *state == State::Enabled => &mut event.enabled,
            Some(_) => &mut event.disabled,
        };
        names.push(tool.id.name().to_owned());
    }
    Some(event)
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn task_failed(error: tokio::task::JoinError) -> RegisterError {
    RegisterError::Task { detail: error.to_string() }
}

fn check_version(current: &TenantCatalog, options: &Options) -> Result<(), RegisterError> {
    let now = current.version().to_string();
    match &options.expected_version {
        Some(expected) if *expected != now => Err(RegisterError::VersionMoved { expected: expected.clone(), current: now }),
        _ => Ok(()),
    }
}

/// The ids behind `names`, each once.
fn existing(current: &TenantCatalog, source: &str, names: &[String]) -> Result<Vec<ToolId>, RegisterError> {
    if names.is_empty() {
        return Err(Violation::new("tools", "is empty: name at least one tool").into());
    }
    let mut ids = Vec::with_capacity(names.len());
    let mut missing = Vec::new();
    let mut seen = HashSet::new();
    for name in names {
        match ToolId::new(source, name) {
            Ok(id) if current.get(&id).is_some() => {
                if seen.insert(name) {
                    ids.push(id);
                }
            }
            _ => missing.push(name.clone()),
        }
    }
    if missing.is_empty() { Ok(ids) } else { Err(RegisterError::NotFound { source_name: source.to_owned(), names: missing }) }
}

/// Texts that only replaced or removed tools had.
fn dropped_texts(current: &TenantCatalog, changed: &[Arc<Entry>], removals: &[ToolId]) -> Vec<TextHash> {
    let replaced: HashSet<&ToolId> = removals.iter().chain(changed.iter().map(|entry| &entry.record.tool.id)).collect();
    let hashes = |entry: &Arc<Entry>| entry.vectors().map(|(hash, _)| *hash).collect::<Vec<_>>();
    let mut old: HashSet<TextHash> = replaced.iter().filter_map(|id| current.get(id)).flat_map(hashes).collect();
    if old.is_empty() {
        return Vec::new();
    }
    let kept = current.entries().filter(|entry| !replaced.contains(&entry.record.tool.id));
    for hash in kept.chain(changed).flat_map(hashes) {
        old.remove(&hash);
    }
    let mut dropped: Vec<_> = old.into_iter().collect();
    dropped.sort_unstable();
    dropped
}

/// Hashing a thousand schemas takes a while, so it happens off the threads that answer requests.
async fn prepare(tools: Vec<Tool>) -> Result<Vec<diff::Wanted>, RegisterError> {
    tokio::task::spawn_blocking(move || tools.into_iter().map(diff::Wanted::new).collect()).await.map_err(task_failed)
}

fn known_vector<'a>(entry: &'a Entry, hash: &TextHash) -> Option<&'a Codes> {
    entry.vectors().find(|(have, _)| *have == hash).and_then(|(_, codes)| codes)
}

/// The texts of `upserts` that have no vector yet, each once.
fn missing_texts(upserts: &[diff::Upsert], current: &TenantCatalog, vectors: &Vectors) -> Vec<(TextHash, String)> {
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for upsert in upserts {
        let old = current.get(&upsert.tool.id);
        let texts = ViewTexts::of(&upsert.tool);
        for text in texts.base.into_iter().chain(texts.examples) {
            let hash = TextHash::of(&text);
            let known = vectors.contains_key(&hash) || old.is_some_and(|entry| known_vector(entry, &hash).is_some());
            if !known && seen.insert(hash) {
                missing.push((hash, text));
            }
        }
    }
    missing
}
