//! Selections over tools that the caller brings: a catalogue is made for the request and let go after it.
//!
//! What costs is embedding the tools' texts. A text that the tenant's own catalogue holds, or that was brought before, is not embedded again;
//! the others go through the lane of registrations, so they never hold up a query. When the deadline is nearer than they are, the answer is
//! lexical, and the vectors are there for the next turn. Hashing and counting two hundred tools takes a while too, so that happens off the
//! threads that answer requests, for a few callers at a time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use super::{Answer, Circumstances, RESERVE, Request, SelectError, Selector, Trace};
use crate::cache::Cache;
use crate::catalog::views::ViewTexts;
use crate::catalog::{Entry, Record, TenantCatalog, TextHash, Version};
use crate::embed::Pool;
use crate::index::vector::Codes;
use crate::tool::{ModelName, TenantId, Tool};

/// Callers whose texts are being embedded at once.
const MAX_CALLERS: usize = 8;
/// Catalogues being made at once: more would only take the processor from queries.
const MAX_MAKERS: usize = 2;
/// Bytes of vectors of brought tools: some 20,000 texts.
const KNOWN_BYTES: u64 = 16 << 20;

/// Answers selections over brought tools. A cheap handle.
#[derive(Clone, Debug)]
pub struct Offered {
    pool: Pool,
    /// Whose text it is belongs to the key: nobody can learn from timing what another tenant brings.
    known: Cache<(TenantId, TextHash), Arc<Codes>>,
    callers: Arc<Semaphore>,
    makers: Arc<Semaphore>,
}

impl Offered {
    /// Embeds with `pool`.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        let bytes = |_: &(TenantId, TextHash), codes: &Arc<Codes>| codes.codes().len() + 150;
        let (callers, makers) = (Arc::new(Semaphore::new(MAX_CALLERS)), Arc::new(Semaphore::new(MAX_MAKERS)));
        Self { pool, known: Cache::new(KNOWN_BYTES, bytes), callers, makers }
    }

    /// Selects of `tools`, whose ids are distinct, for `request`. `registered` is the caller's own catalogue.
    ///
    /// # Errors
    /// Too many callers bring tools that are not embedded yet, or too many queries wait; a task of ours died.
    pub async fn select(
        &self,
        selector: &Selector,
        registered: &Arc<TenantCatalog>,
        tools: Vec<Tool>,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Answer, Trace), SelectError> {
        let died = |_| SelectError::Task { what: "looking at the tools that came along" };
        let (this, there) = (self.clone(), Arc::clone(registered));
        let looked = self.off_thread(move || {
            let missing = this.missing(&there, &tools);
            (tools, missing)
        });
        let (tools, missing) = looked.await.map_err(died)?;
        if !missing.is_empty() {
            self.embed(registered.tenant(), missing, deadline).await?;
        }
        let (this, there) = (self.clone(), Arc::clone(registered));
        let catalog = Arc::new(self.off_thread(move || this.catalogue(&there, tools)).await.map_err(died)?);
        selector.work_out(&catalog, request, Circumstances::before(deadline)).await
    }

    /// Runs `work` on a thread that may be busy, when it is its turn.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        // Never closed. Held by the work itself, which goes on when its caller has gone.
        let turn = Arc::clone(&self.makers).acquire_owned().await;
        let with_turn = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(with_turn).await
    }

    fn vector(&self, registered: &TenantCatalog, tool: &Tool, hash: &TextHash) -> Option<Codes> {
        let registered_one =
            registered.get(&tool.id).and_then(|entry| entry.vectors().find(|(known, _)| *known == hash)?.1.cloned());
        registered_one.or_else(|| self.known.get(&(registered.tenant().clone(), *hash)).map(|codes| (*codes).clone()))
    }

    /// The texts that have no vector yet, each once.
    fn missing(&self, registered: &TenantCatalog, tools: &[Tool]) -> Vec<(TextHash, String)> {
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        for tool in tools {
            let texts = ViewTexts::of(tool);
            for text in texts.base.into_iter().chain(texts.examples) {
                let hash = TextHash::of(&text);
                if seen.insert(hash) && self.vector(registered, tool, &hash).is_none() {
                    missing.push((hash, text));
                }
            }
        }
        missing
    }

    /// Embeds until all is done or the deadline is near; then goes on without the caller.
    async fn embed(&self, tenant: &TenantId, missing: Vec<(TextHash, String)>, deadline: Instant) -> Result<(), SelectError> {
        let full = |_| SelectError::TooManyOffers { limit: MAX_CALLERS };
        let place = Arc::clone(&self.callers).try_acquire_owned().map_err(full)?;
        let (pool, known, tenant) = (self.pool.clone(), self.known.clone(), tenant.clone());
        let work = tokio::spawn(async move {
            let _place = place;
            for (hash, text) in missing {
                // A text that fails leaves its tool to be found by words.
                if let Ok(vector) = pool.passage(text).await {
                    known.put((tenant.clone(), hash), Arc::new(Codes::quantise(&vector)));
                }
            }
        });
        // Twice the reserve: the query itself is still to be embedded.
        let until = deadline.checked_sub(RESERVE * 2).unwrap_or(deadline);
        let _ = tokio::time::timeout_at(until.into(), work).await;
        Ok(())
    }

    fn catalogue(&self, registered: &TenantCatalog, tools: Vec<Tool>) -> TenantCatalog {
        let mut names: HashSet<String> = HashSet::new();
        let entries = tools.into_iter().zip(0..).map(|(tool, position)| {
            let model_name = ModelName::choose(&tool.id, |name| names.contains(name));
            names.insert(model_name.as_str().to_owned());
            let record = Record::fresh(tool, model_name, position);
            let tool = record.tool.clone();
            Arc::new(Entry::new(record, |hash| self.vector(registered, &tool, hash)))
        });
        let entries = entries.collect();
        TenantCatalog::build(registered.tenant().clone(), Version::default(), entries, self.pool.info().dimension)
    }
}
