//! The search for ranking weights.

use super::Taken;
use crate::rank::Weights;

/// A step must gain this much of the objective: less is noise on sets of some hundred requests. With smaller
/// gains taken, weights that were fitted on two sets lost far more on a third.
const LEAST_GAIN: f64 = 0.003;
/// Nor may it cost any one set more than this: what helps the others at its expense would do the same to sets that were never seen.
const MOST_COST: f64 = 0.01;
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

/// The best weights that single steps lead to, from `start` and from whole texts alone: no single step leads from views to those, and a
/// model that was trained on tools may read whole texts best. The way that gains more, unless it costs a set too much.
pub(super) fn best(sets: &[&Taken<'_>], start: &Weights) -> Weights {
    let at_start = objectives(sets, start);
    let mut whole = start.clone();
    (whole.fusion.full, whole.fusion.best, whole.fusion.mean) =
        (start.fusion.full + start.fusion.best + start.fusion.mean, 0.0, 0.0);
    let (by_views, reached) = climb(sets, start.clone(), &at_start);
    let (by_whole, there) = climb(sets, whole, &at_start);
    if is_gain(&at_start, &reached, &there) { by_whole } else { by_views }
}

/// Single steps up from `from`, and what they reach.
fn climb(sets: &[&Taken<'_>], from: Weights, at_start: &[f64]) -> (Weights, Vec<f64>) {
    let mut here = objectives(sets, &from);
    let mut best = from;
    for _ in 0..ROUNDS {
        let mut moved = false;
        for field in FIELDS {
            let value = *field(&mut best);
            for step in STEPS {
                let mut tried = best.clone();
                *field(&mut tried) = ((value + step).clamp(0.0, 2.0) * 100.0).round() / 100.0;
                tried.clauses.cover = tried.clauses.cover.min(1.0);
                let there = objectives(sets, &tried);
                if is_gain(at_start, &here, &there) {
                    (best, here, moved) = (tried, there, true);
                }
            }
        }
        if !moved {
            break;
        }
    }
    (best, here)
}

fn objectives(sets: &[&Taken<'_>], weights: &Weights) -> Vec<f64> {
    sets.iter().map(|set| objective(set, weights)).collect()
}

/// Whether it is worth going from `here` to `there`: a gain on average, and at most a small cost to any set since the start.
fn is_gain(at_start: &[f64], here: &[f64], there: &[f64]) -> bool {
    let gained = gains(here, there).sum::<f64>() / there.len().max(1) as f64;
    LEAST_GAIN < gained && gains(at_start, there).all(|gain| -MOST_COST < gain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_to_gain_on_average_and_may_cost_no_set_much() {
        let start = [0.5, 0.5];
        assert!(is_gain(&start, &start, &[0.51, 0.5]));
        assert!(!is_gain(&start, &start, &[0.502, 0.502]), "as much as chance gives");
        assert!(!is_gain(&start, &start, &[0.6, 0.48]), "one set pays");
        // What was gained before may be given back in part.
        assert!(is_gain(&start, &[0.5, 0.52], &[0.56, 0.5]));
    }
}
