//! The snapshot, and the pointer that requests load it from.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::change::{State, Version};
use super::entry::Entry;
use crate::compact::{Fidelity, Format, Tokenizer};
use crate::index::allow::Allowed;
use crate::index::{Document, Index};
use crate::rank::mention::MentionIndex;
use crate::tool::{TenantId, ToolId};

/// One tenant's tools in order of registration, with everything a selection searches. Immutable.
#[derive(Debug)]
pub struct TenantCatalog {
    version: Version,
    entries: Vec<Arc<Entry>>,
    by_id: HashMap<ToolId, u32>,
    by_model_name: HashMap<Box<str>, u32>,
    index: Index,
    mentions: MentionIndex,
    enabled: Allowed,
    without_vectors: usize,
    /// Tokens of all enabled tools at FULL, by format and tokenizer.
    full_tokens: [[u64; Tokenizer::ALL.len()]; Format::ALL.len()],
}

impl TenantCatalog {
    /// Builds the searchable form, in time linear in the number of tools.
    #[must_use]
    pub fn build(version: Version, mut entries: Vec<Arc<Entry>>, dimension: usize) -> Self {
        entries.sort_by(|a, b| (a.record.position, &a.record.tool.id).cmp(&(b.record.position, &b.record.tool.id)));
        let slots = || entries.iter().zip(0_u32..);
        let by_id = slots().map(|(entry, slot)| (entry.record.tool.id.clone(), slot)).collect();
        let by_model_name = slots().map(|(entry, slot)| (entry.record.model_name.as_str().into(), slot)).collect();
        let mut enabled = Allowed::none(entries.len());
        let mut full_tokens = [[0; Tokenizer::ALL.len()]; Format::ALL.len()];
        for (entry, slot) in slots().filter(|(entry, _)| entry.record.state == State::Enabled) {
            enabled.insert(slot);
            for format in Format::ALL {
                for tokenizer in Tokenizer::ALL {
                    full_tokens[format as usize][tokenizer as usize] +=
                        u64::from(entry.record.costs.get(format, Fidelity::Full, tokenizer).0);
                }
            }
        }
        let documents = entries.iter().map(|entry| Document {
            views: entry.base_vectors().unwrap_or_default(),
            extra_views: entry.example_vectors(),
            terms: entry.terms(),
        });
        let index = Index::build(dimension, documents);
        let mentions = MentionIndex::build(slots().map(|(entry, slot)| {
            let id = &entry.record.tool.id;
            (slot, id.source(), id.name(), entry.record.model_name.as_str())
        }));
        let without_vectors = entries.iter().filter(|entry| entry.base_vectors().is_none()).count();
        Self { version, by_id, by_model_name, index, mentions, enabled, without_vectors, full_tokens, entries }
    }

    /// A catalogue of nothing.
    #[must_use]
    pub fn empty(version: Version) -> Self {
        Self::build(version, Vec::new(), 1)
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// All tools; the place in here is a tool's slot.
    #[must_use]
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The slot of a tool.
    #[must_use]
    pub fn slot(&self, id: &ToolId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// A tool.
    #[must_use]
    pub fn get(&self, id: &ToolId) -> Option<&Arc<Entry>> {
        self.at(self.slot(id)?)
    }

    /// The tool in a slot.
    #[must_use]
    pub fn at(&self, slot: u32) -> Option<&Arc<Entry>> {
        self.entries.get(slot as usize)
    }

    /// The tool a model means by `name`.
    #[must_use]
    pub fn by_model_name(&self, name: &str) -> Option<&Arc<Entry>> {
        self.at(*self.by_model_name.get(name)?)
    }

    /// Tools of one source.
    pub fn of_source<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.entries.iter().filter(move |entry| entry.record.tool.id.source() == source)
    }

    /// What is searched.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Which names a query can mention.
    #[must_use]
    pub fn mentions(&self) -> &MentionIndex {
        &self.mentions
    }

    /// Slots of enabled tools.
    #[must_use]
    pub fn enabled(&self) -> &Allowed {
        &self.enabled
    }

    /// How many tools have no vectors of the current model yet.
    #[must_use]
    pub fn without_vectors(&self) -> usize {
        self.without_vectors
    }

    /// Tokens of all enabled tools at FULL.
    #[must_use]
    pub fn full_tokens(&self, format: Format, tokenizer: Tokenizer) -> u64 {
        self.full_tokens[format as usize][tokenizer as usize]
    }
}

/// Every tenant's catalogue at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    tenants: HashMap<TenantId, Arc<TenantCatalog>>,
}

impl Snapshot {
    /// A tenant's catalogue; a tenant that registered nothing has an empty one.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantId) -> Arc<TenantCatalog> {
        self.tenants.get(tenant).cloned().unwrap_or_else(|| Arc::new(TenantCatalog::empty(Version::default())))
    }

    /// All tenants.
    pub fn tenants(&self) -> impl Iterator<Item = (&TenantId, &Arc<TenantCatalog>)> {
        self.tenants.iter()
    }
}

/// The pointer to the current snapshot.
#[derive(Debug, Default)]
pub struct Catalog(ArcSwap<Snapshot>);

impl Catalog {
    /// The current snapshot. Load it once per request.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Makes `next` what the next request of `tenant` sees.
    pub fn publish(&self, tenant: &TenantId, next: &Arc<TenantCatalog>) {
        self.0.rcu(|current| {
            let mut tenants = current.tenants.clone();
            tenants.insert(tenant.clone(), Arc::clone(next));
            Snapshot { tenants }
        });
    }
}
