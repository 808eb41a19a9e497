//! How sure the router is that a tool fits: logistic models over few numbers, fitted on labelled requests.
//!
//! Two things tell a request that no tool is for. Nothing in the catalogue comes near it: the best cosine with a whole tool text (a tool's
//! name alone comes near many things). And it is talk: people greet, ask what they could look up in a book, or want a poem, and such
//! requests lie on one side of the space, near the mean of a few hundred examples. The mean is one vector, so this costs one product.
//! Raw thresholds do not transfer between models or catalogues, hence the file is tied to a model, and `tool-router calibrate` moves the
//! bias to a catalogue.

use serde::{Deserialize, Serialize};

use super::order::Scored;
use super::weights::{WeightsError, in_range};
use crate::index::Found;
use crate::index::vector::UnitVector;

/// The fitted numbers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Confidence {
    /// Of the best cosine with a whole tool text.
    pub nearest: f32,
    /// Of the mean cosine with requests that are talk; negative.
    pub talk_weight: f32,
    /// The constant. This is what a catalogue's calibration moves.
    pub bias: f32,
    /// The factor that a catalogue's calibration puts on all of it.
    pub slope: f32,
    /// Below this, in `[0, 1]`, nothing is said to fit.
    pub abstain_below: f32,
    /// The same for a router that would rather return nothing than tools that do not fit. Absent: the one above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstain_strictly_below: Option<f32>,
    /// And only among so many eligible tools or more, unless a request brings a threshold of its own: among few, the best cosine is lower
    /// without meaning less, and a prompt has room for them.
    #[serde(default)]
    pub abstain_from_tools: usize,
    /// Of one tool among those that were found.
    pub tool: ToolConfidence,
    /// The same for packing, which knows the tool's place. Absent: as without the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<PlacedConfidence>,
    /// Mean log-odds that requests made from the fitting catalogues' own tools had: what the same on another catalogue is compared with.
    pub own_log_odds: f32,
    /// The mean vector of requests that are talk: as long as a vector of the model. Not of unit length, so that a product is a mean cosine.
    pub talk: Vec<f32>,
}

/// Whether one of the tools that were found is a needed one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ToolConfidence {
    /// Of its score's distance to the best score, which is 0 or less.
    pub behind: f32,
    /// Of the log-odds that any tool fits.
    pub any: f32,
    /// The constant.
    pub bias: f32,
}

/// Whether the tool in one place of a ranking is a needed one. What is told of a tool leaves its place out, so that equal tools are told
/// equal things; how a cap is best used hangs on how fast the odds fall from place to place.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlacedConfidence {
    /// Of its score's distance to the best score, which is 0 or less.
    pub behind: f32,
    /// Of the log-odds that any tool fits.
    pub any: f32,
    /// Of the natural logarithm of its place, from 1.
    pub place: f32,
    /// Of that of the request's words: long requests need more tools.
    #[serde(default)]
    pub words: f32,
    /// Of the product of both: in long requests the odds fall more slowly from place to place.
    #[serde(default)]
    pub words_by_place: f32,
    /// The constant.
    pub bias: f32,
}

/// How readily nothing is said to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Abstain {
    /// Never, unless a request brings a threshold of its own.
    Never,
    /// Where it costs next to nothing: a tool that is held back cannot be called.
    #[default]
    Mildly,
    /// Where it is likely right: a tool that does not fit may be called.
    Strictly,
}

/// What a request shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The best cosine with a whole tool text.
    pub nearest: f32,
    /// The mean cosine with requests that are talk.
    pub talk: f32,
}

impl Confidence {
    /// What `vector` shows, with the documents that were found for it; nothing where none has vectors.
    #[must_use]
    pub fn evidence(&self, vector: &UnitVector, found: &Found) -> Option<Evidence> {
        let nearest = found.hits.iter().filter_map(|hit| hit.views.map(|views| views.full)).fold(f32::NEG_INFINITY, f32::max);
        let talk = vector.as_slice().iter().zip(&self.talk).map(|(a, b)| a * b).sum();
        nearest.is_finite().then_some(Evidence { nearest, talk })
    }

    /// Below which confidence nothing is said to fit, where so many tools are eligible and the request says nothing of it.
    #[must_use]
    pub fn threshold(&self, abstain: Abstain, eligible: usize) -> Option<f32> {
        let threshold = match abstain {
            Abstain::Never => None,
            Abstain::Mildly => Some(self.abstain_below),
            Abstain::Strictly => Some(self.abstain_strictly_below.unwrap_or(self.abstain_below)),
        };
        threshold.filter(|_| self.abstain_from_tools <= eligible)
    }

    /// Log-odds that some tool fits.
    #[must_use]
    pub fn log_odds(&self, evidence: Evidence) -> f32 {
        self.slope * (self.nearest * evidence.nearest + self.talk_weight * evidence.talk) + self.bias
    }

    /// The probability that `scored` is a needed tool, where the best of its ranking has the score `best`.
    #[must_use]
    pub fn of_tool(&self, log_odds: f32, scored: &Scored, best: f32) -> f32 {
        let behind = (scored.score - best).min(0.0);
        probability(self.tool.behind * behind + self.tool.any * log_odds + self.tool.bias)
    }

    /// The probability that `scored`, which stands in `place` from 0 for a request of so many words, is a needed tool.
    #[must_use]
    pub fn of_place(&self, log_odds: f32, scored: &Scored, best: f32, place: usize, words: usize) -> f32 {
        let Some(placed) = self.placed else { return self.of_tool(log_odds, scored, best) };
        let behind = (scored.score - best).min(0.0);
        let [place, words] = [place + 1, words + 1].map(|number| (number as f32).ln());
        let by_length = placed.words * words + placed.words_by_place * words * place;
        probability(placed.behind * behind + placed.any * log_odds + placed.place * place + by_length + placed.bias)
    }

    pub(super) fn check(&self, dimension: usize) -> Result<(), WeightsError> {
        in_range("confidence.abstain_below", self.abstain_below, 0.0..=1.0, "0 to 1")?;
        let strictly = self.abstain_strictly_below.unwrap_or_default();
        in_range("confidence.abstain_strictly_below", strictly, 0.0..=1.0, "0 to 1")?;
        let numbers = [
            ("confidence.nearest", self.nearest),
            ("confidence.talk_weight", self.talk_weight),
            ("confidence.bias", self.bias),
            ("confidence.own_log_odds", self.own_log_odds),
            ("confidence.tool.behind", self.tool.behind),
            ("confidence.tool.any", self.tool.any),
            ("confidence.tool.bias", self.tool.bias),
        ];
        let placed = self.placed.map_or([0.0; 6], |placed| {
            [placed.behind, placed.any, placed.place, placed.words, placed.words_by_place, placed.bias]
        });
        let placed = placed.map(|number| ("confidence.placed", number));
        for (field, value) in numbers.into_iter().chain(placed) {
            in_range(field, value, -10_000.0..=10_000.0, "a number from -10000 to 10000")?;
        }
        in_range("confidence.slope", self.slope, 0.01..=100.0, "0.01 to 100")?;
        if self.talk.len() != dimension || self.talk.iter().any(|number| !number.is_finite()) {
            let detail = format!("confidence.talk has {} numbers, it must be {dimension} finite ones", self.talk.len());
            return Err(WeightsError::Content { detail });
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn example(dimension: usize) -> Self {
        Self {
            nearest: 10.0,
            talk_weight: -20.0,
            bias: 1.0,
            slope: 1.0,
            abstain_below: 0.1,
            abstain_strictly_below: Some(0.2),
            abstain_from_tools: 0,
            tool: ToolConfidence { behind: 8.0, any: 0.5, bias: -1.0 },
            placed: Some(PlacedConfidence { behind: 6.0, any: 0.5, place: -1.0, words: 0.1, words_by_place: 0.1, bias: 0.0 }),
            own_log_odds: 2.0,
            talk: vec![0.0; dimension],
        }
    }
}

/// From log-odds, in `[0, 1]`.
#[must_use]
pub fn probability(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Engine, Hit, ViewScores};

    #[test]
    fn nearness_speaks_for_a_tool_and_talk_against_it() {
        let mut confidence = Confidence::example(2);
        confidence.talk = vec![0.5, 0.0];
        let hit = |full| Hit { views: Some(ViewScores { best: 0.9, mean: 0.5, full }), ..Hit::unseen(0) };
        let found = |hits| Found { hits, most_bm25: 0.0, engine: Engine::Exact };
        let (talk, task) = (UnitVector::new(vec![1.0, 0.0]).unwrap(), UnitVector::new(vec![0.0, 1.0]).unwrap());
        let odds = |vector: &UnitVector, full| {
            confidence.log_odds(confidence.evidence(vector, &found(vec![hit(0.1), hit(full)])).unwrap())
        };
        assert!(odds(&talk, 0.4) < odds(&task, 0.4) && odds(&task, 0.4) < odds(&task, 0.6));
        assert_eq!(confidence.evidence(&task, &found(vec![])), None);
        assert!((probability(0.0) - 0.5).abs() < 1e-6 && probability(-90.0) < 1e-6 && 0.999 < probability(90.0));
    }
}
