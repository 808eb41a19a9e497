//! All that a store keeps, as one value: to move it, to write it to a file, to compare it.
//!
//! Tools, versions and paused sources are what is compared. Vectors come along because embedding ten thousand tools takes minutes, but they
//! are derived: a store that lacks some is whole all the same. The audit, leases and counts of calls stay where they are.

mod checked;
mod lines;

use std::collections::HashSet;

use sha2::{Digest, Sha256};

pub use self::checked::{Reading, Writing, Written};
pub use self::lines::{BackupError, read, tool_line, vector_line, write, write_file};
use super::columns::Columns;
use super::{Store, StoreError, StoredTenant, StoredVector};
use crate::catalog::{Change, TextHash, Version};
use crate::index::vector::Codes;

/// Vectors that are written at once: 2 MB.
const VECTORS: usize = 5_000;

/// Everything of every tenant.
#[derive(Debug, Default)]
pub struct Backup {
    /// By name.
    pub tenants: Vec<Kept>,
}

/// Everything of one tenant.
#[derive(Debug)]
pub struct Kept {
    /// Version and tools.
    pub stored: StoredTenant,
    /// Vectors of every model.
    pub vectors: Vec<StoredVector>,
    /// Sources that are paused, by name.
    pub paused: Vec<String>,
}

/// Which history the tools go on with where they are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// The same: nothing was written elsewhere meanwhile.
    Kept,
    /// A new one: after a backup, other steps follow than those that followed it once.
    Drawn,
}

impl Backup {
    /// Reads a whole store.
    ///
    /// # Errors
    /// The store does not give it.
    pub async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut tenants = Vec::new();
        for stored in store.load().await? {
            let mut vectors = store.all_vectors(&stored.tenant).await?;
            vectors.sort_by(|a, b| (&a.model_id, a.text).cmp(&(&b.model_id, b.text)));
            let mut paused: Vec<String> = store.paused_sources(&stored.tenant).await?.into_iter().collect();
            paused.sort();
            tenants.push(Kept { stored, vectors, paused });
        }
        tenants.sort_by(|a, b| a.stored.tenant.as_str().cmp(b.stored.tenant.as_str()));
        Ok(Self { tenants })
    }

    /// Puts everything into a store that has no tools yet. Tools of a tenant appear at once, after all else, so a try that was cut off can
    /// be made again.
    ///
    /// # Errors
    /// The store has tools, or does not take them.
    pub async fn put_into(&self, store: &dyn Store, epoch: Epoch, actor: &str) -> Result<(), StoreError> {
        for kept in &self.tenants {
            let StoredTenant { tenant, version, records } = &kept.stored;
            for of_model in kept.vectors.chunk_by(|a, b| a.model_id == b.model_id) {
                let model_id = of_model.first().map(|one| one.model_id.clone()).unwrap_or_default();
                for some in of_model.chunks(VECTORS) {
                    let rows: Vec<(TextHash, Codes)> = some.iter().map(|one| (one.text, one.codes.clone())).collect();
                    store.put_vectors(tenant, &model_id, &rows).await?;
                }
            }
            for source in &kept.paused {
                store.set_paused(tenant, source, true).await?;
            }
            let epoch = if epoch == Epoch::Drawn { rand::random() } else { version.epoch };
            let change = Change {
                tenant: tenant.clone(),
                actor: actor.to_owned(),
                from: Version::default(),
                to: Version { epoch, number: version.number.max(1) },
                upserts: records.clone(),
                removals: Vec::new(),
                dropped_texts: Vec::new(),
                model_id: String::new(),
                vectors: Vec::new(),
            };
            store.apply(&change).await?;
        }
        Ok(())
    }

    /// Tools of all tenants.
    #[must_use]
    pub fn tools(&self) -> usize {
        self.tenants.iter().map(|kept| kept.stored.records.len()).sum()
    }
}

impl Kept {
    /// SHA-256 over tools, states and paused sources: equal where two stores hold the same, whichever engine they are of and however often
    /// they were written. The version is not in it.
    #[must_use]
    pub fn checksum(&self) -> String {
        let mut lines: Vec<String> = self.stored.records.iter().map(|record| lines::tool(Columns::of(record))).collect();
        lines.sort_unstable();
        lines.extend(self.paused.iter().map(|source| format!("paused {source}")));
        let mut hash = Sha256::new();
        for line in lines {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        hex::encode(hash.finalize())
    }

    /// What is wrong with it, in words; nothing where it is sound.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let records = &self.stored.records;
        let mut faults = Vec::new();
        for record in records.iter().filter(|record| record.tool.fingerprint() != record.fingerprint) {
            faults.push(format!("{}: its fingerprint is not that of its content", record.tool.id));
        }
        let mut names = HashSet::new();
        for record in records.iter().filter(|record| !names.insert(record.model_name.as_str())) {
            faults.push(format!("{}: {} stands for another tool as well", record.tool.id, record.model_name.as_str()));
        }
        if self.stored.version.number == 0 && !records.is_empty() {
            faults.push("it has tools at version 0".to_owned());
        }
        faults
    }
}
