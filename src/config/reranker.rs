//! `[reranker]`: a cross-encoder of the user's own that looks over the head of a ranking. Absent: none does.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rank::rerank::{Blend, RerankPoolOptions};

/// Deepest rerank: each place costs a forward pass.
const MAX_DEPTH: usize = 100;

/// The reranker and its queue.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reranker {
    /// The model directory. Looked for from the working folder, then beside the program and in the folders above it.
    pub model_dir: PathBuf,
    /// How many of the first places it looks at: 2 to 100.
    #[serde(default = "depth")]
    pub depth: usize,
    /// Its share of the new score: 0 (leaves the order as it was) to 1 (its word alone).
    #[serde(default = "weight")]
    pub weight: f32,
    /// Worker threads, each with a model of its own: 1 to 64. Absent: one per processor core.
    #[serde(default)]
    pub workers: Option<usize>,
    /// Most selections waiting for a worker: 1 or more. Past it they keep the order they have.
    #[serde(default = "queue_limit")]
    pub queue_limit: usize,
}

fn depth() -> usize {
    Blend::default().depth
}

fn weight() -> f32 {
    Blend::default().weight
}

fn queue_limit() -> usize {
    RerankPoolOptions::default().queue_limit
}

impl Reranker {
    /// How it takes part in a ranking.
    #[must_use]
    pub fn blend(&self) -> Blend {
        Blend { depth: self.depth, weight: self.weight }
    }

    /// What is wrong with it, if anything.
    pub(super) fn complaint(&self) -> Option<String> {
        if !(2..=MAX_DEPTH).contains(&self.depth) {
            return Some(format!("reranker.depth is {}, it must be 2 to {MAX_DEPTH}", self.depth));
        }
        if !(0.0..=1.0).contains(&self.weight) {
            return Some(format!("reranker.weight is {}, it must be 0 to 1", self.weight));
        }
        if let Some(workers) = self.workers.filter(|n| *n == 0 || 64 < *n) {
            return Some(format!("reranker.workers is {workers}, it must be 1 to 64"));
        }
        if self.queue_limit == 0 {
            return Some("reranker.queue_limit is 0, 1 is the least".to_owned());
        }
        // Unlike the embedder's, this directory has no default that `make setup` leaves, so a wrong name is told before a port opens.
        let folder = super::model_dir(&self.model_dir);
        if !folder.join("manifest.json").is_file() {
            return Some(format!("reranker.model_dir {} has no manifest.json: see models/README.md", folder.display()));
        }
        None
    }
}
