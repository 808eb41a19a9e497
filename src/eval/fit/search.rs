//! The search for ranking weights.

use super::Taken;
use crate::rank::Weights;

/// A step must gain this much of the objective: less is noise on sets of some hundred requests.
const LEAST_GAIN: f64 = 0.001;
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

/// The mean over sets of the mean over requests of recall@5, nDCG@10 and COMP@10.
pub(super) fn objective(sets: &[&Taken<'_>], weights: &Weights) -> f64 {
    let of_set = |taken: &&Taken<'_>| {
        let of_sample = |sample: &super::Sample| {
            let scores = sample.scores(weights);
            (scores.recall[1] + scores.ndcg_10 + scores.comp[1]) / 3.0
        };
        taken.samples.iter().map(of_sample).sum::<f64>() / taken.samples.len().max(1) as f64
    };
    sets.iter().map(of_set).sum::<f64>() / sets.len().max(1) as f64
}

/// The best weights that single steps from `start` lead to.
pub(super) fn best(sets: &[&Taken<'_>], start: &Weights) -> Weights {
    let mut best = start.clone();
    let mut score = objective(sets, &best);
    for _ in 0..ROUNDS {
        let before = score;
        for field in FIELDS {
            let here = *field(&mut best);
            for step in STEPS {
                let mut tried = best.clone();
                let number = ((here + step).clamp(0.0, 2.0) * 100.0).round() / 100.0;
                *field(&mut tried) = number;
                tried.clauses.cover = tried.clauses.cover.min(1.0);
                let gained = objective(sets, &tried);
                if score + LEAST_GAIN < gained {
                    (best, score) = (tried, gained);
                }
            }
        }
        if score <= before {
            break;
        }
    }
    best
}
