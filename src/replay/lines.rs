//! A catalogue as lines under their hashes, as the ring keeps it.
//!
//! Hashing ten thousand tools takes a tenth of a second, and after most changes all but a few are as they were: what was hashed last is
//! remembered by the entry itself, which all catalogues share that hold it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::catalog::{Entry, TenantCatalog};
use crate::store::backup::{tool_line, vector_line};
use crate::store::ring::{Block, Hash, Listing, hash};
use crate::tool::{TenantId, ToolId};

/// Positions per block. A changed tool costs its block's hashes and the list of all blocks: about the root of the whole is least.
const PER_BLOCK: u64 = 64;

/// A catalogue with what it is kept under.
#[derive(Debug)]
pub(super) struct Listed {
    generation: u64,
    pub(super) listing: Listing,
    /// By registration, as a catalogue that is built anew has them in its slots.
    entries: Vec<Arc<Entry>>,
    model_id: String,
}

impl Listed {
    /// The texts of a block's lines.
    pub(super) fn texts(&self, place: usize) -> Vec<String> {
        let block = self.entries.chunk_by(|a, b| block_of(a) == block_of(b)).nth(place);
        block.into_iter().flatten().flat_map(|entry| lines(entry, &self.model_id)).collect()
    }

    /// Where the tool in a slot of `catalog` stands by registration.
    pub(super) fn place(&self, catalog: &TenantCatalog, slot: u32) -> Option<u32> {
        let entry = catalog.at(slot)?;
        let place = self.entries.binary_search_by(|other| order(other).cmp(&order(entry))).ok()?;
        u32::try_from(place).ok()
    }
}

fn order(entry: &Entry) -> (u64, &ToolId) {
    (entry.record.position, &entry.record.tool.id)
}

fn block_of(entry: &Entry) -> u64 {
    entry.record.position / PER_BLOCK
}

fn lines(entry: &Entry, model_id: &str) -> Vec<String> {
    let vectors = entry.vectors().filter_map(|(text, codes)| Some(vector_line(model_id, text, codes?)));
    std::iter::once(tool_line(&entry.record)).chain(vectors).collect()
}

/// What is remembered of an entry: it, so that its address stays its own, with its lines' hashes and bytes.
type Known = (Arc<Entry>, Vec<Hash>, u64);

/// Lists catalogues, and remembers what was listed last of each tenant.
#[derive(Debug)]
pub(super) struct Lister {
    model_id: String,
    /// Larger catalogues are not kept.
    max_bytes: u64,
    last: HashMap<TenantId, Last>,
}

#[derive(Debug, Default)]
struct Last {
    listed: Option<Arc<Listed>>,
    /// By the entry's address.
    known: HashMap<usize, Known>,
    /// A catalogue of so many tools was too large.
    too_many: Option<usize>,
}

impl Lister {
    pub(super) fn new(model_id: String, max_bytes: u64) -> Self {
        Self { model_id, max_bytes, last: HashMap::new() }
    }

    /// `catalog` by hashes; nothing where it is too large to be kept.
    pub(super) fn list(&mut self, catalog: &TenantCatalog) -> Option<Arc<Listed>> {
        let last = self.last.entry(catalog.tenant().clone()).or_default();
        if let Some(listed) = last.listed.as_ref().filter(|listed| listed.generation == catalog.generation()) {
            return Some(Arc::clone(listed));
        }
        if last.too_many.is_some_and(|tools| tools <= catalog.len()) {
            return None;
        }
        let mut entries: Vec<Arc<Entry>> = catalog.entries().cloned().collect();
        entries.sort_by(|a, b| order(a).cmp(&order(b)));
        let (mut blocks, mut known, mut bytes) = (Vec::new(), HashMap::with_capacity(entries.len()), 0);
        for block in entries.chunk_by(|a, b| block_of(a) == block_of(b)) {
            let mut hashes = Vec::new();
            for entry in block {
                let address = Arc::as_ptr(entry).addr();
                let one = last.known.remove(&address).unwrap_or_else(|| {
                    let lines = lines(entry, &self.model_id);
                    let bytes = lines.iter().map(|line| line.len() as u64).sum();
                    (Arc::clone(entry), lines.iter().map(|line| hash(line)).collect(), bytes)
                });
                bytes += one.2;
                hashes.extend_from_slice(&one.1);
                known.insert(address, one);
            }
            if self.max_bytes < bytes {
                *last = Last { too_many: Some(catalog.len()), ..Last::default() };
                return None;
            }
            blocks.push(Block::of(hashes));
        }
        let listing = Listing::of(catalog.tenant().clone(), catalog.version(), blocks);
        let listed = Arc::new(Listed { generation: catalog.generation(), listing, entries, model_id: self.model_id.clone() });
        *last = Last { listed: Some(Arc::clone(&listed)), known, too_many: None };
        Some(listed)
    }
}
