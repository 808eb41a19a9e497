//! One selection, from a query to a list of tools under the cap.
//!
//! Order: known answer? → condense → scope → embed ‖ words → fuse → rerank? → pinned first → pack → render. It works on one tenant catalogue from
//! start to end and returns the answer beside a [`Trace`]; what is measured or logged of it is decided elsewhere. Only the two models are
//! waited for; the rest is arithmetic on memory, well under a millisecond at thousands of tools.

mod again;
mod answer;
mod belief;
mod companions;
mod conversing;
mod counted;
mod embedding;
mod list;
mod looking;
mod offered;
mod policy;
mod request;
mod rerank;
mod shadow;
mod styled;
mod trace;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::again::Circumstances;
pub use self::again::{Again, Late, Moment};
pub use self::answer::{Answer, Change, DropCause, Dropped, Explanation, Listed, Mode, NoMatch, Selected, Stay, Usage};
use self::belief::Belief;
use self::embedding::Embedded;
use self::list::Selection;
pub(crate) use self::looking::search_parts;
use self::looking::{Looked, Said};
pub use self::offered::Offered;
pub use self::policy::Policy;
pub use self::request::{
    Budget, Input, MAX_PINNED, MAX_QUERY_BYTES, MAX_TOOLS_LIMIT, MAX_TURNS, Previous, Request, Scope, Share,
};
pub use self::rerank::Reranking;
pub use self::shadow::Shadow;
use self::styled::Styled;
pub use self::trace::{Answered, Reranked, Stage, Timed, Trace};
use crate::cache::Cache;
use crate::catalog::TenantCatalog;
use crate::compact::{self, Counters};
use crate::embed::{Embedding, Pool};
use crate::error::{Kind, Violation};
use crate::tool::TenantId;

/// How far down the ranking packing looks for tools that fit.
pub(crate) const CANDIDATES: usize = 200;
/// Kept back from the deadline for everything after the embedding, with room for a busy machine.
const RESERVE: Duration = Duration::from_millis(5);

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

/// Whose query it is belongs to the key: nobody can learn from timing what another tenant asks. So do its parts, as byte ranges: another
/// policy takes it apart elsewhere, or not at all.
type VectorKey = (TenantId, String, Vec<Range<usize>>);

/// An answer, with what a graph proposed for it: who replays the selection needs that too.
type Known = (Arc<Answer>, Option<Arc<[u32]>>);

/// Answers selections.
#[derive(Debug)]
pub struct Selector {
    pool: Pool,
    policy: Policy,
    answers: Cache<AnswerKey, Known>,
    vectors: Cache<VectorKey, Arc<Embedding>>,
    styled: Styled,
    shadow: Shadow,
    reranking: Option<Reranking>,
    counters: Counters,
}

impl Selector {
    /// Embeds with `pool` and ranks by `policy`.
    #[must_use]
    pub fn new(pool: Pool, policy: Policy, options: &SelectorOptions) -> Self {
        let vector_bytes = |(_, query, parts): &VectorKey, embedding: &Arc<Embedding>| {
            query.len() + size_of_val(parts.as_slice()) + (1 + parts.len()) * embedding.whole.dimension() * 4 + 100
        };
        Self {
            pool,
            policy,
            answers: Cache::new(options.answer_bytes, |key, (answer, proposed)| {
                key.request.bytes() + answer.bytes() + proposed.as_ref().map_or(0, |slots| size_of_val(&**slots))
            }),
            vectors: Cache::new(options.vector_bytes, vector_bytes),
            styled: Styled::new(),
            shadow: Shadow::new(options.shadow_every),
            reranking: None,
            counters: Counters::default(),
        }
    }

    /// One whose requests can name `counters` as tokenizers.
    #[must_use]
    pub fn with_counters(self, counters: Counters) -> Self {
        Self { counters, ..self }
    }

    /// Checks `input` and fills in the defaults.
    ///
    /// # Errors
    /// Every field that is wrong, with its limit and value.
    pub fn check(&self, input: Input) -> Result<Request, Vec<Violation>> {
        Request::check_among(input, &self.counters)
    }

    /// One that ranks by another policy and shares the vectors of queries, but no answers.
    #[must_use]
    pub fn ranking_by(&self, policy: Policy) -> Self {
        let (pool, vectors, shadow) = (self.pool.clone(), self.vectors.clone(), self.shadow.clone());
        let (styled, reranking, counters) = (self.styled.clone(), self.reranking.clone(), self.counters.clone());
        Self { pool, policy, answers: Cache::new(0, |_, _| 0), vectors, styled, shadow, reranking, counters }
    }

    /// How much is remembered: entries and bytes of known answers, and of known vectors.
    #[must_use]
    pub fn remembered(&self) -> [(u64, u64); 2] {
        [self.answers.size(), self.vectors.size()]
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
            let (answer, trace) = self.work_out(catalog, request, Circumstances::before(deadline)).await?;
            return Ok((Arc::new(answer), trace));
        }
        let mut trace = Trace::default();
        let key = AnswerKey { generation: catalog.generation(), request: request.clone() };
        if let Some((known, proposed)) = trace.time(Stage::Cache, || self.answers.get(&key)) {
            (trace.answered, trace.proposed) = (Answered::KnownAnswer, proposed);
            return Ok((known, trace));
        }
        let (answer, trace) = self.work_out(catalog, request, Circumstances::before(deadline)).await?;
        let answer = Arc::new(answer);
        // A degraded answer is for its moment only.
        if trace.moment.is_usual() {
            self.answers.put(key, (Arc::clone(&answer), trace.proposed.clone()));
        }
        Ok((answer, trace))
    }

    async fn work_out(
        &self,
        catalog: &Arc<TenantCatalog>,
        request: &Request,
        under: Circumstances<'_>,
    ) -> Result<(Answer, Trace), SelectError> {
        let mut trace = Trace::default();
        let eligible = request.scope.narrow(catalog);
        let started = Instant::now();
        let embedded = if eligible.is_empty() { Embedded::Nothing } else { self.embed(catalog, request, under).await? };
        let conversed = self.converse(catalog, request, embedded, under).await?;
        trace.over(Stage::Embed, started);
        let (embedded, favour, late) = (conversed.embedded, &conversed.favour, conversed.late);
        // From here on it is the query of whatever the conversation became.
        let condensed = conversed.query.map(|query| Request { query, ..request.clone() });
        let asked = condensed.as_ref().unwrap_or(request);
        let said = Said { named_in: &request.query, favour, proposed: under.proposed() };
        let Looked { mut ranked, log_odds, degraded } = self.look(catalog, asked, &eligible, embedded, &said, &mut trace);
        let condensed = if request.turns.is_empty() { String::new() } else { asked.query.clone() };
        let not_reranked = self.rerank(catalog, asked, &mut ranked, under, &mut trace).await;
        let belief = Belief::of(&self.policy, log_odds, &ranked, eligible.len(), &asked.query);
        let (values, styled) = (self.policy.weights.values, &self.styled);
        let selection = Selection { catalog, request, eligible: &eligible, ranked: &ranked, belief, values, styled };
        let (lined_up, chosen, mut dropped) = trace.time(Stage::Pack, || {
            let (mut lined_up, dropped) = selection.line_up();
            let chosen = selection.choose(&mut lined_up);
            (lined_up, chosen, dropped)
        });
        let texts = trace.time(Stage::Render, || selection.write(&lined_up, &chosen));
        let names = texts.tools.iter().filter(|_| request.tool_references).map(|tool| &tool.model_name);
        let tool_references = compact::tool_references(names);
        dropped.extend(selection.dropped(&lined_up, &chosen.dropped));
        let explanations = selection.explain(&lined_up, &chosen, &texts, &dropped);
        let usage = selection.usage(&lined_up, &texts);
        let no_match = texts.tools.is_empty().then(|| selection.no_match(&lined_up));
        let mode = if degraded.is_some() { Mode::Lexical } else { Mode::Semantic };
        let confidence = belief.any();
        let unfulfilled = belief.unfulfilled(request);
        let moment = Moment { by_words: degraded, not_reranked, late };
        let reasons = [&moment.by_words, &moment.not_reranked, &unfulfilled];
        let degraded_reason = reasons.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
        trace.moment = moment;
        let version = catalog.version();
        trace.ranked = ranked;
        Ok((
            Answer {
                tools: texts.tools,
                prompt: texts.prompt,
                tool_references,
                directory: texts.directory,
                listed: texts.listed,
                stay: chosen.stay,
                usage,
                no_match,
                confidence,
                dropped,
                mode,
                degraded_reason,
                version,
                explanations,
                condensed,
            },
            trace,
        ))
    }
}
