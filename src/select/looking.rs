//! From a request's vectors and words to a ranking: the whole, then its parts, then what goes together.

use std::ops::Range;
use std::sync::Arc;

use super::embedding::{Embedded, Vectors};
use super::{CANDIDATES, Request, Selector, Stage, Trace};
use crate::catalog::TenantCatalog;
use crate::embed::Embedding;
use crate::index::allow::Allowed;
use crate::index::vector::UnitVector;
use crate::index::{Engine, Found, Query, terms};
use crate::rank::favour::Favour;
use crate::rank::{self, Confidence, Ranking, Scored, Step};

/// With more of a request's letters than this in scripts that the model does not read, its cosines say nothing about whether a tool fits.
const MAX_UNREAD: f32 = 0.5;

/// What was found.
pub(super) struct Looked {
    /// In order, best first.
    pub(super) ranked: Vec<Scored>,
    /// Log-odds that any tool fits; nothing where that is not known.
    pub(super) log_odds: Option<f32>,
    /// Why the ranking is by words alone.
    pub(super) degraded: Option<String>,
}

/// What was said, beside the words that are searched for.
pub(super) struct Said<'a> {
    /// Where tools are named: in the last turn, since what was named before may have been done.
    pub(super) named_in: &'a str,
    /// Tools that were called.
    pub(super) favour: &'a Favour<'a>,
    /// What a graph proposed when this was selected for the first time, as slots.
    pub(super) proposed: Option<&'a [u32]>,
}

impl Selector {
    pub(super) fn look(
        &self,
        catalog: &Arc<TenantCatalog>,
        request: &Request,
        eligible: &Allowed,
        embedded: Embedded,
        said: &Said<'_>,
        trace: &mut Trace,
    ) -> Looked {
        let (vectors, degraded) = match embedded {
            Embedded::Nothing => (None, None),
            Embedded::Vectors(vectors) => (Some(vectors), None),
            Embedded::Degraded(reason) => (None, Some(reason)),
        };
        let whole = vectors.as_ref().map(|vectors| &vectors.embedding.whole);
        // A scope leaves room for tools the graph would never propose, and an explanation wants every tool's place.
        let wide = request.scope.is_everything() && request.explain_tools.is_empty();
        let engine = if wide && whole.is_some() { Engine::Hnsw } else { Engine::Exact };
        let unread = rank::unread_share(&request.query, &self.pool.info().scripts);
        let fusion = if degraded.is_some() { self.policy.by_words() } else { self.policy.fusion(catalog.len(), unread) };
        let (mut found, mentioned) = trace.time(Stage::Retrieve, || {
            let keeps_mentions = self.policy.keeps(Step::Mentions);
            let mentioned = if keeps_mentions { catalog.mentioned(said.named_in) } else { Vec::new() };
            let mut always = mentioned.clone();
            always.extend(request.pinned.iter().filter_map(|id| catalog.slot(id)));
            always.extend(said.favour.slots());
            let terms = terms::terms(&request.query);
            let query = Query { vector: whole, terms: &terms, always: &always, centring: fusion.centring };
            let found = match said.proposed.filter(|_| query.vector.is_some()) {
                Some(proposed) => catalog.index().search_among(&query, eligible, proposed),
                None => catalog.index().search(&query, eligible, engine),
            };
            (found, mentioned)
        });
        if let Some(vectors) = &vectors {
            (trace.engine, trace.answered) = (Some(found.engine), vectors.answered);
            trace.proposed = (found.engine == Engine::Hnsw).then(|| found.hits.iter().map(|hit| hit.slot).collect());
        }
        let source = |slot| catalog.at(slot).map(|entry| entry.record.tool.id.source());
        said.favour.mark(&mut found.hits, source);
        let position = |slot| catalog.position(slot);
        let ranked = trace.time(Stage::Rank, || {
            let depth = if request.explain_tools.is_empty() { CANDIDATES } else { usize::MAX };
            let ranking = Ranking { mentioned: &mentioned, semantic: degraded.is_none(), fusion, depth };
            let mut ranked = rank::rank(&found, &ranking, position);
            let head = ranked.len().min(CANDIDATES);
            if let (Some(vectors), Some(head)) = (&vectors, ranked.get_mut(..head)) {
                let parts = search_parts(catalog, &request.query, &vectors.parts, &vectors.embedding, head);
                rank::lift(head, &parts, &fusion, &self.policy.weights.clauses, position);
            }
            if self.policy.keeps(Step::Rivals) {
                rank::rivals::settle(&mut ranked, &request.query, |slot| catalog.at(slot).map(|entry| entry.look()));
            }
            if self.policy.keeps(Step::Companions) {
                super::companions::fetch(&mut ranked, catalog, eligible);
            }
            ranked
        });
        if let (Some(vectors), Engine::Hnsw) = (&vectors, found.engine) {
            // By meaning as it counts where all is read: with its weight at 0 whatever a graph finds is as good as everything.
            self.shadow.look(catalog, &vectors.embedding, eligible, &found, self.policy.fusion(catalog.len(), 0.0));
        }
        let confidence = self.policy.weights.confidence.as_ref().filter(|_| unread <= MAX_UNREAD);
        let log_odds = match (confidence, &vectors) {
            (Some(confidence), Some(vectors)) => log_odds(confidence, vectors, &found),
            _ => None,
        };
        Looked { ranked, log_odds, degraded }
    }
}

/// What each part of the request says of the leading tools: those that the whole does not bring near are no matter of its parts.
pub(crate) fn search_parts(
    catalog: &TenantCatalog,
    query: &str,
    parts: &[Range<usize>],
    embedding: &Embedding,
    head: &[Scored],
) -> Vec<Found> {
    if parts.is_empty() {
        return Vec::new();
    }
    let mut leading = Allowed::none(catalog.slots());
    head.iter().for_each(|scored| leading.insert(scored.slot));
    let search = |(part, vector): (&Range<usize>, &Option<UnitVector>)| {
        let terms = terms::terms(query.get(part.clone()).unwrap_or_default());
        let query = Query { vector: vector.as_ref(), terms: &terms, always: &[], centring: 0.0 };
        catalog.index().search(&query, &leading, Engine::Exact)
    };
    parts.iter().zip(&embedding.parts).map(search).collect()
}

fn log_odds(confidence: &Confidence, vectors: &Vectors, found: &Found) -> Option<f32> {
    Some(confidence.log_odds(confidence.evidence(&vectors.embedding.whole, found)?))
}
