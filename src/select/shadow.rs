//! Shadow queries: one in so many graph searches is repeated exactly, after the answer, so that operators see the recall they get.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::TenantCatalog;
use crate::embed::Embedding;
use crate::index::allow::Allowed;
use crate::index::{Engine, Found, Query};
use crate::rank::Fusion;

/// Recall is taken over this many places.
const DEPTH: usize = 10;
/// Weight of the newest check in the decaying mean: the last fifty or so count.
const NEWEST: f64 = 0.02;

/// What shadow queries found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Recall {
    /// Checks so far.
    pub checks: u64,
    /// Decaying mean of recall@10 of the graph against the exact scan, in `[0, 1]`; 0 before the first check.
    pub mean: f64,
}

/// Repeats some graph searches exactly. A cheap handle.
#[derive(Clone, Debug)]
pub struct Shadow(Arc<State>);

#[derive(Debug)]
struct State {
    every: u64,
    searches: AtomicU64,
    busy: AtomicBool,
    recall: Mutex<Recall>,
}

impl Shadow {
    /// Repeats one in `every` searches; 0 is none.
    #[must_use]
    pub fn new(every: u64) -> Self {
        let (searches, busy, recall) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::default());
        Self(Arc::new(State { every, searches, busy, recall }))
    }

    /// What was found so far.
    #[must_use]
    pub fn recall(&self) -> Recall {
        *self.0.recall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a graph search and, when it is its turn, repeats it on a thread of its own; one at a time, so that load does not
    /// double.
    pub(super) fn look(
        &self,
        catalog: &Arc<TenantCatalog>,
        embedding: &Arc<Embedding>,
        allowed: &Allowed,
        found: &Found,
        fusion: Fusion,
    ) {
        let state = &self.0;
        if state.every == 0 || !state.searches.fetch_add(1, Ordering::Relaxed).is_multiple_of(state.every) {
            return;
        }
        if state.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let (catalog, embedding, allowed) = (Arc::clone(catalog), Arc::clone(embedding), allowed.clone());
        let graph = best(found, fusion);
        let state = Arc::clone(state);
        tokio::task::spawn_blocking(move || {
            let query = Query { vector: Some(&embedding.whole), terms: &[], always: &[], centring: 0.0 };
            let exact = best(&catalog.index().search(&query, &allowed, Engine::Exact), fusion);
            state.note(recall(&graph, &exact));
            state.busy.store(false, Ordering::Release);
        });
    }
}

impl State {
    fn note(&self, recall: f64) {
        let mut seen = self.recall.lock().unwrap_or_else(PoisonError::into_inner);
        seen.mean = if seen.checks == 0 { recall } else { seen.mean + NEWEST * (recall - seen.mean) };
        seen.checks += 1;
    }
}

/// The best scores by meaning, greatest first.
fn best(found: &Found, fusion: Fusion) -> Vec<f32> {
    let mut scores: Vec<f32> = found.hits.iter().filter_map(|hit| fusion.meaning(hit)).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    scores.truncate(DEPTH);
    scores
}

/// Share of the exact places that the graph filled with something as near. By score: among equals either will do.
fn recall(graph: &[f32], exact: &[f32]) -> f64 {
    let Some(last) = exact.last() else { return 1.0 };
    graph.iter().filter(|score| last <= *score).count() as f64 / exact.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_is_the_share_that_is_as_near() {
        assert_eq!(recall(&[0.9, 0.8, 0.4], &[0.9, 0.8, 0.7]), 2.0 / 3.0);
        assert_eq!(recall(&[0.9, 0.7, 0.7], &[0.9, 0.7, 0.7]), 1.0);
        assert_eq!(recall(&[], &[0.1]), 0.0);
        assert_eq!(recall(&[], &[]), 1.0);
    }

    #[test]
    fn the_mean_follows_slowly() {
        let shadow = Shadow::new(1);
        shadow.0.note(0.5);
        assert_eq!(shadow.recall(), Recall { checks: 1, mean: 0.5 });
        (0..200).for_each(|_| shadow.0.note(1.0));
        assert!((0.98..1.0).contains(&shadow.recall().mean));
    }
}
