//! Parts of a request lift the tools that fit them, on top of what the whole request says.
//!
//! What is added is the best of a tool's scores with the parts, each part's less a share of its own best. That share levels the parts: one
//! that fits its tools only loosely still brings the best of them forward, so every intent of a request is covered, and since the whole
//! keeps its vote no tool is pushed out by a part that is none. Named tools stay first.

use super::order::{Fusion, Scored};
use super::weights::Clauses;
use crate::index::Found;

/// Adds to the scores of `ranked`, which `parts` were searched among, and orders it anew. `position` breaks ties.
pub fn lift(ranked: &mut [Scored], parts: &[Found], fusion: &Fusion, clauses: &Clauses, position: impl Fn(u32) -> u64) {
    for part in parts {
        let scores: Vec<(u32, f32)> = part.hits.iter().map(|hit| (hit.slot, fusion.score(hit, part.lexical(hit)))).collect();
        let best = scores.iter().fold(f32::NEG_INFINITY, |best, (_, score)| best.max(*score));
        for scored in ranked.iter_mut() {
            // Hits come by slot.
            let score = scores.binary_search_by_key(&scored.slot, |(slot, _)| *slot).ok().and_then(|at| scores.get(at));
            if let Some((_, score)) = score {
                scored.parts = scored.parts.max(clauses.weight * (score - clauses.cover * best));
            }
        }
    }
    for scored in ranked.iter_mut() {
        scored.score += scored.parts;
    }
    ranked.sort_by(|a, b| {
        let by_score = b.mentioned.cmp(&a.mentioned).then(b.score.total_cmp(&a.score));
        by_score.then_with(|| position(a.slot).cmp(&position(b.slot)))
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::{Engine, Hit};

    fn scored(slot: u32, score: f32, mentioned: bool) -> Scored {
        Scored { mentioned, ..Scored::bare(slot, score) }
    }

    fn part(named: &[f32]) -> Found {
        let hits = named.iter().zip(0..).map(|(named, slot)| Hit { named: *named, ..Hit::unseen(slot) }).collect();
        Found { hits, most_bm25: 0.0, engine: Engine::Exact }
    }

    #[test]
    fn every_part_brings_its_own_forward() {
        let fusion = Fusion { named: 1.0, ..Fusion::default() };
        let mut ranked = vec![scored(0, 0.50, false), scored(1, 0.49, false), scored(2, 0.40, false), scored(3, 0.2, true)];
        // The first part fits 0 and 1 well, the second fits 2 loosely: the best of each comes before the second best of the first.
        let clauses = Clauses { cover: 0.7, weight: 1.0, ..Clauses::default() };
        lift(&mut ranked, &[part(&[0.9, 0.6, 0.0, 0.0]), part(&[0.0, 0.0, 0.4, 0.0])], &fusion, &clauses, u64::from);
        assert_eq!(ranked.iter().map(|s| s.slot).collect::<Vec<_>>(), [3, 0, 2, 1]);
        let levelled = Clauses { cover: 1.0, weight: 1.0, ..Clauses::default() };
        let mut ranked = vec![scored(0, 0.50, false), scored(1, 0.49, false), scored(2, 0.45, false)];
        lift(&mut ranked, &[part(&[0.9, 0.6, 0.0]), part(&[0.0, 0.0, 0.4])], &fusion, &levelled, u64::from);
        assert_eq!(
            ranked.iter().map(|s| s.parts).collect::<Vec<_>>(),
            [0.0, 0.0, 0.0],
            "levelled wholly, the best of a part adds nothing"
        );
    }

    proptest! {
        #[test]
        fn it_equals_the_formula_and_keeps_the_named_first(
            base in prop::collection::vec((0.0_f32..1.0, any::<bool>()), 1..20),
            parts in prop::collection::vec(prop::collection::vec(0.0_f32..1.0, 20), 0..4),
        ) {
            let (fusion, clauses) = (Fusion::default(), Clauses::default());
            let mut ranked: Vec<Scored> = base.iter().zip(0..).map(|((score, named), slot)| scored(slot, *score, *named)).collect();
            let found: Vec<Found> = parts.iter().map(|named| part(&named[..base.len()])).collect();
            lift(&mut ranked, &found, &fusion, &clauses, u64::from);
            prop_assert!(ranked.windows(2).all(|pair| pair[1].mentioned <= pair[0].mentioned));
            for scored in &ranked {
                let slot = scored.slot as usize;
                let of = |named: &Vec<f32>| {
                    let best = named[..base.len()].iter().fold(0.0_f32, |a, b| a.max(*b));
                    clauses.weight * fusion.named * (named[slot] - clauses.cover * best)
                };
                let expected = parts.iter().map(of).fold(0.0_f32, f32::max);
                prop_assert!((scored.score - base[slot].0 - expected).abs() < 1e-5);
            }
        }
    }
}
