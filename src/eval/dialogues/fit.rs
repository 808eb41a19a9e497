//! The numbers of a conversation, sought one at a time on a coarse grid over the fitted sets' dialogues.
//!
//! What is sought is recall on turns that lean, and each point lost on turns that do not counts `LOSS` times: who changes the subject must
//! not notice that there is a conversation. The mean is over kinds and sets alike, so that no large set and no easy kind decides.

use std::collections::BTreeMap;

use super::{Kind, Ready};
use crate::eval::EvalError;
use crate::rank::Conversation;

/// A point on turns that stand alone against one on turns that lean.
const LOSS: f64 = 5.0;
/// A step must gain this much; less is noise on some hundred dialogues.
const LEAST_GAIN: f64 = 0.002;
/// Rounds over all numbers; it ends sooner when none moves.
const ROUNDS: usize = 3;

/// A number with what it is tried at.
type Field = (fn(&mut Conversation, f32), &'static [f32]);

const FIELDS: [Field; 8] = [
    (|n, x| n.source = x, &[0.0, 0.03, 0.06, 0.1, 0.15, 0.2]),
    (|n, x| n.called = x, &[0.0, 0.05, 0.1, 0.15, 0.2, 0.3]),
    (|n, x| n.expanded = x, &[0.0, 0.5, 1.0, 1.5, 2.0]),
    (|n, x| n.history = x, &[0.0, 0.25, 0.5, 1.0, 1.5]),
    (|n, x| n.shift_thin = x, &[0.2, 0.3, 0.4, 0.5, 0.6]),
    (|n, x| n.shift_referring = x, &[0.0, 0.1, 0.2, 0.3]),
    (|n, x| n.thin_words = x as usize, &[2.0, 3.0, 4.0, 5.0, 6.0, 8.0]),
    (|n, x| n.thin_rarity = x, &[0.3, 0.5, 0.6, 0.7, 0.8, 1.0]),
];

/// The best numbers that single steps from `start` lead to, with the objective before and after; `tick` is told of each that was tried.
///
/// # Errors
/// A selection failed.
pub async fn fit(sets: &[Ready], start: Conversation, tick: &(dyn Fn() + Sync)) -> Result<(Conversation, f64, f64), EvalError> {
    let mut best = start;
    let before = objective(sets, best).await?;
    let mut here = before;
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (set, values) in FIELDS {
            for value in values {
                let mut tried = best;
                set(&mut tried, *value);
                if tried == best {
                    continue;
                }
                let there = objective(sets, tried).await?;
                tick();
                if here + LEAST_GAIN < there {
                    (best, here, moved) = (tried, there, true);
                }
            }
        }
        if !moved {
            break;
        }
    }
    Ok((best, before, here))
}

/// The mean over sets and kinds of recall, turns that stand alone counting more.
async fn objective(sets: &[Ready], numbers: Conversation) -> Result<f64, EvalError> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for set in sets {
        let recalls = set.with(numbers).await?;
        let mut kinds: BTreeMap<Kind, (f64, f64)> = BTreeMap::new();
        for (dialogue, recall) in set.dialogues().iter().zip(recalls) {
            let (total, count) = kinds.entry(dialogue.kind).or_default();
            (*total, *count) = (*total + recall, *count + 1.0);
        }
        for (kind, (total, count)) in kinds {
            sum += if kind.leans() { 1.0 } else { LOSS } * total / count;
            weights += 1.0;
        }
    }
    Ok(if weights == 0.0 { 0.0 } else { sum / weights })
}
