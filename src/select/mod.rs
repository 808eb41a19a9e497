//! One selection, from a query to a list of tools under the cap.
//!
//! Order: known answer? → scope → embed ‖ words → fuse → pinned first → pack → render. It works on one tenant catalogue from start to end
//! and returns the answer beside a [`Trace`]; what is measured or logged of it is decided elsewhere. Only the embedding waits for anything;
//! the rest is arithmetic on memory, well under a millisecond at thousands of tools.

mod answer;
mod list;
mod offered;
mod request;
mod shadow;
mod trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::answer::{Answer, DropCause, Dropped, Explanation, Mode, NoMatch, Selected, Usage};
use self::list::Selection;
pub use self::offered::Offered;
pub use self::request::{Budget, Input, MAX_PINNED, MAX_QUERY_BYTES, MAX_TOOLS_LIMIT, Request, Scope};
pub use self::shadow::Shadow;
pub use self::trace::{Answered, Stage, Trace};
use crate::cache::Cache;
use crate::catalog::TenantCatalog;
use crate::embed::{Pool, QueryError};
use crate::error::{Kind, Violation};
use crate::index::vector::UnitVector;
use crate::index::{Engine, Query, terms};
use crate::rank::{self, Ranking, Weights};
use crate::tool::TenantId;

/// How far down the ranking packing looks for tools that fit.
const CANDIDATES: usize = 200;
/// Kept back from the deadline for everything after the embedding, with room for a busy machine.
const RESERVE: Duration = Duration::from_millis(5);
/// With more of the tools lacking vectors than this, ranking by meaning would hide them: words treat all alike.
const MAX_WITHOUT_VECTORS: f64 = 0.1;

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// Something in the request is wrong.
    #[error("{}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// Each thing that is wrong.
        violations: Vec<Violation>,
    },
    /// Too many queries wait for the embedder.
    #[error("{waiting} selections wait for the embedder, the limit is {limit}")]
    Overloaded {
        /// How many wait.
        waiting: usize,
        /// The limit.
        limit: usize,
        /// When there should be room.
        retry_after: Duration,
    },
    /// A task of ours died.
    #[error("{what} failed")]
    Task {
        /// What it was doing.
        what: &'static str,
    },
    /// Too many callers bring tools of their own.
    #[error("tools that {limit} callers bring are being embedded, which is the limit: come back, or register them")]
    TooManyOffers {
        /// The limit.
        limit: usize,
    },
}

impl SelectError {
    /// How a caller is to understand it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid { .. } => Kind::Invalid,
            Self::Overloaded { retry_after, .. } => Kind::Overloaded { retry_after: *retry_after },
            Self::TooManyOffers { .. } => Kind::Overloaded { retry_after: Duration::from_secs(1) },
            Self::Task { .. } => Kind::Internal,
        }
    }

    /// The fields that are wrong, for a rich error.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid { violations } => violations,
            Self::Overloaded { .. } | Self::TooManyOffers { .. } | Self::Task { .. } => &[],
        }
    }
}

/// How much to remember and how often to check.
#[derive(Clone, Copy, Debug)]
pub struct SelectorOptions {
    /// Bytes of known answers; 0 remembers none.
    pub answer_bytes: u64,
    /// Bytes of known query vectors; 0 remembers none.
    pub vector_bytes: u64,
    /// One in so many graph searches is repeated exactly; 0 is none.
    pub shadow_every: u64,
}

impl SelectorOptions {
    /// Everything is worked out anew, nothing is checked: for measuring.
    pub const BARE: Self = Self { answer_bytes: 0, vector_bytes: 0, shadow_every: 0 };
}

/// What an answer depends on: the catalogue with its vectors, and every field of the request.
#[derive(Debug, PartialEq, Eq, Hash)]
struct AnswerKey {
    generation: u64,
    request: Request,
}

/// Whose query it is belongs to the key: nobody can learn from timing what another tenant asks.
type VectorKey = (TenantId, String);

/// Answers selections.
#[derive(Debug)]
pub struct Selector {
    pool: Pool,
    answers: Cache<AnswerKey, Arc<Answer>>,
    vectors: Cache<VectorKey, Arc<UnitVector>>,
    shadow: Shadow,
}

impl Selector {
    /// Embeds with `pool`.
    #[must_use]
    pub fn new(pool: Pool, options: &SelectorOptions) -> Self {
        let vector_bytes = |(_, query): &VectorKey, vector: &Arc<UnitVector>| query.len() + vector.dimension() * 4 + 100;
        Self {
            pool,
            answers: Cache::new(options.answer_bytes, |key, answer| key.request.bytes() + answer.bytes()),
            vectors: Cache::new(options.vector_bytes, vector_bytes),
            shadow: Shadow::new(options.shadow_every),
        }
    }

    /// How well graph searches do against exact ones.
    #[must_use]
    pub fn shadow(&self) -> &Shadow {
        &self.shadow
    }

    /// Selects tools of `catalog` for `request`, before `deadline`.
    ///
    /// # Errors
    /// The embed queue is full. A near deadline is no error: then the answer is lexical.
    pub async fn select(
        &self,
        catalog: &Arc<TenantCatalog>,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Arc<Answer>, Trace), SelectError> {
        if !self.answers.is_on() {
            let (answer, trace) = self.work_out(catalog, request, deadline).await?;
            return Ok((Arc::new(answer), trace));
        }
        let mut trace = Trace::default();
        let key = AnswerKey { generation: catalog.generation(), request: request.clone() };
        if let Some(known) = trace.time(Stage::Cache, || self.answers.get(&key)) {
            trace.answered = Answered::KnownAnswer;
            return Ok((known, trace));
        }
        let (answer, trace) = self.work_out(catalog, request, deadline).await?;
        let answer = Arc::new(answer);
        // A degraded answer is for its moment only.
        if answer.degraded_reason.is_empty() {
            self.answers.put(key, Arc::clone(&answer));
        }
        Ok((answer, trace))
    }

    async fn work_out(
        &self,
        catalog: &Arc<TenantCatalog>,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Answer, Trace), SelectError> {
        let mut trace = Trace::default();
        let eligible = request.scope.narrow(catalog);
        let started = Instant::now();
        let embedded = if eligible.is_empty() { Embedded::Nothing } else { self.embed(catalog, request, deadline).await? };
        trace.stages.push((Stage::Embed, started.elapsed()));
        let (vector, degraded) = match embedded {
            Embedded::Nothing => (None, None),
            Embedded::Vector(vector, answered) => {
                trace.answered = answered;
                (Some(vector), None)
            }
            Embedded::Degraded(reason) => (None, Some(reason)),
        };

        // A scope leaves room for tools the graph would never propose, and an explanation wants every tool's place.
        let wide = request.scope.is_everything() && request.explain_tools.is_empty();
        let engine = if wide && vector.is_some() { Engine::Hnsw } else { Engine::Exact };
        let (found, mentioned) = trace.time(Stage::Retrieve, || {
            let mentioned = catalog.mentioned(&request.query);
            let mut always = mentioned.clone();
            always.extend(request.pinned.iter().filter_map(|id| catalog.slot(id)));
            let terms = terms::terms(&request.query);
            let query = Query { vector: vector.as_deref(), terms: &terms, always: &always };
            (catalog.index().search(&query, &eligible, engine), mentioned)
        });
        trace.engine = vector.is_some().then_some(found.engine);
        let unread = rank::unread_share(&request.query, &self.pool.info().scripts);
        let weights = Weights::default().with_unread(unread);
        let ranked = trace.time(Stage::Rank, || {
            let depth = if request.explain_tools.is_empty() { CANDIDATES } else { usize::MAX };
            let ranking = Ranking { mentioned: &mentioned, semantic: degraded.is_none(), weights, depth };
            let mut ranked = rank::rank(&found, &ranking, |slot| catalog.position(slot));
            rank::rivals::settle(&mut ranked, &request.query, |slot| catalog.at(slot).map(|entry| entry.look()));
            ranked
        });
        if let (Some(vector), Engine::Hnsw) = (&vector, found.engine) {
            self.shadow.look(catalog, vector, &eligible, &found, Weights::default());
        }

        let selection = Selection { catalog, request, eligible: &eligible, ranked: &ranked };
        let (lined_up, mut dropped) = selection.line_up();
        let packing = trace.time(Stage::Pack, || selection.pack(&lined_up));
        let (tools, prompt, returned) = trace.time(Stage::Render, || selection.render(&lined_up, &packing.kept));
        dropped.extend(selection.dropped(&lined_up, &packing.dropped));
        let explanations = selection.explain(&tools, &dropped);
        let usage = selection.usage(returned);
        let no_match = tools.is_empty().then(|| selection.no_match(&lined_up));
        let mode = if degraded.is_some() { Mode::Lexical } else { Mode::Semantic };
        let degraded_reason = degraded.unwrap_or_default();
        let version = catalog.version();
        Ok((Answer { tools, prompt, usage, no_match, dropped, mode, degraded_reason, version, explanations }, trace))
    }

    /// The query's vector, or why there is none.
    async fn embed(&self, catalog: &TenantCatalog, request: &Request, deadline: Instant) -> Result<Embedded, SelectError> {
        let (lacking, all) = (catalog.without_vectors(), catalog.len());
        if all as f64 * MAX_WITHOUT_VECTORS < lacking as f64 {
            let model = &self.pool.info().id;
            return Ok(Embedded::Degraded(format!("{lacking} of {all} tools are not embedded with model {model} yet")));
        }
        let key = (catalog.tenant().clone(), request.query.clone());
        if let Some(known) = self.vectors.get(&key) {
            return Ok(Embedded::Vector(known, Answered::KnownVector));
        }
        let deadline = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        match self.pool.query(request.query.clone(), deadline).await {
            Ok(vector) => {
                let vector = Arc::new(vector);
                self.vectors.put(key, Arc::clone(&vector));
                Ok(Embedded::Vector(vector, Answered::Anew))
            }
            Err(QueryError::Full { waiting, limit, retry_after }) => Err(SelectError::Overloaded { waiting, limit, retry_after }),
            Err(slow_or_failed) => Ok(Embedded::Degraded(slow_or_failed.to_string())),
        }
    }
}

/// What came of embedding the query.
enum Embedded {
    /// There is no tool to find.
    Nothing,
    Vector(Arc<UnitVector>, Answered),
    /// Words have to do, for this reason.
    Degraded(String),
}
