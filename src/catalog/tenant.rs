//! One tenant's catalogue: a sealed part, a delta, and which sealed tools are gone.
//!
//! A change makes the delta anew and leaves the sealed part alone, so it costs what the delta costs, not what the catalogue does. When the
//! delta has grown, both are merged beside the serving catalogue ([`TenantCatalog::sealed_anew`]) and swapped in, with what changed
//! meanwhile as the next delta. Answers do not depend on where a tool lies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::change::Version;
use super::entry::Entry;
use super::part::{Part, Totals};
use crate::compact::{Format, Tokenizer};
use crate::index::Index;
use crate::index::allow::Allowed;
use crate::index::hnsw::Graph;
use crate::tool::{TenantId, ToolId};

/// A delta may grow to this many tools, changed and removed ones included, before it is merged: making it anew stays a few milliseconds.
const MIN_DELTA: usize = 512;
/// Or to this share of the sealed part, one in so many: merging costs time in proportion to it.
const DELTA_SHARE: usize = 16;

/// The tools of a tenant with everything a selection searches. Immutable.
#[derive(Debug)]
pub struct TenantCatalog {
    tenant: TenantId,
    version: Version,
    generation: u64,
    dimension: usize,
    sealed: Sealed,
    /// Places in the sealed part whose tools are gone.
    gone: Allowed,
    delta: Part,
    index: Index,
    enabled: Allowed,
    totals: Totals,
}

/// A sealed part and its graph, where it has one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sealed {
    part: Arc<Part>,
    graph: Option<Arc<Graph>>,
}

impl Sealed {
    /// The same with a graph over all tools that have vectors. Takes long for large parts; `None` when `stop` was set meanwhile.
    #[must_use]
    pub fn with_graph(self, stop: &AtomicBool) -> Option<Self> {
        let graph = self.part.segment.graph(stop)?;
        Some(Self { graph: Some(Arc::new(graph)), ..self })
    }

    /// How many tools.
    #[must_use]
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// True without tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are the same tools in the same places, with or without a graph.
    #[must_use]
    pub fn shares_tools_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.part, &other.part)
    }

    /// How many catalogues and others hold it, this one included.
    #[must_use]
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.part)
    }
}

impl TenantCatalog {
    /// A catalogue of `entries`, all sealed.
    #[must_use]
    pub fn build(tenant: TenantId, version: Version, entries: Vec<Arc<Entry>>, dimension: usize) -> Self {
        let sealed = Sealed { part: Arc::new(Part::build(entries, dimension)), graph: None };
        Self::assemble(tenant, version, dimension, sealed, &[], Vec::new())
    }

    /// A catalogue of nothing.
    #[must_use]
    pub fn empty(tenant: TenantId) -> Self {
        Self::build(tenant, Version::default(), Vec::new(), 1)
    }

    fn assemble(
        tenant: TenantId,
        version: Version,
        dimension: usize,
        sealed: Sealed,
        gone_places: &[u32],
        delta: Vec<Arc<Entry>>,
    ) -> Self {
        /// Tells every catalogue of this process from every other.
        static GENERATIONS: AtomicU64 = AtomicU64::new(1);
        let delta = Part::build(delta, dimension);
        let part = &sealed.part;
        let mut gone = Allowed::none(part.len());
        let mut enabled = part.enabled.grown(part.len() + delta.len());
        let mut totals = part.totals;
        let mut gone_words = Vec::with_capacity(gone_places.len());
        for place in gone_places {
            let Some(entry) = part.entries.get(*place as usize).filter(|_| !gone.contains(*place)) else { continue };
            gone.insert(*place);
            enabled.remove(*place);
            totals -= Totals::of(entry);
            gone_words.push((*place, entry.terms()));
        }
        totals += delta.totals;
        delta.enabled.iter().for_each(|place| enabled.insert(slot_of(part.len(), place)));
        let index = Index::new(Arc::clone(&part.segment), sealed.graph.clone(), Arc::clone(&delta.segment), gone_words);
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Self { tenant, version, generation, dimension, sealed, gone, delta, index, enabled, totals }
    }

    /// The next catalogue: `upserts` are new or replace tools of their id, `removals` go. Costs what the delta costs, and one scan
    /// of all vectors for what they have in common.
    #[must_use]
    pub fn changed(&self, version: Version, upserts: &[Arc<Entry>], removals: &[ToolId], dimension: usize) -> Self {
        let replaced: std::collections::HashSet<&ToolId> =
            removals.iter().chain(upserts.iter().map(|entry| &entry.record.tool.id)).collect();
        let gone_now = replaced.iter().filter_map(|id| self.sealed.part.by_id.get(*id));
        let gone: Vec<u32> = self.gone.iter().chain(gone_now.copied()).collect();
        let kept = self.delta.entries.iter().filter(|entry| !replaced.contains(&entry.record.tool.id)).cloned();
        let delta: Vec<Arc<Entry>> = kept.chain(upserts.iter().cloned()).collect();
        // The catalogue of nothing knows no dimension; what it seals is empty, so there is nothing to make anew.
        Self::assemble(self.tenant.clone(), version, dimension, self.sealed.clone(), &gone, delta)
    }

    /// Tools that lie in the delta.
    #[must_use]
    pub fn delta_len(&self) -> usize {
        self.delta.len()
    }

    /// Whether the delta has outgrown its place beside the sealed part.
    #[must_use]
    pub fn wants_merge(&self) -> bool {
        (self.sealed.len() / DELTA_SHARE).max(MIN_DELTA) < self.delta.len() + self.gone.len()
    }

    /// All tools in one sealed part. Linear in their number; this catalogue goes on serving.
    #[must_use]
    pub fn sealed_anew(&self) -> Sealed {
        Sealed { part: Arc::new(Part::build(self.entries().cloned().collect(), self.dimension)), graph: None }
    }

    /// The same tools over another sealed part: what it lacks of them is the delta, what it has and they have not is gone.
    #[must_use]
    pub fn over(&self, sealed: Sealed) -> Self {
        let same = |entry: &Arc<Entry>, other: Option<&Arc<Entry>>| other.is_some_and(|other| Arc::ptr_eq(entry, other));
        let places = sealed.part.entries.iter().zip(0_u32..);
        let gone: Vec<u32> =
            places.filter(|(entry, _)| !same(entry, self.get(&entry.record.tool.id))).map(|(_, place)| place).collect();
        let sealed_one = |entry: &Arc<Entry>| {
            sealed.part.by_id.get(&entry.record.tool.id).and_then(|place| sealed.part.entries.get(*place as usize))
        };
        let delta = self.entries().filter(|entry| !same(entry, sealed_one(entry))).cloned().collect();
        Self::assemble(self.tenant.clone(), self.version, self.dimension, sealed, &gone, delta)
    }

    /// The sealed part.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// Whose.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Its version: changes when a tool does.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Changes whenever anything does, vectors and graph included; no two catalogues of a process share one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many tools.
    #[must_use]
    pub fn len(&self) -> usize {
        self.totals.tools
    }

    /// True without tools.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots, those of tools that are gone included.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.sealed.len() + self.delta.len()
    }

    /// All tools, in no order that means anything.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        let sealed = self.sealed.part.entries.iter().zip(0_u32..).filter(|(_, place)| !self.gone.contains(*place));
        sealed.map(|(entry, _)| entry).chain(&self.delta.entries)
    }

    /// The slot of a tool.
    #[must_use]
    pub fn slot(&self, id: &ToolId) -> Option<u32> {
        self.find(|part| part.by_id.get(id))
    }

    /// A tool.
    #[must_use]
    pub fn get(&self, id: &ToolId) -> Option<&Arc<Entry>> {
        self.at(self.slot(id)?)
    }

    /// The tool in a slot.
    #[must_use]
    pub fn at(&self, slot: u32) -> Option<&Arc<Entry>> {
        match (slot as usize).checked_sub(self.sealed.len()) {
            Some(place) => self.delta.entries.get(place),
            None => self.sealed.part.entries.get(slot as usize).filter(|_| !self.gone.contains(slot)),
        }
    }

    /// The tool a model means by `name`.
    #[must_use]
    pub fn by_model_name(&self, name: &str) -> Option<&Arc<Entry>> {
        self.at(self.find(|part| part.by_model_name.get(name))?)
    }

    fn find<'a>(&'a self, look: impl Fn(&'a Part) -> Option<&'a u32>) -> Option<u32> {
        let in_delta = look(&self.delta).map(|place| slot_of(self.sealed.len(), *place));
        in_delta.or_else(|| look(&self.sealed.part).copied().filter(|place| !self.gone.contains(*place)))
    }

    /// Order of registration of the tool in a slot: breaks ties, since slots change when parts are merged.
    #[must_use]
    pub fn position(&self, slot: u32) -> u64 {
        self.at(slot).map_or(u64::MAX, |entry| entry.record.position)
    }

    /// The position after all of them.
    #[must_use]
    pub fn next_position(&self) -> u64 {
        self.sealed.part.next_position.max(self.delta.next_position)
    }

    /// Tools of one source.
    pub fn of_source<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a Arc<Entry>> {
        self.entries().filter(move |entry| entry.record.tool.id.source() == source)
    }

    /// What is searched.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Slots whose name stands in `query`, ascending, each once; tools that are gone among them.
    #[must_use]
    pub fn mentioned(&self, query: &str) -> Vec<u32> {
        let mut slots = self.sealed.part.mentions.find(query);
        slots.extend(self.delta.mentions.find(query).into_iter().map(|place| slot_of(self.sealed.len(), place)));
        slots
    }

    /// Tools that were registered with an example request of the one in `slot`, ascending by registration, each once.
    #[must_use]
    pub fn companions(&self, slot: u32) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for example in self.at(slot).into_iter().flat_map(|entry| entry.examples()) {
            found.extend(
                self.sealed.part.by_example.get(example).into_iter().flatten().filter(|place| !self.gone.contains(**place)),
            );
            let in_delta = self.delta.by_example.get(example).into_iter().flatten();
            found.extend(in_delta.map(|place| slot_of(self.sealed.len(), *place)));
        }
        found.retain(|other| *other != slot);
        found.sort_unstable_by_key(|slot| self.position(*slot));
        found.dedup();
        found
    }

    /// Slots of enabled tools.
    #[must_use]
    pub fn enabled(&self) -> &Allowed {
        &self.enabled
    }

    /// How many tools have no vectors of the current model yet.
    #[must_use]
    pub fn without_vectors(&self) -> usize {
        self.totals.without_vectors
    }

    /// Tokens of all enabled tools at FULL.
    #[must_use]
    pub fn full_tokens(&self, format: Format, tokenizer: Tokenizer) -> u64 {
        self.totals.full_tokens[format as usize][tokenizer as usize]
    }
}

/// The slot of a place in the delta.
fn slot_of(sealed: usize, place: u32) -> u32 {
    u32::try_from(sealed).map_or(u32::MAX, |sealed| sealed.saturating_add(place))
}

#[cfg(test)]
mod tests;
