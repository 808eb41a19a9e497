//! How well selections find the right tools, on labelled sets of requests.
//!
//! A set is searched as the service would search it, in this process: the same views, words, ranking and packing. The plain baselines live
//! here too, so that every figure of a table comes from one command over the same data.

mod baseline;
pub mod bootstrap;
pub mod compare;
pub mod confidence;
pub mod dataset;
pub mod measures;
pub mod report;
pub mod results;
mod router;

use std::collections::HashMap;
use std::time::Duration;

use self::dataset::Dataset;
use self::measures::{Means, Scores};
pub use self::router::catalogue;
use crate::embed::{EmbedError, Embedder, Loaded, Pool, PoolOptions};
use crate::index::vector::UnitVector;
use crate::index::{Engine, EngineChoice};

/// Writes `bytes` to `path`, whole or not at all.
pub(crate) fn whole_file(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    // Beside it, so that the rename stays on one file system.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, path).inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

/// Who ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranker {
    /// BM25 alone.
    Bm25,
    /// One text per tool, by cosine: what peers do.
    Cosine,
    /// The service.
    Router,
}

impl Ranker {
    /// In tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::Cosine => "cosine",
            Self::Router => "router",
        }
    }
}

/// What came out for one set.
#[derive(Clone, Debug)]
pub struct Report {
    /// The set.
    pub set: String,
    /// Its split; empty when it has one file of queries.
    pub split: String,
    /// Tools searched, distractors included.
    pub tools: usize,
    /// Queries asked.
    pub queries: usize,
    /// Means over the queries.
    pub means: Means,
    /// Mean tokens of a list at the default cap; the router only.
    pub tokens_mean: Option<f64>,
    /// Who compared vectors; nobody where there are none.
    pub engine: Option<Engine>,
    /// Median time to embed a query; without it where nothing is embedded.
    pub embed: Option<Duration>,
    /// Median time for everything else.
    pub rest: Duration,
}

/// An evaluation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The set cannot be read.
    #[error(transparent)]
    Dataset(#[from] dataset::DatasetError),
    /// The model failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// A selection failed.
    #[error("query {query}: {detail}")]
    Select {
        /// The query's id.
        query: String,
        /// The selection's words.
        detail: String,
    },
    /// No worker thread could be started.
    #[error("the embed workers do not start: {0}")]
    Workers(#[from] std::io::Error),
}

/// The model for an evaluation: its workers as a pool for queries, the same workers in parallel for documents.
pub struct Model {
    embedders: Vec<Box<dyn Embedder>>,
    pool: Pool,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Model {
    /// Takes one worker of `loaded` for queries, as they come one at a time, and all of `documents` for documents.
    ///
    /// # Errors
    /// No thread.
    pub fn new(mut loaded: Loaded, documents: Loaded) -> Result<Self, EvalError> {
        loaded.embedders.truncate(1);
        Ok(Self { embedders: documents.embedders, pool: Pool::start(loaded, PoolOptions::default())? })
    }

    /// Its worker for queries.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The model's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.pool.info().id
    }

    /// Vectors of all `texts`, each text once, on all workers; `tick` is told of each.
    ///
    /// # Errors
    /// The model failed on one.
    pub fn embed_all(&mut self, texts: Vec<String>, tick: &(dyn Fn() + Sync)) -> Result<HashMap<String, UnitVector>, EmbedError> {
        let mut distinct = texts;
        distinct.sort_unstable();
        distinct.dedup();
        let share = distinct.len().div_ceil(self.embedders.len().max(1)).max(1);
        let prefix = self.pool.info().passage_prefix.clone();
        let parts: Vec<Result<Vec<(String, UnitVector)>, EmbedError>> = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (embedder, part) in self.embedders.iter_mut().zip(distinct.chunks(share)) {
                let prefix = &prefix;
                threads.push(scope.spawn(move || {
                    part.iter()
                        .map(|text| {
                            let vector = embedder.embed(&format!("{prefix}{text}"))?;
                            tick();
                            Ok((text.clone(), vector))
                        })
                        .collect()
                }));
            }
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err(EmbedError::Panicked))).collect()
        });
        let mut all = HashMap::with_capacity(distinct.len());
        for part in parts {
            all.extend(part?);
        }
        Ok(all)
    }
}

/// Evaluates `ranker` on `data`; `choice` is the engine for [`Ranker::Router`]; `tick` is told of every embedded text and answered query.
///
/// # Errors
/// The model or a selection failed.
pub async fn evaluate(
    data: &Dataset,
    ranker: Ranker,
    choice: EngineChoice,
    model: &mut Model,
    tick: &(dyn Fn() + Sync),
) -> Result<Report, EvalError> {
    let ranked = match ranker {
        Ranker::Bm25 => baseline::bm25(data),
        Ranker::Cosine => baseline::cosine(data, model, tick)?,
        Ranker::Router => router::rank(data, choice, model, tick).await?,
    };
    let scores = data.queries.iter().zip(&ranked.lists).map(|(query, list)| Scores::of(list, &query.relevant));
    Ok(Report {
        set: data.name.clone(),
        split: data.split.clone(),
        tools: data.tools.len(),
        queries: data.queries.len(),
        means: Means::of(scores),
        tokens_mean: ranked.tokens_mean,
        engine: ranked.engine,
        embed: median(ranked.embed),
        rest: median(ranked.rest).unwrap_or_default(),
    })
}

/// What a ranker gives: for each query the slots of the best tools, best first, and what it took.
#[derive(Debug, Default)]
struct Ranked {
    lists: Vec<Vec<usize>>,
    tokens_mean: Option<f64>,
    embed: Vec<Duration>,
    rest: Vec<Duration>,
    engine: Option<Engine>,
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
