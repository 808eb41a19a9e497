//! A store that is watched: each thing asked of it is a span of a client and a sample in the meters.
//!
//! Around the store rather than within it: what is measured is what callers wait for, and both engines are measured alike.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::Meters;
use super::windows::Calls;
use crate::catalog::{Change, TextHash, Version};
use crate::index::vector::Codes;
use crate::outcomes::{Flush, ToolMinute};
use crate::sources::Tries;
use crate::spans::{self, names};
use crate::store::place::Peer;
use crate::store::{Since, Store, StoreError, StoredTenant, StoredVector};
use crate::tool::TenantId;

/// A store with eyes on it.
pub struct Observed {
    store: Arc<dyn Store>,
    peer: Peer,
    meters: Arc<Meters>,
    tries: Mutex<Tries>,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observed").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Observed {
    /// Watches `store`, which is at `peer`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, peer: Peer, meters: Arc<Meters>) -> Self {
        Self { store, peer, meters, tries: Mutex::default() }
    }

    /// What was asked over the last quarter of an hour.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let tried = self.tries.lock().unwrap_or_else(PoisonError::into_inner).over(Instant::now());
        Calls { calls: tried.syncs, errors: tried.failed, p95: tried.p95 }
    }

    fn span(&self, operation: &'static str) -> Span {
        let span = tracing::info_span!(
            "store",
            otel.name = operation,
            otel.kind = "client",
            otel.status_code = Empty,
            { names::DB_SYSTEM } = self.peer.system,
            { names::DB_OPERATION } = operation,
            { names::DB_NAMESPACE } = %self.peer.namespace,
            { names::SERVER_ADDRESS } = Empty,
            { names::SERVER_PORT } = Empty,
            { names::PEER_NAME } = self.peer.system,
            { names::PEER_SERVICE } = self.peer.system,
            { names::ERROR_TYPE } = Empty,
        );
        if let Some((host, port)) = &self.peer.address {
            span.record(names::SERVER_ADDRESS, host.as_str());
            span.record(names::SERVER_PORT, *port);
        }
        span
    }

    /// Watches one thing that is asked.
    fn asked<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        work: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        let span = self.span(operation);
        let noted = span.clone();
        async move {
            let started = Instant::now();
            let result = work.await;
            // That another router was faster is how things go among routers.
            let error = result.as_ref().err().filter(|error| !matches!(error, StoreError::Moved { .. })).map(StoreError::name);
            if let Some(error) = error {
                spans::fail(&noted, error);
            }
            self.meters.stored(self.peer.system, operation, error, started);
            let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
            tries.note(Instant::now(), started.elapsed(), error.is_some());
            drop(tries);
            result
        }
        .instrument(span)
        .boxed()
    }
}

impl Store for Observed {
    fn load(&self) -> BoxFuture<'_, Result<Vec<StoredTenant>, StoreError>> {
        self.asked("load", self.store.load())
    }

    fn heard(&self) -> Option<watch::Receiver<()>> {
        self.store.heard()
    }

    fn versions(&self) -> BoxFuture<'_, Result<Vec<(TenantId, Version)>, StoreError>> {
        self.asked("versions", self.store.versions())
    }

    fn since<'a>(&'a self, tenant: &'a TenantId, have: Version) -> BoxFuture<'a, Result<Since, StoreError>> {
        self.asked("since", self.store.since(tenant, have))
    }

    fn vectors_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
        texts: &'a [TextHash],
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>> {
        self.asked("vectors_of", self.store.vectors_of(tenant, model_id, dimension, texts))
    }

    fn vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        dimension: usize,
    ) -> BoxFuture<'a, Result<HashMap<TextHash, Codes>, StoreError>> {
        self.asked("vectors", self.store.vectors(tenant, model_id, dimension))
    }

    fn all_vectors<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<Vec<StoredVector>, StoreError>> {
        self.asked("all_vectors", self.store.all_vectors(tenant))
    }

    fn apply<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked("apply", self.store.apply(change))
    }

    fn put_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        vectors: &'a [(TextHash, Codes)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked("put_vectors", self.store.put_vectors(tenant, model_id, vectors))
    }

    fn prune_vectors<'a>(
        &'a self,
        tenant: &'a TenantId,
        model_id: &'a str,
        live: &'a HashSet<TextHash>,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.asked("prune_vectors", self.store.prune_vectors(tenant, model_id, live))
    }

    fn drop_other_models<'a>(&'a self, tenant: &'a TenantId, model_id: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.asked("drop_other_models", self.store.drop_other_models(tenant, model_id))
    }

    fn paused_sources<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Result<HashSet<String>, StoreError>> {
        self.asked("paused_sources", self.store.paused_sources(tenant))
    }

    fn set_paused<'a>(&'a self, tenant: &'a TenantId, source: &'a str, paused: bool) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked("set_paused", self.store.set_paused(tenant, source, paused))
    }

    fn lease<'a>(
        &'a self,
        tenant: &'a TenantId,
        source: &'a str,
        holder: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.asked("lease", self.store.lease(tenant, source, holder, length))
    }

    fn release<'a>(&'a self, tenant: &'a TenantId, source: &'a str, holder: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked("release", self.store.release(tenant, source, holder))
    }

    fn add_minutes<'a>(&'a self, flush: &'a Flush) -> BoxFuture<'a, Result<(), StoreError>> {
        self.asked("add_minutes", self.store.add_minutes(flush))
    }

    fn minutes<'a>(&'a self, tenant: &'a TenantId, minutes: Range<u64>) -> BoxFuture<'a, Result<Vec<ToolMinute>, StoreError>> {
        self.asked("minutes", self.store.minutes(tenant, minutes))
    }

    fn drop_minutes(&self, before: u64) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.asked("drop_minutes", self.store.drop_minutes(before))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.store.close()
    }
}
