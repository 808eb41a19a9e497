//! The vectors of a request: of the whole, and of its parts where it is long enough to have some, all from one forward pass.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::{Answered, Circumstances, RESERVE, Request, SelectError, Selector};
use crate::catalog::TenantCatalog;
use crate::embed::{Embedding, QueryError};
use crate::rank::{Step, clauses};

/// With more of the tools lacking vectors than this, ranking by meaning would hide them: words treat all alike.
const MAX_WITHOUT_VECTORS: f64 = 0.1;

/// What came of embedding a request.
pub(super) enum Embedded {
    /// There is no tool to find.
    Nothing,
    /// The vectors.
    Vectors(Vectors),
    /// Words have to do, for this reason.
    Degraded(String),
}

/// The vectors of a request.
pub(super) struct Vectors {
    pub(super) embedding: Arc<Embedding>,
    /// The parts, as byte ranges of the query.
    pub(super) parts: Vec<Range<usize>>,
    pub(super) answered: Answered,
}

impl Selector {
    /// The request's vectors, or why there are none.
    pub(super) async fn embed(
        &self,
        catalog: &TenantCatalog,
        request: &Request,
        under: Circumstances<'_>,
    ) -> Result<Embedded, SelectError> {
        if let Some(reason) = under.by_words() {
            return Ok(Embedded::Degraded(reason.to_owned()));
        }
        let (lacking, all) = (catalog.without_vectors(), catalog.len());
        if all as f64 * MAX_WITHOUT_VECTORS < lacking as f64 {
            let model = &self.pool.info().id;
            return Ok(Embedded::Degraded(format!("{lacking} of {all} tools are not embedded with model {model} yet")));
        }
        let parts = self.parts(&request.query);
        Ok(match self.vectors(catalog, &request.query, parts, under.deadline).await {
            Ok(vectors) => Embedded::Vectors(vectors),
            Err(QueryError::Full { waiting, limit, retry_after }) => {
                return Err(SelectError::Overloaded { waiting, limit, retry_after });
            }
            Err(slow_or_failed) => Embedded::Degraded(slow_or_failed.to_string()),
        })
    }

    /// The vectors of `text` and its parts, from before or in time.
    pub(super) async fn vectors(
        &self,
        catalog: &TenantCatalog,
        text: &str,
        parts: Vec<Range<usize>>,
        deadline: Instant,
    ) -> Result<Vectors, QueryError> {
        let key = (catalog.tenant().clone(), text.to_owned(), parts.clone());
        if let Some(embedding) = self.vectors.get(&key) {
            return Ok(Vectors { embedding, parts, answered: Answered::KnownVector });
        }
        let deadline = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let embedding = Arc::new(self.pool.query_parts(text, parts.clone(), deadline).await?);
        self.vectors.put(key, Arc::clone(&embedding));
        Ok(Vectors { embedding, parts, answered: Answered::Anew })
    }

    /// Where `text` is taken apart.
    pub(super) fn parts(&self, text: &str) -> Vec<Range<usize>> {
        let clauses = &self.policy.weights.clauses;
        let takes_apart = self.policy.keeps(Step::Clauses) && 0.0 < clauses.weight;
        if takes_apart { clauses::parts(text, clauses.min_words, clauses.max_parts) } else { Vec::new() }
    }
}
