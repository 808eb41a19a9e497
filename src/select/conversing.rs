//! A conversation's part in a selection: where its last turn leans on earlier ones, their words, their vectors and the tools that were
//! called join what is searched for.
//!
//! One search, not three whose lists are merged: cosines are linear in the query, so the weighted sum of the three vectors orders tools
//! as the sum of three scores would, at the price of one scan. The vectors are of the last turn, of it with earlier words, and the decayed
//! mean of the user turns. Those of earlier turns are mostly known: each was a last turn once.
//!
//! Everything here is extra. What would be late is left out, and a turn that stands alone is searched just as a query of its text.

use std::sync::Arc;
use std::time::Instant;

use super::embedding::{Embedded, Vectors};
use super::{Circumstances, Late, RESERVE, Request, SelectError, Selector};
use crate::catalog::TenantCatalog;
use crate::condense::{self, Called, Condensed, Lean};
use crate::embed::{Embedding, QueryError};
use crate::index::vector::UnitVector;
use crate::rank::favour::{self, Favour};
use crate::rank::{self, Conversation};

/// With more of a turn's letters than this in scripts that the model does not read, a cosine does not tell whether the subject changed.
const MAX_UNREAD: f32 = 0.5;

/// What a conversation adds to a request.
pub(super) struct Conversed<'a> {
    /// What it became, where that is not the last turn alone.
    pub(super) query: Option<String>,
    /// The vectors to search with.
    pub(super) embedded: Embedded,
    /// Tools that were called.
    pub(super) favour: Favour<'a>,
    /// What was there in time, where something was not.
    pub(super) late: Option<Late>,
}

impl Selector {
    /// Adds to `embedded`, which is of the last turn, what the conversation says.
    pub(super) async fn converse<'a>(
        &self,
        catalog: &'a TenantCatalog,
        request: &Request,
        embedded: Embedded,
        under: Circumstances<'_>,
    ) -> Result<Conversed<'a>, SelectError> {
        let numbers = &self.policy.weights.conversation;
        let alone = |embedded| Conversed { query: None, embedded, favour: Favour::default(), late: None };
        let Some(condensed) = condense::condense(&request.turns, |term| catalog.index().rarity(term), numbers) else {
            return Ok(alone(embedded));
        };
        if condensed.lean == Lean::No || matches!(embedded, Embedded::Nothing) {
            return Ok(alone(embedded));
        }
        let mut late = None;
        let embedded = match embedded {
            Embedded::Vectors(vectors) => {
                let earlier = self.earlier(catalog, &condensed, under).await;
                let all_earlier = earlier.len() == condensed.earlier.len();
                late = (!all_earlier).then_some(Late { earlier: earlier.len(), expanded: true });
                if self.is_another_subject(&condensed, &vectors.embedding.whole, &earlier) {
                    return Ok(Conversed { late, ..alone(Embedded::Vectors(vectors)) });
                }
                let expanded =
                    if under.expands() { self.vector(catalog, &condensed.expanded, under.deadline).await } else { None };
                if !all_earlier || expanded.is_none() {
                    late = Some(Late { earlier: earlier.len(), expanded: expanded.is_some() });
                }
                Embedded::Vectors(fused(vectors, expanded.as_deref(), &earlier, numbers))
            }
            by_words => by_words,
        };
        let called = called(catalog, &condensed);
        let favour = Favour::of(&called, numbers, condensed.corrects);
        Ok(Conversed { query: Some(condensed.expanded), embedded, favour, late })
    }

    /// The vector of another text of the conversation; nothing where it would be late: the answer does without.
    async fn vector(&self, catalog: &TenantCatalog, text: &str, deadline: Instant) -> Option<Arc<Embedding>> {
        // Twice the reserve, so that a text that may be left out never costs the list.
        let deadline = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let vectors: Result<Vectors, QueryError> = self.vectors(catalog, text, self.parts(text), deadline).await;
        vectors.ok().map(|vectors| vectors.embedding)
    }

    /// The vectors of earlier user turns with what each counts, as far as there is time for them.
    async fn earlier(
        &self,
        catalog: &TenantCatalog,
        condensed: &Condensed<'_>,
        under: Circumstances<'_>,
    ) -> Vec<(Arc<Embedding>, f32)> {
        let mut earlier = Vec::new();
        for (text, weight) in condensed.earlier.iter().take(under.earlier()) {
            match self.vector(catalog, text, under.deadline).await {
                Some(embedding) => earlier.push((embedding, *weight)),
                None => break,
            }
        }
        earlier
    }

    /// Whether the last turn, though it seems to lean, is about something else than what came before. What hangs on earlier turns cannot be:
    /// "the same for Oslo" is near nothing that was said.
    fn is_another_subject(&self, condensed: &Condensed<'_>, last: &UnitVector, earlier: &[(Arc<Embedding>, f32)]) -> bool {
        let numbers = &self.policy.weights.conversation;
        let least = match condensed.lean {
            Lean::No => return true,
            Lean::Hangs => return false,
            Lean::Refers => numbers.shift_referring,
            Lean::Thin => numbers.shift_thin,
        };
        let is_read = rank::unread_share(condensed.last, &self.pool.info().scripts) <= MAX_UNREAD;
        let history = mean(earlier.iter().map(|(embedding, weight)| (&embedding.whole, *weight)));
        is_read && history.is_some_and(|history| last.cosine(&history) < least)
    }
}

/// The vectors of the last turn, its whole replaced by the sum of all three.
fn fused(last: Vectors, expanded: Option<&Embedding>, earlier: &[(Arc<Embedding>, f32)], numbers: &Conversation) -> Vectors {
    let whole = &last.embedding.whole;
    let history = mean(earlier.iter().map(|(embedding, weight)| (&embedding.whole, *weight)).chain([(whole, 1.0)]));
    let expanded = expanded.map(|embedding| (&embedding.whole, numbers.expanded));
    let history = history.as_ref().map(|history| (history, numbers.history));
    let sum = mean([(whole, 1.0)].into_iter().chain(expanded).chain(history));
    // Opposite vectors may add up to nothing.
    let whole = sum.unwrap_or_else(|| whole.clone());
    Vectors { embedding: Arc::new(Embedding { whole, parts: last.embedding.parts.clone() }), ..last }
}

/// The direction of the weighted sum; nothing without a direction.
fn mean<'a>(vectors: impl Iterator<Item = (&'a UnitVector, f32)>) -> Option<UnitVector> {
    let mut sum: Vec<f32> = Vec::new();
    for (vector, weight) in vectors {
        sum.resize(vector.dimension(), 0.0);
        sum.iter_mut().zip(vector.as_slice()).for_each(|(sum, number)| *sum += number * weight);
    }
    UnitVector::new(sum)
}

/// The tools that were called, those that are there.
fn called<'a>(catalog: &'a TenantCatalog, condensed: &Condensed<'_>) -> Vec<favour::Called<'a>> {
    let find = |called: &Called| match called {
        Called::Id(id) => catalog.slot(id),
        Called::ModelName(name) => catalog.by_model_name(name).and_then(|entry| catalog.slot(&entry.record.tool.id)),
    };
    let found = condensed.calls.iter().filter_map(|(called, weight)| {
        let slot = find(called)?;
        Some(favour::Called { slot, source: catalog.at(slot)?.record.tool.id.source(), weight: *weight })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::Answered;

    #[test]
    fn the_sum_lies_between_its_vectors() {
        let unit = |numbers: [f32; 2]| UnitVector::new(numbers.to_vec()).unwrap();
        let embedding = |numbers| Arc::new(Embedding { whole: unit(numbers), parts: Vec::new() });
        let last = || Vectors { embedding: embedding([1.0, 0.0]), parts: Vec::new(), answered: Answered::Anew };
        let numbers = Conversation { expanded: 1.0, history: 0.0, ..Conversation::default() };
        let sum = fused(last(), Some(&embedding([0.0, 1.0])), &[(embedding([0.0, 1.0]), 0.5)], &numbers);
        assert!((sum.embedding.whole.cosine(&unit([1.0, 1.0])) - 1.0).abs() < 1e-6);
        let numbers = Conversation { history: 1.0, ..numbers };
        let more = fused(last(), Some(&embedding([0.0, 1.0])), &[(embedding([0.0, 1.0]), 0.5)], &numbers);
        assert!(more.embedding.whole.as_slice()[0] > more.embedding.whole.as_slice()[1], "the last turn counts most in the mean");
        let nothing = fused(last(), Some(&embedding([-1.0, 0.0])), &[], &Conversation { history: 0.0, ..numbers });
        assert_eq!(nothing.embedding.whole, unit([1.0, 0.0]));
    }
}
