//! The search for ranking weights.

use super::Taken;
use crate::rank::Weights;

/// A step must gain this much of the objective: less is noise on sets of some hundred requests. With smaller
/// gains taken, weights that were fitted on two sets lost far more on a third.
const LEAST_GAIN: f64 = 0.003;
/// Nor may it cost any one set more than this: what helps the others at its expense would do the same to sets that were never seen.
const MOST_COST: f64 = 0.003;
/// What each weight is tried at, relative to where it stands.
const STEPS: [f32; 4] = [-0.2, -0.1, 0.1, 0.2];
/// Rounds over all weights; it ends sooner when none moves.
const ROUNDS: usize = 6;

/// A weight that is sought.
type Field = fn(&mut Weights) -> &mut f32;

/// All of them. One cosine weight stays where it is: only the relations of weights matter.
const FIELDS: [Field; 6] = [
    |w| &mut w.fusion.mean,
    |w| &mut w.fusion.full,
    |w| &mut w.fusion.lexical,
    |w| &mut w.fusion.named,
    |w| &mut w.clauses.weight,
    |w| &mut w.clauses.cover,
];

/// The mean over a set's requests of recall@5, nDCG@10 and COMP@10.
pub(super) fn objective(taken: &Taken<'_>, weights: &Weights) -> f64 {
    let of_sample = |sample: &super::Sample| {
        let scores = sample.scores(weights);
        (scores.recall[1] + scores.ndcg_10 + scores.comp[1]) / 3.0
    };
    taken.samples.iter().map(of_sample).sum::<f64>() / taken.samples.len().max(1) as f64
}

/// What each set gains from one to the other.
fn gains(from: &[f64], to: &[f64]) -> impl Iterator<Item = f64> {
    to.iter().zip(from).map(|(to, from)| to - from)
}

/// The best weights that single steps from `start` lead to.
pub(super) fn best(sets: &[&Taken<'_>], start: &Weights) -> Weights {
    let objectives = |weights: &Weights| sets.iter().map(|set| objective(set, weights)).collect::<Vec<f64>>();
    let mut best = start.clone();
    let at_start = objectives(&best);
    let mut here = at_start.clone();
    for _ in 0..ROUNDS {
        let mut moved = false;
        for field in FIELDS {
            let value = *field(&mut best);
            for step in STEPS {
                let mut tried = best.clone();
                *field(&mut tried) = ((value + step).clamp(0.0, 2.0) * 100.0).round() / 100.0;
                tried.clauses.cover = tried.clauses.cover.min(1.0);
                let there = objectives(&tried);
                let gained = gains(&here, &there).sum::<f64>() / sets.len().max(1) as f64;
                if LEAST_GAIN < gained && gains(&at_start, &there).all(|gain| -MOST_COST < gain) {
                    (best, here, moved) = (tried, there, true);
                }
            }
        }
        if !moved {
            break;
        }
    }
    best
}
