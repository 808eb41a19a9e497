//! Which engine finds documents by their vectors, and when.

/// How documents are found by their vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Every allowed document is compared.
    Exact,
    /// A graph proposes candidates.
    Hnsw,
}

impl Engine {
    /// In tables, metrics and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Hnsw => "hnsw",
        }
    }
}

/// When there is a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// From this many documents on.
    Auto {
        /// The number.
        hnsw_min: usize,
    },
    /// Never.
    Exact,
    /// Always.
    Hnsw,
}

impl EngineChoice {
    /// Where a graph is faster and the scan begins to be felt; `make bench` prints the crossover (`benches/README.md`).
    pub const DEFAULT_HNSW_MIN: usize = 50_000;

    /// Whether so many documents should have a graph.
    #[must_use]
    pub fn wants_graph(self, documents: usize) -> bool {
        match self {
            Self::Auto { hnsw_min } => hnsw_min <= documents,
            Self::Exact => false,
            Self::Hnsw => 0 < documents,
        }
    }
}

impl Default for EngineChoice {
    fn default() -> Self {
        Self::Auto { hnsw_min: Self::DEFAULT_HNSW_MIN }
    }
}
