//! The graph engine for large catalogues: HNSW (Malkov and Yashunin, 2016) by hnsw_rs, the one file that names it.
//!
//! It holds one row per document and only proposes candidates: whoever asks scores those again on all views. What the crate would trip over
//! never reaches it: distances are clamped at zero (its own product distance asserts on rounding), no distance is NaN, equal rows are one
//! node, the number of links is far below where it ends the process, and its filtered search, slower than scanning everything, is not
//! used. Nodes go in one after another in order, with the crate's fixed seed, so that equal input gives an equal graph.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use hnsw_rs::anndists::dist::Distance;
use hnsw_rs::hnsw::Hnsw;

use super::exact::Pairs;
use super::vector::Codes;
use crate::background;

/// Links per node above the ground layer, twice as many on it. These three were chosen by what the `engines` bench prints: recall first.
const LINKS: usize = 24;
/// Candidates looked at for the links of a new node.
const BUILD_WIDTH: usize = 200;
/// Candidates kept while searching: at least as many as are asked for.
const SEARCH_WIDTH: usize = 256;
/// The crate's own limit; the draw of a node's layer stays far below it.
const MAX_LAYERS: usize = 16;
/// Bytes of the scale behind the codes of a node.
const SCALE_BYTES: usize = 4;

/// A sealed graph.
pub struct Graph {
    /// Emptied only by `drop`.
    nodes: Option<Hnsw<'static, i8, Cosine>>,
    /// Documents of each node: those with an equal row share one.
    documents: Vec<Vec<u32>>,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("nodes", &self.documents.len()).finish_non_exhaustive()
    }
}

impl Graph {
    /// Builds the graph over `rows`, each with its document. Takes minutes at a hundred thousand; `None` when `stop` was set meanwhile.
    pub fn build(rows: impl ExactSizeIterator<Item = (u32, Codes)>, stop: &AtomicBool) -> Option<Self> {
        let nodes = Hnsw::new(LINKS, rows.len().max(1), MAX_LAYERS, BUILD_WIDTH, Cosine::default());
        let mut documents: Vec<Vec<u32>> = Vec::new();
        let mut known: HashMap<Vec<i8>, usize> = HashMap::new();
        for (document, codes) in rows {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let node = node(&codes);
            if let Some(same) = known.get(&node) {
                documents[*same].push(document);
                continue;
            }
            nodes.insert((&node, documents.len()));
            known.insert(node, documents.len());
            documents.push(vec![document]);
        }
        Some(Self { nodes: Some(nodes), documents })
    }

    /// At least `k` documents that are near `query`, where there are as many; nearest first.
    #[must_use]
    pub fn search(&self, query: &Codes, k: usize) -> Vec<u32> {
        let Some(nodes) = &self.nodes else { return Vec::new() };
        let near = nodes.search(&node(query), k, SEARCH_WIDTH.max(k));
        near.iter().filter_map(|neighbour| self.documents.get(neighbour.d_id)).flatten().copied().collect()
    }
}

impl Drop for Graph {
    /// Taking a large graph apart takes a second, and the last to let go may be a request: it happens on a thread of its own.
    fn drop(&mut self) {
        let nodes = self.nodes.take();
        // Without a thread the closure is dropped, and the graph with it, here.
        let _ = background::spawn("graph-drop", move || drop(nodes));
    }
}

/// The codes with their scale behind them: the crate compares slices of one type.
fn node(codes: &Codes) -> Vec<i8> {
    let scale = codes.scale().to_le_bytes().map(u8::cast_signed);
    codes.codes().iter().copied().chain(scale).collect()
}

/// One minus the cosine, never below zero and never NaN.
#[derive(Clone, Copy, Debug, Default)]
struct Cosine(Pairs);

impl Distance<i8> for Cosine {
    fn eval(&self, a: &[i8], b: &[i8]) -> f32 {
        let (Some((a, a_scale)), Some((b, b_scale))) = (a.split_last_chunk::<SCALE_BYTES>(), b.split_last_chunk::<SCALE_BYTES>())
        else {
            return 2.0;
        };
        let scale = |bytes: &[i8; SCALE_BYTES]| f32::from_le_bytes(bytes.map(i8::cast_unsigned));
        let cosine = self.0.dot(a, b) as f32 * (scale(a_scale) * scale(b_scale));
        // `max` gives the other side for NaN.
        (1.0 - cosine).max(0.0)
    }
}
