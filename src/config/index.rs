//! `[index]`: which engine finds tools by their vectors.

use serde::{Deserialize, Serialize};

use crate::index::EngineChoice;

/// Which engine.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// A graph from `hnsw_min_tools` tools on.
    #[default]
    Auto,
    /// Every tool is compared, always.
    Exact,
    /// A graph, always. Scoped requests are answered exactly all the same.
    Hnsw,
}

/// The index.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Index {
    /// Which engine.
    pub engine: Engine,
    /// With `auto`: tools of a tenant from which on it gets a graph. 1 or more.
    pub hnsw_min_tools: usize,
    /// One in so many graph searches is repeated exactly, after the answer, to measure recall. 0: none.
    pub shadow_every: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self { engine: Engine::default(), hnsw_min_tools: EngineChoice::DEFAULT_HNSW_MIN, shadow_every: 100 }
    }
}

impl Index {
    /// As the index takes it.
    #[must_use]
    pub fn choice(&self) -> EngineChoice {
        match self.engine {
            Engine::Auto => EngineChoice::Auto { hnsw_min: self.hnsw_min_tools },
            Engine::Exact => EngineChoice::Exact,
            Engine::Hnsw => EngineChoice::Hnsw,
        }
    }
}
