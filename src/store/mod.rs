//! Where the catalogue survives.
//!
//! A store appends changes and gives everything back at start; it knows nothing of indexes or ranks. `apply` returns after the change is
//! on disk, which is what lets a registration be acknowledged. SQLite in one file is the embedded default; PostgreSQL is for several routers
//! that share one catalogue. Both keep the same contract, and one suite holds them to it.

pub mod backup;
mod columns;
#[cfg(test)]
mod contract;
pub mod embedded;
mod minutes;
pub mod place;
pub mod postgres;
pub mod ring;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::catalog::history::Event;
use crate::catalog::{Change, Record, TextHash, Version};
use crate::error::Kind;
use crate::index::vector::Codes;
use crate::outcomes::{Flush, ToolMinute};
use crate::tool::{TenantId, ToolId};

/// Changes of a tenant that the audit remembers.
const AUDIT_STEPS: i64 = 100_000;

/// Everything stored of one tenant.
#[derive(Debug)]
pub struct StoredTenant {
    /// Whose.
    pub tenant: TenantId,
    /// The last applied version.
    pub version: Version,
    /// Every tool, by position.
    pub records: Vec<Record>,
}

/// A stored vector.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredVector {
    /// The model it is of.
    pub model_id: String,
    /// The text it is of.
    pub text: TextHash,
    /// The vector.
    pub codes: Codes,
}

/// What became of a tenant since a version.
#[derive(Debug)]
pub enum Since {
    /// Nothing.
    Nothing,
    /// These steps.
    Steps {
        /// The version after them.
        version: Version,
        /// Tools that they touched and that are there, as they are now.
        upserts: Vec<Record>,
        /// Tools that they touched and that are gone.
        removals: Vec<ToolId>,
        /// One by one, in order.
        events: Vec<Event>,
    },
    /// More than is remembered, or another history: all there is.
    Whole(StoredTenant),
}

/// Keeps catalogues.
pub trait Store: Send + Sync {
    /// Every tenant with its tools.
    fn load(&self) -> BoxFuture<'_, Result<Vec<StoredTenant>, StoreError>>;

    /// Rung when another router may have changed something, and sometimes for nothing. `None` where no other can.
    fn heard(&self) -> Option<watch::Receiver<()>>;

    /// The version of every tenant.
    fn versions(&self) -> BoxFuture<'_, Result<Vec<(TenantId, Version)>, StoreError>>;

    /// What became of a tenant since it was at `have`.
    fn since<'a>(&'a self, tenant: &'a TenantId, have: Version) -> BoxFuture<'a, Result<Since, StoreError>>;

    /// The vectors of these texts, of one model, as far as they are there.
    fn vectors_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
        texts: &'a [TextHash],
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>>;

    /// A tenant's vectors of one model, `dimension` numbers each.
    fn vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>>;

    /// A tenant's vectors of every model.
    fn all_vectors<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<Vec<StoredVector>, StoreError>>;

    /// Stores a change, all or nothing, and returns when it is on disk. The first of a tenant may go to any version.
    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Stores vectors that belong to tools already stored: after a change of model.
    fn put_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        vectors: &'a [(TextHash, Codes)],
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Drops a tenant's vectors of one model whose text no tool has any more.
    fn prune_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        live: &'a HashSet<TextHash>,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Drops a tenant's vectors of all models but one.
    fn drop_other_models<'a>(&'a self, tenant: &'a TenantId, model_id: &'a str) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Sources of a tenant that an operator paused.
    fn paused_sources<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<HashSet<String>, StoreError>>;

    /// Remembers that a source is paused, or no longer is.
    fn set_paused<'a>(&'a self, tenant: &'a TenantId, source: &'a str, paused: bool) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Takes the right to sync a source, or keeps it, for so long; false while another router has it. Where no other can be, always.
    fn lease<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a str,
        holder: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Gives that right back.
    fn release<'a>(&'a self, tenant: &'a TenantId, source: &'a str, holder: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Adds counts of calls to what is there, all or nothing. A flush of a router that is not newer than its last one was added before, and
    /// changes nothing.
    fn add_minutes<'a>(&'a self, flush: &'a Flush) -> BoxFuture<'a, Result<(), StoreError>>;

    /// A tenant's counts from a minute on and before another, by minute and tool. A thousand busy tools make a million rows a day: ask for
    /// little.
    fn minutes<'a>(&'a self, tenant: &'a TenantId, minutes: Range<u64>) -> BoxFuture<'a, Result<Vec<ToolMinute>, StoreError>>;

    /// Drops counts of minutes before this one, the oldest first and not all at once, since others wait for the store: how many. None when
    /// none is left.
    fn drop_minutes(&self, before: u64) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Finishes what is under way and closes the file.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Why the store did not do it. What it held before, it holds still.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The catalogue moved on.
    #[error("the catalogue is at version {current}, not {expected}")]
    Moved {
        /// What the change was based on.
        expected: Version,
        /// What is stored.
        current: Version,
    },
    /// Another process has it.
    #[error("store {place} is in use by another router: stop that one, or set store.path to another file")]
    InUse {
        /// The file.
        place: String,
    },
    /// Written by a newer build.
    #[error("store {place} has schema version {found}, this build knows up to {known}: use the newer build, or restore a backup")]
    Newer {
        /// The file or database.
        place: String,
        /// Its version.
        found: i64,
        /// The newest this build knows.
        known: i64,
    },
    /// Some other file.
    #[error("{place} is not a tool-router store: name another in [store]")]
    Foreign {
        /// The file or database.
        place: String,
    },
    /// A stored value does not read back.
    #[error("the store is damaged: {detail}")]
    Damaged {
        /// What does not read.
        detail: String,
    },
    /// The disk, or the size allowed to the store, is full.
    #[error("the store is full: free disk space where it is, or raise store.max_mib where that is set")]
    Full,
    /// It cannot be reached or written.
    #[error("the store does not answer: {detail}")]
    Unavailable {
        /// The engine's words.
        detail: String,
    },
}

impl StoreError {
    /// Its name in metrics and spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Moved { .. } => "moved",
            Self::InUse { .. } => "in_use",
            Self::Newer { .. } => "newer_schema",
            Self::Foreign { .. } => "foreign",
            Self::Damaged { .. } => "damaged",
            Self::Full => "full",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// How a caller is to understand it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Moved { .. } => Kind::Conflict,
            Self::Full | Self::Unavailable { .. } | Self::InUse { .. } => Kind::Unavailable,
            Self::Newer { .. } | Self::Foreign { .. } | Self::Damaged { .. } => Kind::Internal,
        }
    }
}
