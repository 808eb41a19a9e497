//! Vectors for tools that have none of the current model: after a change of model, or a vector that no longer read.
//!
//! Runs on the background lane and publishes as it goes, so selections get better by steps; until most tools have vectors they answer by
//! words and say so.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{RegisterError, Registrar, task_failed};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Entry, TextHash};
use crate::embed::EmbedError;
use crate::index::vector::Codes;
use crate::tool::{TenantId, ToolId};

/// Tools per step: a publication makes the tenant's delta anew, a crash costs at most this much work.
const STEP: usize = 512;

impl Registrar {
    /// Embeds what is missing, step by step; gives the number of tools that got vectors.
    ///
    /// # Errors
    /// The model or the store failed; what was done stays done.
    pub async fn backfill(&self, tenant: &TenantId) -> Result<usize, RegisterError> {
        let mut done = 0;
        let mut failed: HashSet<ToolId> = HashSet::new();
        loop {
            let current = self.0.catalog.load().tenant(tenant);
            let lacks = |entry: &&Arc<Entry>| !entry.has_vectors() && !failed.contains(&entry.record.tool.id);
            let lacking: Vec<Arc<Entry>> = current.entries().filter(lacks).take(STEP).cloned().collect();
            if lacking.is_empty() {
                // In a shared store another model's vectors are another router's.
                if failed.is_empty() && self.0.store.heard().is_none() {
                    self.0.store.drop_other_models(tenant, &self.0.pool.info().id).await?;
                }
                return Ok(done);
            }
            let mut vectors: HashMap<TextHash, Codes> = HashMap::new();
            for entry in &lacking {
                let texts = ViewTexts::of(&entry.record.tool);
                for text in texts.base.into_iter().chain(texts.examples) {
                    if let std::collections::hash_map::Entry::Vacant(place) = vectors.entry(TextHash::of(&text)) {
                        match self.0.pool.passage(text).await {
                            Ok(vector) => {
                                place.insert(Codes::quantise(&vector));
                            }
                            Err(EmbedError::Stopped) => return Err(EmbedError::Stopped.into()),
                            // One tool found by words alone is better than a catalogue that is.
                            Err(error) => {
                                tracing::warn!(tool.id = %entry.record.tool.id, error.message = %error, "tool is not embedded");
                                failed.insert(entry.record.tool.id.clone());
                            }
                        }
                    }
                }
            }
            done += lacking.len();
            self.publish_vectors(tenant, vectors).await?;
        }
    }

    async fn publish_vectors(&self, tenant: &TenantId, vectors: HashMap<TextHash, Codes>) -> Result<(), RegisterError> {
        let _lock = self.0.writer.lock().await;
        let info = self.0.pool.info();
        let mut rows: Vec<_> = vectors.iter().map(|(hash, codes)| (*hash, codes.clone())).collect();
        rows.sort_by_key(|(hash, _)| *hash);
        self.0.store.put_vectors(tenant, &info.id, &rows).await?;
        let current = self.0.catalog.load().tenant(tenant);
        let dimension = info.dimension;
        let next = tokio::task::spawn_blocking(move || {
            let lacking = current.entries().filter(|entry| !entry.has_vectors());
            let entries = lacking.map(|entry| {
                let known: HashMap<&TextHash, &Codes> =
                    entry.vectors().filter_map(|(hash, codes)| Some((hash, codes?))).collect();
                let find = |hash: &TextHash| vectors.get(hash).or_else(|| known.get(hash).copied()).cloned();
                Arc::new(Entry::new(entry.record.clone(), find))
            });
            let entries: Vec<_> = entries.filter(|entry| entry.has_vectors()).collect();
            Arc::new(current.changed(current.version(), &entries, &[], dimension))
        });
        self.0.publish(&next.await.map_err(task_failed)?);
        Ok(())
    }
}
