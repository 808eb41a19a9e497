//! How likely it is that tools fit, and what is left out for being unlikely.
//!
//! Two questions, two answers. Does anything fit this request? If that is too unlikely nothing is returned: a list of tools that do not fit
//! makes a model call one of them. Does this tool fit? That is asked only when the caller wants a short list, since a tool that is left out
//! cannot be called, and the cap bounds what the others cost. What the caller names or pins stays.

use super::{Policy, Request, Share};
use crate::rank::{Abstain, Confidence, Scored, clauses, confidence::probability};

/// What is believed of one selection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief<'a> {
    /// The calibration with the log-odds that any tool fits; nothing where nothing is calibrated or there was no vector.
    known: Option<(&'a Confidence, f32)>,
    /// The best tool's score.
    best: f32,
    /// How readily nothing is said to fit.
    abstain: Abstain,
    /// The request names a tool.
    names_one: bool,
    /// How many tools may be returned at all.
    eligible: usize,
    /// Words of the request.
    words: usize,
}

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unlikely {
    /// How likely it is, in `[0, 1]`.
    pub(super) confidence: f32,
    /// How likely it would have to be.
    pub(super) least: f32,
}

impl<'a> Belief<'a> {
    pub(super) fn of(policy: &'a Policy, log_odds: Option<f32>, ranked: &[Scored], eligible: usize, query: &str) -> Self {
        let known = policy.weights.confidence.as_ref().zip(log_odds);
        // A reranker and companions may have put another than the best in the first place.
        let best = ranked.iter().map(|scored| scored.score).fold(f32::NEG_INFINITY, f32::max);
        Self {
            known,
            best,
            abstain: policy.abstain,
            names_one: ranked.first().is_some_and(|first| first.mentioned),
            eligible,
            words: clauses::words(query),
        }
    }

    /// How likely it is that any tool fits, in `[0, 1]`.
    pub(super) fn any(&self) -> Option<f32> {
        self.known.map(|(_, log_odds)| probability(log_odds))
    }

    /// How likely it is that this one fits, in `[0, 1]`.
    pub(super) fn tool(&self, scored: &Scored) -> Option<f32> {
        self.known.map(|(confidence, log_odds)| confidence.of_tool(log_odds, scored, self.best))
    }

    /// How likely it is that this one, in `place` from 0, is needed, in `[0, 1]`.
    pub(super) fn placed(&self, scored: &Scored, place: usize) -> Option<f32> {
        self.known.map(|(confidence, log_odds)| confidence.of_place(log_odds, scored, self.best, place, self.words))
    }

    /// Whether it is too unlikely that anything fits.
    pub(super) fn nothing_fits(&self, request: &Request) -> Option<Unlikely> {
        let (confidence, _) = self.known?;
        let by_default = confidence.threshold(self.abstain, self.eligible);
        let least = request.min_confidence.map(Share::get).or(by_default)?;
        let any = self.any()?;
        (any < least && !self.names_one).then_some(Unlikely { confidence: any, least })
    }

    /// Whether `scored` is too unlikely for this request, which is asked of those behind the first `min_tools`.
    pub(super) fn too_unlikely(&self, request: &Request, scored: &Scored) -> Option<Unlikely> {
        if scored.mentioned {
            return None;
        }
        let own = self.tool(scored);
        let under_the_least =
            own.zip(request.min_confidence).map(|(confidence, least)| Unlikely { confidence, least: least.get() });
        // Without a calibration the score stands for it: a margin is relative, so its unit does not matter.
        let beside_the_best = request.margin.map(|margin| {
            let best = self.known.map_or(self.best, |(known, log_odds)| probability_of_best(known, log_odds));
            // A share of what it is away from 0: the best score may be negative, and the best is never far behind itself.
            Unlikely { confidence: own.unwrap_or(scored.score), least: best - best.abs() * margin.get() }
        });
        [under_the_least, beside_the_best].into_iter().flatten().find(|unlikely| unlikely.confidence < unlikely.least)
    }

    /// Why a wish of the caller cannot be fulfilled.
    pub(super) fn unfulfilled(&self, request: &Request) -> Option<String> {
        let asked = request.min_confidence.is_some_and(|least| 0.0 < least.get());
        (asked && self.known.is_none())
            .then(|| "min_confidence was not applied: no confidence is known for this answer".to_owned())
    }
}

/// The best tool is no step behind itself.
fn probability_of_best(confidence: &Confidence, log_odds: f32) -> f32 {
    probability(confidence.tool.any * log_odds + confidence.tool.bias)
}
