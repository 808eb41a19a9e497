//! The vectors of a request: of the whole, and of its parts where it is long enough to have some.
//!
//! The whole is what a selection waits for. Parts make it better and cost passes of their own, so they give way: when others wait for the
//! model, when one would be late or fails, the selection goes on without them and says so.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::{Answered, RESERVE, Request, SelectError, Selector};
use crate::catalog::TenantCatalog;
use crate::embed::QueryError;
use crate::index::vector::UnitVector;
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
    pub(super) whole: Arc<UnitVector>,
    /// Each part with its vector.
    pub(super) parts: Vec<(String, Arc<UnitVector>)>,
    /// Why there are no parts although the request has some.
    pub(super) without_parts: Option<String>,
    pub(super) answered: Answered,
}

impl Selector {
    /// The request's vectors, or why there are none.
    pub(super) async fn embed(
        &self,
        catalog: &TenantCatalog,
        request: &Request,
        deadline: Instant,
    ) -> Result<Embedded, SelectError> {
        let (lacking, all) = (catalog.without_vectors(), catalog.len());
        if all as f64 * MAX_WITHOUT_VECTORS < lacking as f64 {
            let model = &self.pool.info().id;
            return Ok(Embedded::Degraded(format!("{lacking} of {all} tools are not embedded with model {model} yet")));
        }
        let deadline = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        // The whole is queued first; what of the parts finds a free worker runs beside it.
        let (whole, parts) = tokio::join!(biased; self.whole(catalog, request, deadline), self.parts(catalog, request, deadline));
        let (whole, answered) = match whole {
            Ok(whole) => whole,
            Err(QueryError::Full { waiting, limit, retry_after }) => {
                return Err(SelectError::Overloaded { waiting, limit, retry_after });
            }
            Err(slow_or_failed) => return Ok(Embedded::Degraded(slow_or_failed.to_string())),
        };
        let (parts, without_parts) = match parts {
            Ok(parts) => (parts, None),
            Err(why) => (Vec::new(), Some(format!("its parts were not looked at by themselves: {why}"))),
        };
        Ok(Embedded::Vectors(Vectors { whole, parts, without_parts, answered }))
    }

    async fn whole(
        &self,
        catalog: &TenantCatalog,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Arc<UnitVector>, Answered), QueryError> {
        let key = (catalog.tenant().clone(), request.query.clone());
        if let Some(known) = self.vectors.get(&key) {
            return Ok((known, Answered::KnownVector));
        }
        let vector = Arc::new(self.pool.query(request.query.clone(), deadline).await?);
        self.vectors.put(key, Arc::clone(&vector));
        Ok((vector, Answered::Anew))
    }

    /// All parts with their vectors, or none: half of a request's intents would be worse than the whole alone.
    async fn parts(
        &self,
        catalog: &TenantCatalog,
        request: &Request,
        deadline: Instant,
    ) -> Result<Vec<(String, Arc<UnitVector>)>, QueryError> {
        let clauses = &self.policy.weights.clauses;
        if !self.policy.keeps(Step::Clauses) || clauses.weight <= 0.0 {
            return Ok(Vec::new());
        }
        let part = async |text: &str| {
            let key = (catalog.tenant().clone(), text.to_owned());
            if let Some(known) = self.vectors.get(&key) {
                return Ok((key.1, known));
            }
            let vector = Arc::new(self.pool.extra_query(text.to_owned(), deadline).await?);
            self.vectors.put(key.clone(), Arc::clone(&vector));
            Ok((key.1, vector))
        };
        let texts = clauses::parts(&request.query, clauses.min_words, clauses.max_parts);
        join_all(texts.into_iter().map(part)).await.into_iter().collect()
    }
}
