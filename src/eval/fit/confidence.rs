//! The fit of confidence, and its calibration to one catalogue.

use super::logistic::{self, Observation};
use super::samples::Sample;
use super::talk::{own_request, talk};
use super::{FitError, LEAST, Taken};
use crate::eval::dataset::Query;
use crate::eval::prepared::Prepared;
use crate::eval::{EvalError, Model};
use crate::index::Found;
use crate::index::vector::UnitVector;
use crate::rank::confidence::{Evidence, PlacedConfidence, ToolConfidence, probability};
use crate::rank::{Confidence, Weights};

/// Nothing fits is said as often as it may be while no set loses more recall@5 than this. A tool that is held back cannot be called, and
/// requests that share no word with their tools come out less sure than labelled sets show; whoever wants more held back says so with
/// `min_confidence`.
const MOST_LOST: f64 = 0.005;
/// The same for a router that was told to be strict.
const MOST_LOST_STRICTLY: f64 = 0.015;
/// Labelled catalogues are larger than this, and what is fitted on them says little about a handful of tools.
const ABSTAIN_FROM: usize = 50;
/// What the kinds of requests that no tool fits weigh, beside 1 for all that tools fit and 1 for talk.
const TAKEN_AWAY: f64 = 0.3;
const OF_OTHERS: f64 = 0.5;
/// Requests of each other set that are asked of a catalogue, and requests made from its own tools.
const ASKED: usize = 200;
/// Places of a ranking that teach what one tool is worth.
const PLACES: usize = 10;
/// And those that teach what the tool in one place is worth: packing looks so far down.
const PACKED_PLACES: usize = 100;

/// A calibration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// A search failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// There is nothing to adapt.
    #[error("the weights have no confidence to calibrate: make them with `tool-router fit`")]
    NoConfidence,
    /// Too few of one kind.
    #[error("there are {found} {kind}, at least {LEAST} are needed")]
    TooFew {
        /// Which requests.
        kind: &'static str,
        /// How many.
        found: usize,
    },
    /// Requests that need tools are no surer than those that need none.
    #[error(
        "requests that need tools are no surer than those that need none (slope {slope:.3}): the labels do not fit this catalogue"
    )]
    NotApart {
        /// The slope that was found.
        slope: f32,
    },
}

fn nearest(found: &Found, without: &[usize]) -> f32 {
    let others = found.hits.iter().filter(|hit| !without.contains(&(hit.slot as usize)));
    others.filter_map(|hit| hit.views.map(|views| views.full)).fold(-1.0, f32::max)
}

fn product(a: &UnitVector, b: &[f32]) -> f32 {
    a.as_slice().iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The talk's vectors: their mean, and each one's own mean of all others.
struct Talk {
    vectors: Vec<UnitVector>,
    mean: Vec<f32>,
}

impl Talk {
    async fn embed(set: &Prepared, weights: &Weights, model: &Model) -> Result<(Self, Vec<Sample>), EvalError> {
        let mut samples = Vec::new();
        for text in talk() {
            samples.push(Sample::take(set, model.pool(), weights, text, text, &[]).await?);
        }
        let vectors: Vec<UnitVector> = samples.iter().map(|sample| sample.embedding.whole.clone()).collect();
        let mut mean = vec![0.0_f32; model.pool().info().dimension];
        for vector in &vectors {
            mean.iter_mut().zip(vector.as_slice()).for_each(|(sum, number)| *sum += number / vectors.len() as f32);
        }
        Ok((Self { vectors, mean }, samples))
    }

    /// The mean cosine of the talk at `place` with all other talk: what it would be were it not among the examples.
    fn of_own(&self, place: usize) -> f32 {
        let n = self.vectors.len() as f32;
        self.vectors.get(place).map_or(0.0, |vector| (n * product(vector, &self.mean) - 1.0) / (n - 1.0).max(1.0))
    }
}

/// Fits everything about confidence on `taken`, for rankings by `weights`.
pub(super) async fn fit(
    taken: &[Taken<'_>],
    weights: &Weights,
    model: &Model,
    tick: &(dyn Fn() + Sync),
) -> Result<Confidence, FitError> {
    let mut any: Vec<Observation<2>> = Vec::new();
    let mut mean = Vec::new();
    for (at, one) in taken.iter().enumerate() {
        let (talk, talk_samples) = Talk::embed(one.set, weights, model).await?;
        let observe = |nearest: f32, talk: f32, is_so, weight: f64, of: usize| Observation {
            features: [f64::from(nearest), f64::from(talk)],
            is_so,
            weight: weight / of.max(1) as f64,
        };
        for sample in &one.samples {
            let (of, on) = (one.samples.len(), product(&sample.embedding.whole, &talk.mean));
            any.push(observe(nearest(&sample.found, &[]), on, true, 1.0, of));
            any.push(observe(nearest(&sample.found, &sample.relevant), on, false, TAKEN_AWAY, of));
        }
        for (place, sample) in talk_samples.iter().enumerate() {
            any.push(observe(nearest(&sample.found, &[]), talk.of_own(place), false, 1.0, talk_samples.len()));
        }
        let others: Vec<&Query> = taken
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .flat_map(|(_, other)| spread(&other.set.data.queries, ASKED))
            .collect();
        for query in &others {
            let sample = Sample::take(one.set, model.pool(), weights, &query.id, &query.text, &[]).await?;
            let on = product(&sample.embedding.whole, &talk.mean);
            any.push(observe(nearest(&sample.found, &[]), on, false, OF_OTHERS, others.len()));
            tick();
        }
        mean = talk.mean;
    }
    let ([near, talk_weight], bias) = logistic::fit(&any);
    let tool = ToolConfidence { behind: 0.0, any: 0.0, bias: 0.0 };
    let mut confidence = Confidence {
        nearest: near as f32,
        talk_weight: talk_weight as f32,
        bias: bias as f32,
        slope: 1.0,
        abstain_below: 0.0,
        abstain_strictly_below: None,
        abstain_from_tools: ABSTAIN_FROM,
        tool,
        placed: None,
        own_log_odds: 0.0,
        talk: mean,
    };
    confidence.tool = fit_tool(taken, weights, &confidence);
    confidence.placed = Some(fit_placed(taken, weights, &confidence));
    let lost: Vec<_> = taken.iter().map(|one| lossy(&one.samples, weights, &confidence)).collect();
    set_thresholds(&mut confidence, &lost);
    let mut own = Vec::new();
    for one in taken {
        own.extend(own_log_odds(one.set, weights, &confidence, model).await?);
    }
    confidence.own_log_odds = mean_of(&own);
    Ok(confidence)
}

fn log_odds(sample: &Sample, confidence: &Confidence) -> f32 {
    let talk = product(&sample.embedding.whole, &confidence.talk);
    confidence.log_odds(Evidence { nearest: nearest(&sample.found, &[]), talk })
}

/// What one tool is worth, from the first places of every ranking.
fn fit_tool(taken: &[Taken<'_>], weights: &Weights, confidence: &Confidence) -> ToolConfidence {
    let observations = observe(taken, weights, confidence, PLACES, |[behind, any, ..]| [behind, any]);
    let ([behind, any], bias) = logistic::fit(&observations);
    ToolConfidence { behind: behind as f32, any: any as f32, bias: bias as f32 }
}

/// What the tool in one place is worth.
fn fit_placed(taken: &[Taken<'_>], weights: &Weights, confidence: &Confidence) -> PlacedConfidence {
    let observations = observe(taken, weights, confidence, PACKED_PLACES, |[behind, any, place, words]| {
        [behind, any, place, words, words * place]
    });
    let (numbers, bias) = logistic::fit(&observations);
    let [behind, any, place, words, words_by_place] = numbers.map(|number| number as f32);
    PlacedConfidence { behind, any, place, words, words_by_place, bias: bias as f32 }
}

/// The first `places` of every ranking, each with features of its distance to the best, of the log-odds that any tool fits, and of the
/// logarithms of its place and of the request's words; every set weighs the same.
fn observe<const N: usize>(
    taken: &[Taken<'_>],
    weights: &Weights,
    confidence: &Confidence,
    places: usize,
    features: impl Fn([f64; 4]) -> [f64; N],
) -> Vec<Observation<N>> {
    let mut observations = Vec::new();
    for one in taken {
        for sample in &one.samples {
            let ranked = sample.ranked(weights);
            let best = ranked.iter().map(|scored| scored.score).fold(f32::NEG_INFINITY, f32::max);
            let any = f64::from(log_odds(sample, confidence));
            let words = (sample.words as f64 + 1.0).ln();
            observations.extend(ranked.iter().take(places).enumerate().map(|(place, scored)| Observation {
                features: features([f64::from((scored.score - best).min(0.0)), any, (place as f64 + 1.0).ln(), words]),
                is_so: sample.relevant.contains(&(scored.slot as usize)),
                weight: 1.0 / one.samples.len().max(1) as f64,
            }));
        }
    }
    observations
}

/// Each request's confidence with the recall@5 that holding it back would lose, least sure first.
fn lossy(samples: &[Sample], weights: &Weights, confidence: &Confidence) -> Vec<(f32, f64)> {
    let one = |sample: &Sample| (probability(log_odds(sample, confidence)), sample.scores(weights).recall[1]);
    samples.iter().map(one).collect()
}

fn set_thresholds(confidence: &mut Confidence, sets: &[Vec<(f32, f64)>]) {
    confidence.abstain_below = threshold(sets, MOST_LOST, 0.0);
    // One request of a small set is more than the share: without it both thresholds would be the same.
    confidence.abstain_strictly_below = Some(threshold(sets, MOST_LOST_STRICTLY, 1.0));
}

/// The greatest threshold at which no set loses more than the share `most`, or than `at_least` requests if that is more.
fn threshold(sets: &[Vec<(f32, f64)>], most: f64, at_least: f64) -> f32 {
    let of_set = |requests: &Vec<(f32, f64)>| {
        let mut requests = requests.clone();
        requests.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = requests.len().max(1) as f64;
        let most = most.max(at_least / all);
        let mut lost = 0.0;
        for (confidence, recall) in &requests {
            lost += recall / all;
            // Those below a threshold are held back: this one's own confidence is the last that keeps it.
            if most < lost {
                return *confidence;
            }
        }
        1.0
    };
    sets.iter().map(of_set).fold(1.0, f32::min)
}

async fn own_log_odds(set: &Prepared, weights: &Weights, confidence: &Confidence, model: &Model) -> Result<Vec<f32>, EvalError> {
    let mut all = Vec::new();
    for request in spread(&set.data.tools, ASKED).filter_map(own_request) {
        let sample = Sample::take(set, model.pool(), weights, &request, &request, &[]).await?;
        all.push(log_odds(&sample, confidence));
    }
    Ok(all)
}

fn mean_of(numbers: &[f32]) -> f32 {
    numbers.iter().sum::<f32>() / numbers.len().max(1) as f32
}

/// At most `most` of them, evenly spaced.
fn spread<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let step = all.len().div_ceil(most.max(1)).max(1);
    all.iter().step_by(step)
}

/// Adapts `weights` to the catalogue of `set` by its labelled requests and by those of `none`, which need no tool; talk is added to them.
/// Slope and bias are fitted anew (Platt's scaling), and so is the threshold.
///
/// # Errors
/// Too few labels of one kind, labels that do not tell, or the model failed.
pub async fn calibrate_by_labels(
    set: &Prepared,
    none: &[Query],
    weights: &Weights,
    model: &Model,
) -> Result<Weights, CalibrateError> {
    let confidence = weights.confidence.clone().ok_or(CalibrateError::NoConfidence)?;
    let few = |kind, found| Err(CalibrateError::TooFew { kind, found });
    if set.data.queries.len() < LEAST {
        return few("requests that need tools", set.data.queries.len());
    }
    if !none.is_empty() && none.len() < LEAST {
        return few("requests that need none", none.len());
    }
    let take = async |queries: Vec<(&str, &str, &[usize])>| {
        let mut samples = Vec::new();
        for (id, text, relevant) in queries {
            samples.push(Sample::take(set, model.pool(), weights, id, text, relevant).await?);
        }
        Ok::<_, EvalError>(samples)
    };
    let some = take(set.data.queries.iter().map(|q| (q.id.as_str(), q.text.as_str(), q.relevant.as_slice())).collect()).await?;
    let given = none.iter().map(|q| (q.id.as_str(), q.text.as_str(), [].as_slice()));
    let of_talk = talk().map(|text| (text, text, [].as_slice())).filter(|_| none.is_empty());
    let none = take(given.chain(of_talk).collect()).await?;
    let plain = Confidence { slope: 1.0, ..confidence };
    let observe = |sample: &Sample, is_so, of: usize| Observation {
        features: [f64::from(log_odds(sample, &plain))],
        is_so,
        weight: 1.0 / of as f64,
    };
    let observations: Vec<Observation<1>> = some
        .iter()
        .map(|sample| observe(sample, true, some.len()))
        .chain(none.iter().map(|sample| observe(sample, false, none.len())))
        .collect();
    let ([slope], shift) = logistic::fit(&observations);
    let slope = slope as f32;
    if slope < 0.01 {
        return Err(CalibrateError::NotApart { slope });
    }
    let mut calibrated = Confidence { slope, bias: slope * plain.bias + shift as f32, ..plain.clone() };
    // One tool's confidence was fitted on the log-odds as they were.
    calibrated.tool.any = plain.tool.any / slope;
    calibrated.tool.bias = plain.tool.bias - calibrated.tool.any * shift as f32;
    calibrated.placed = plain.placed.map(|placed| {
        let any = placed.any / slope;
        PlacedConfidence { any, bias: placed.bias - any * shift as f32, ..placed }
    });
    let lossy = lossy(&some, weights, &calibrated);
    set_thresholds(&mut calibrated, &[lossy]);
    Ok(Weights { confidence: Some(calibrated), ..weights.clone() })
}

/// Adapts `weights` to the catalogue of `set` without labels: requests made from its own tools should be as sure as those of the fitting
/// catalogues were, so the bias moves by the difference.
///
/// # Errors
/// Too few tools say enough to make a request of, or the model failed.
pub async fn calibrate_by_own_requests(set: &Prepared, weights: &Weights, model: &Model) -> Result<Weights, CalibrateError> {
    let confidence = weights.confidence.clone().ok_or(CalibrateError::NoConfidence)?;
    let plain = Confidence { slope: 1.0, ..confidence };
    let own = own_log_odds(set, weights, &plain, model).await?;
    if own.len() < LEAST {
        return Err(CalibrateError::TooFew { kind: "tools whose description makes a request", found: own.len() });
    }
    let bias = plain.bias + plain.own_log_odds - mean_of(&own);
    Ok(Weights { confidence: Some(Confidence { bias, ..plain }), ..weights.clone() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_threshold_is_the_greatest_that_loses_little(
            sets in prop::collection::vec(prop::collection::vec((0_u8..100, prop::bool::ANY), 1..60), 1..4),
        ) {
            let sets: Vec<Vec<(f32, f64)>> = sets
                .into_iter()
                .map(|set| set.into_iter().map(|(c, hit)| (f32::from(c) / 100.0, if hit { 1.0 } else { 0.0 })).collect())
                .collect();
            let lost = |at: f32| {
                let of_set = |set: &Vec<(f32, f64)>| {
                    set.iter().filter(|(c, _)| *c < at).map(|(_, recall)| recall).sum::<f64>() / set.len() as f64
                };
                sets.iter().map(of_set).fold(0.0, f64::max)
            };
            let found = threshold(&sets, MOST_LOST, 0.0);
            prop_assert!(lost(found) <= MOST_LOST + 1e-9);
            // Any greater threshold that holds one more request back loses too much, or holds all back that there are.
            prop_assert!(found == 1.0 || MOST_LOST < lost(found + 0.005) + 1e-9);
        }
    }

    #[test]
    fn spread_is_even_and_bounded() {
        let all: Vec<usize> = (0..1_000).collect();
        assert_eq!(spread(&all, 200).count(), 200);
        assert_eq!(spread(&all[..3], 200).copied().collect::<Vec<_>>(), [0, 1, 2]);
    }
}
