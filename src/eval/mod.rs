//! How well selections find the right tools, on labelled sets of requests.
//!
//! A set is searched as the service would search it, in this process: the same views, words, ranking and packing. The plain baselines live
//! here too, so that every figure of a table comes from one command over the same data.

mod baseline;
pub mod bootstrap;
pub mod compare;
pub mod confidence;
pub mod continuity;
pub mod dataset;
pub mod dialogues;
pub mod diet;
pub mod fit;
pub mod growth;
pub mod llm;
pub mod measures;
pub mod packing;
pub mod prepared;
pub mod report;
pub mod results;
mod router;
pub mod tokens;

use std::collections::HashMap;
use std::time::Duration;

use self::prepared::Prepared;
use self::results::{Abstention, Asked, Run};
pub use self::router::catalogue;
use crate::embed::{EmbedError, Embedder, Loaded, Pool, PoolOptions};
use crate::index::Engine;
use crate::index::vector::UnitVector;
use crate::rank::Step;
use crate::select::{Policy, Reranking};

/// Writes `bytes` to `path`, whole or not at all.
pub(crate) fn whole_file(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    // Beside it, so that the rename stays on one file system.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, path)).inspect_err(|_| {
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
    /// What documents gave: sets that are measured among the same distractors share most of their texts.
    known: HashMap<String, UnitVector>,
    pool: Pool,
    policy: Policy,
    reranking: Option<Reranking>,
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
        let pool = Pool::start(loaded, PoolOptions::default())?;
        Ok(Self { embedders: documents.embedders, known: HashMap::new(), pool, policy: Policy::default(), reranking: None })
    }

    /// The same, ranking by `policy`.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// How it ranks.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, with a reranker for [`Ranker::Router`] where there is one.
    #[must_use]
    pub fn with_reranking(self, reranking: Option<Reranking>) -> Self {
        Self { reranking, ..self }
    }

    /// Its worker for queries.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Its reranker, where there is one.
    #[must_use]
    pub fn reranking(&self) -> Option<&Reranking> {
        self.reranking.as_ref()
    }

    /// The model's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.pool.info().id
    }

    /// The reranker's id; empty where there is none.
    #[must_use]
    pub fn reranker_id(&self) -> &str {
        self.reranking.as_ref().map_or("", |reranking| reranking.pool.id())
    }

    /// Vectors of all `texts`, each text once, on all workers; `tick` is told of each that was not known.
    ///
    /// # Errors
    /// The model failed on one.
    pub fn embed_all(&mut self, texts: Vec<String>, tick: &(dyn Fn() + Sync)) -> Result<HashMap<String, UnitVector>, EmbedError> {
        let mut wanted = texts;
        wanted.sort_unstable();
        wanted.dedup();
        let distinct: Vec<String> = wanted.iter().filter(|text| !self.known.contains_key(*text)).cloned().collect();
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
        for part in parts {
            self.known.extend(part?);
        }
        Ok(wanted.into_iter().filter_map(|text| self.known.get(&text).cloned().map(|vector| (text, vector))).collect())
    }
}

/// Who searches a set, what is left out, and what is kept of it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Who ranks.
    pub rankers: Vec<Ranker>,
    /// Steps that are left out, one after the other.
    pub without: Vec<Step>,
    /// Requests of the set that need no tool, with the name of their split.
    pub none: Vec<(String, Vec<dataset::Query>)>,
}

/// Evaluates every ranker of `plan` on `set`; `tick` is told of every answered query.
///
/// # Errors
/// The model or a selection failed.
pub async fn evaluate(
    set: &Prepared,
    plan: &Plan,
    model: &mut Model,
    tick: &(dyn Fn() + Sync),
) -> Result<(Vec<Run>, Vec<Abstention>), EvalError> {
    let (mut runs, mut abstentions) = (Vec::new(), Vec::new());
    for ranker in &plan.rankers {
        match ranker {
            Ranker::Bm25 => runs.push(run(set, *ranker, "", baseline::bm25(&set.data))),
            Ranker::Cosine => runs.push(run(set, *ranker, "", baseline::cosine(set, model, tick)?)),
            Ranker::Router => {
                let router = router::Router::new(set, model);
                let ranked = router.rank(tick).await?;
                let worst = router.worst(&ranked).await?;
                runs.push(Run { worst, ..run(set, *ranker, "", ranked) });
                for step in &plan.without {
                    runs.push(run(set, *ranker, step.name(), router.without(*step, tick).await?));
                }
                for (split, none) in &plan.none {
                    abstentions.extend(router.abstention(none, split, tick).await?);
                }
            }
        }
    }
    Ok((runs, abstentions))
}

fn run(set: &Prepared, ranker: Ranker, without: &str, ranked: Ranked) -> Run {
    let data = &set.data;
    let confidence = |at: usize| ranked.confidences.get(at).copied().flatten();
    let asked = data.queries.iter().zip(&ranked.lists).enumerate();
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    Run {
        set: data.name.clone(),
        split: data.split.clone(),
        ranker: ranker.name().to_owned(),
        without: without.to_owned(),
        tools: data.tools.len(),
        distractors: data.distractors,
        tokens_mean: ranked.tokens_mean,
        queries: asked.map(|(at, (query, list))| Asked::of(&query.id, list, &query.relevant, confidence(at))).collect(),
        embed_us_p50: median(ranked.embed).map(micros),
        rest_us_p50: median(ranked.rest).map(micros).unwrap_or_default(),
        engine: ranked.engine.map_or("", Engine::name).to_owned(),
        worst: Vec::new(),
    }
}

/// What a ranker gives: for each query the slots of the best tools, best first, and what it took.
#[derive(Debug, Default)]
struct Ranked {
    lists: Vec<Vec<usize>>,
    confidences: Vec<Option<f32>>,
    tokens_mean: Option<f64>,
    embed: Vec<Duration>,
    rest: Vec<Duration>,
    engine: Option<Engine>,
}

fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
