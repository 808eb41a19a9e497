//! What a selection did, for meters and logs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Moment;
use crate::index::Engine;
use crate::rank::Scored;

/// A part of a selection that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding the answer among those given before.
    Cache,
    /// Waiting for and running the model.
    Embed,
    /// Scoring views and words.
    Retrieve,
    /// Fusing and ordering.
    Rank,
    /// Waiting for and running the reranker.
    Rerank,
    /// Choosing tools and fidelities.
    Pack,
    /// Writing the text and counting it.
    Render,
}

impl Stage {
    /// Its name in metrics and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Embed => "embed",
            Self::Retrieve => "retrieve",
            Self::Rank => "rank",
            Self::Rerank => "rerank",
            Self::Pack => "pack",
            Self::Render => "render",
        }
    }
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answered {
    /// All of it was worked out.
    #[default]
    Anew,
    /// The query's vector was known.
    KnownVector,
    /// The whole answer was known.
    KnownAnswer,
}

impl Answered {
    /// In metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anew => "miss",
            Self::KnownVector => "vector",
            Self::KnownAnswer => "answer",
        }
    }
}

/// What became of reranking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reranked {
    /// There is no reranker, or there was nothing to order.
    #[default]
    Not,
    /// The order is blended.
    Done,
    /// The order stayed as it was: the reranker would have been late, or failed.
    Left,
}

/// A stage that is over.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Which.
    pub stage: Stage,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
}

/// What a selection did.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The stages, in order.
    pub stages: Vec<Timed>,
    /// Who searched; nobody when there was nothing to search, or the answer was known.
    pub engine: Option<Engine>,
    /// Where the answer came from.
    pub answered: Answered,
    /// What the answer owes to its moment.
    pub moment: Moment,
    /// What became of reranking.
    pub reranked: Reranked,
    /// The ranking, best first; empty where the answer was known.
    pub ranked: Vec<Scored>,
    /// What a graph proposed, as slots; none where all that is allowed was compared.
    pub proposed: Option<Arc<[u32]>>,
}

impl Trace {
    pub(super) fn time<T>(&mut self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = work();
        self.over(stage, started);
        result
    }

    /// Notes that a stage that began then is over.
    pub(super) fn over(&mut self, stage: Stage, started: Instant) {
        self.stages.push(Timed { stage, started, took: started.elapsed() });
    }
}
