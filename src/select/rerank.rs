//! The reranker's part in a selection: it looks over the head of the ranking, when there is one and there is time.
//!
//! It may only make an answer better. Whatever goes wrong with it, the order stays as it was, in time, and the answer says why.

use std::time::Instant;

use super::{Circumstances, RESERVE, Request, Reranked, Selector, Stage, Trace};
use crate::catalog::TenantCatalog;
use crate::catalog::views::ViewTexts;
use crate::rank::Scored;
use crate::rank::rerank::{self, Blend, RerankPool};

/// A reranker at work, with its share in a ranking. A cheap handle.
#[derive(Clone, Debug)]
pub struct Reranking {
    /// Its workers.
    pub pool: RerankPool,
    /// How far it looks and how much its word counts.
    pub blend: Blend,
}

impl Selector {
    /// The same, with a reranker where there is one.
    #[must_use]
    pub fn with_reranking(self, reranking: Option<Reranking>) -> Self {
        Self { reranking, ..self }
    }

    /// Reorders the head of `ranked` in time, or says why it did not.
    pub(super) async fn rerank(
        &self,
        catalog: &TenantCatalog,
        request: &Request,
        ranked: &mut [Scored],
        under: Circumstances<'_>,
        trace: &mut Trace,
    ) -> Option<String> {
        if let Some(reason) = under.not_reranked() {
            trace.reranked = Reranked::Left;
            return Some(reason.to_owned());
        }
        let Reranking { pool, blend } = self.reranking.as_ref()?;
        let depth = blend.depth.min(ranked.len());
        if depth < 2 {
            return None;
        }
        let started = Instant::now();
        let text =
            |scored: &Scored| catalog.at(scored.slot).map(|entry| ViewTexts::whole(&entry.record.tool)).unwrap_or_default();
        let passages: Vec<String> = ranked.iter().take(depth).map(text).collect();
        let deadline = under.deadline.checked_sub(RESERVE).unwrap_or(under.deadline);
        let result = pool.score(request.query.clone(), passages, deadline).await;
        let (reranked, reason) = match result {
            Ok(logits) => {
                rerank::blend(ranked, &logits, blend.weight);
                (Reranked::Done, None)
            }
            Err(why) => (Reranked::Left, Some(format!("not reranked: {why}"))),
        };
        trace.reranked = reranked;
        trace.over(Stage::Rerank, started);
        reason
    }
}
