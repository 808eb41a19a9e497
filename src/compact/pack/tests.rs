use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

/// Costs as SKELETON, LEAN and FULL.
fn candidate(probability: f32, objects: [u32; 3]) -> Candidate {
    Candidate { probability, objects: objects.map(TokenCount), lines: None, held: None }
}

fn listed(probability: f32, objects: [u32; 3], lines: [u32; 2]) -> Candidate {
    Candidate { lines: Some(lines.map(TokenCount)), ..candidate(probability, objects) }
}

fn limits(max_tokens: u32, max_tools: usize) -> Limits {
    Limits { max_tokens: TokenCount(max_tokens), max_tools, frame: TokenCount(2), first: 0, values: Values::default() }
}

fn over(needs: u32, left: u32) -> DropReason {
    DropReason::OverBudget { needs: TokenCount(needs), left: TokenCount(left) }
}

const F: Fidelity = Fidelity::Full;
const L: Fidelity = Fidelity::Lean;
const S: Fidelity = Fidelity::Skeleton;

#[test]
fn shrinks_before_it_drops_and_what_is_left_raises_the_first() {
    let three = [candidate(0.9, [10, 20, 40]), candidate(0.5, [10, 20, 40]), candidate(0.4, [10, 20, 40])];
    let packing = pack(&three, &limits(52, 20));
    assert_eq!(packing.kept, [(0, L), (1, L), (2, S)]);
    assert_eq!((packing.tokens, packing.dropped.len()), (TokenCount(52), 0));
    assert_eq!(pack(&three, &limits(82, 20)).kept, [(0, F), (1, L), (2, L)], "FULL is worth no more, but has more to read");
    assert_eq!(pack(&three, &limits(32, 20)).kept, [(0, S), (1, S), (2, S)]);
}

#[test]
fn a_likely_tool_is_shown_in_full_before_an_unlikely_one_at_all() {
    let two = [candidate(0.9, [50, 60, 60]), candidate(0.01, [50, 60, 60])];
    assert_eq!(pack(&two, &limits(102, 20)).kept, [(0, F)]);
    let alike = [candidate(0.5, [50, 60, 60]), candidate(0.5, [50, 60, 60])];
    assert_eq!(pack(&alike, &limits(102, 20)).kept, [(0, S), (1, S)]);
}

#[test]
fn skips_what_does_not_fit_and_goes_on() {
    let four = [candidate(0.5, [10; 3]), candidate(0.4, [90, 95, 99]), candidate(0.3, [5, 6, 7]), candidate(0.2, [1; 3])];
    let packing = pack(&four, &limits(20, 2));
    assert_eq!(packing.kept, [(0, F), (2, F)], "what could never fit takes no place");
    assert_eq!(packing.dropped, [(1, over(90, 1)), (3, DropReason::MaxTools)]);
    assert_eq!(packing.tokens, TokenCount(19));
}

#[test]
fn lines_name_what_cannot_be_shown() {
    let lines = [5, 12];
    let five: Vec<Candidate> = [0.9, 0.5, 0.3, 0.1, 0.05].map(|p| listed(p, [40, 60, 80], lines)).to_vec();
    let packing = pack(&five, &limits(122, 20));
    assert_eq!(packing.kept, [(0, L), (1, S)]);
    assert_eq!(packing.listed, [(2, Line::Signature), (3, Line::Name)]);
    assert_eq!(packing.dropped, [(4, over(40, 3))]);
    assert_eq!(pack(&five, &limits(122, 1)).kept.len(), 1, "lines are no callable tools");
    // Lines alone would be worth more than the one object that fits.
    let dear = [listed(0.3, [40, 60, 80], lines), listed(0.3, [40, 60, 80], lines), listed(0.3, [40, 60, 80], lines)];
    assert_eq!(pack(&dear, &limits(44, 20)).kept, [(0, S)], "one tool that can be called comes first");
}

#[test]
fn what_must_be_shown_comes_before_worth() {
    let three = [candidate(0.9, [30, 35, 40]), candidate(0.0, [30, 35, 40]), candidate(0.8, [30, 35, 40])];
    let first = |first| pack(&three, &Limits { first, ..limits(63, 20) }).kept;
    assert_eq!((first(0), first(2)), (vec![(0, S), (2, S)], vec![(0, S), (1, S)]));
    // Where it cannot be had, nothing is lost for it.
    let large = [candidate(0.0, [90, 90, 90]), candidate(0.9, [30, 35, 40])];
    assert_eq!(pack(&large, &Limits { first: 1, ..limits(63, 20) }).kept, [(1, F)]);
}

#[test]
fn a_held_form_stays_as_it_is() {
    let held = Candidate { held: Some(L), ..listed(0.1, [10, 20, 40], [1, 2]) };
    let packing = pack(&[held, candidate(0.9, [10, 20, 40])], &Limits { first: 1, ..limits(200, 20) });
    assert_eq!(packing.kept, [(0, L), (1, F)]);
    assert_eq!(pack(&[held], &Limits { first: 1, ..limits(21, 20) }).dropped, [(0, over(20, 19))]);
}

#[test]
fn a_cap_below_everything_gives_an_empty_list_with_reasons() {
    let packing = pack(&[candidate(0.5, [10, 20, 30])], &limits(11, 20));
    let expected = Packing { kept: vec![], listed: vec![], dropped: vec![(0, over(10, 9))], tokens: TokenCount(0), worth: 0.0 };
    assert_eq!(packing, expected);
    assert_eq!(pack(&[candidate(0.5, [0; 3])], &limits(1, 20)).dropped, [(0, over(0, 0))]);
    assert_eq!(pack(&[candidate(0.5, [0; 3])], &limits(9, 0)).dropped, [(0, DropReason::MaxTools)]);
    assert_eq!(pack(&[], &limits(0, 0)).kept, []);
}

#[test]
fn the_greater_form_wins_at_no_greater_cost() {
    assert_eq!(pack(&[candidate(0.5, [10, 10, 12])], &limits(12, 20)).kept, [(0, L)]);
    assert_eq!(pack(&[candidate(0.5, [10, 9, 12])], &limits(11, 20)).kept, [(0, L)]);
    assert_eq!(pack(&[candidate(0.0, [10, 12, 8])], &limits(99, 20)).kept, [(0, F)], "also where nothing is known of it");
}

/// Every form of every tool: the most worth that fits. It may call only the first `max_tools` that could ever fit, shows what must be
/// shown, and at least one callable tool, as `pack` does.
fn brute_force(candidates: &[Candidate], limits: &Limits) -> f32 {
    let Some(room) = limits.max_tokens.0.checked_sub(limits.frame.0) else { return 0.0 };
    let able: Vec<usize> = (0..candidates.len()).filter(|i| candidates[*i].least().0 <= room).take(limits.max_tools).collect();
    let mut must: Vec<usize> = Vec::new();
    let mut spent = 0_u32;
    for index in &able {
        if (*index < limits.first || must.is_empty()) && spent.saturating_add(candidates[*index].least().0) <= room {
            must.push(*index);
            spent += candidates[*index].least().0;
        }
    }
    let options = |index: usize| {
        let candidate = &candidates[index];
        let mut options: Vec<Option<Shown>> = Fidelity::ALL
            .into_iter()
            .filter(|fidelity| able.contains(&index) && candidate.held.is_none_or(|held| held == *fidelity))
            .map(|fidelity| Some(Shown::Callable(fidelity)))
            .collect();
        if !must.contains(&index) {
            options.push(None);
            options.extend(
                Line::ALL
                    .into_iter()
                    .filter(|_| candidate.lines.is_some() && candidate.held.is_none())
                    .map(|line| Some(Shown::Listed(line))),
            );
        }
        options
    };
    let mut all: Vec<(u32, f32)> = vec![(0, 0.0)];
    for (index, candidate) in candidates.iter().enumerate() {
        let of_one: Vec<(u32, f32)> = options(index)
            .into_iter()
            .map(|shown| {
                shown
                    .map_or((0, 0.0), |shown| (candidate.cost(shown).unwrap().0, candidate.probability * limits.values.of(shown)))
            })
            .collect();
        all = all
            .iter()
            .flat_map(|(t, w)| of_one.iter().map(move |(t2, w2)| (t.saturating_add(*t2), w + w2)))
            .filter(|(t, _)| *t <= room)
            .collect();
    }
    all.into_iter().map(|(_, worth)| worth).fold(0.0, f32::max)
}

fn any_candidate(cost: impl Strategy<Value = u32> + Clone + 'static) -> impl Strategy<Value = Candidate> {
    let objects = prop::array::uniform3(cost.clone());
    let lines = prop::option::of(prop::array::uniform2(cost));
    let held = prop_oneof![8 => Just(None), 1 => Just(Some(S)), 1 => Just(Some(F))];
    (0.0_f32..1.0, objects, lines, held).prop_map(|(probability, objects, lines, held)| Candidate {
        lines: lines.map(|lines| lines.map(TokenCount)),
        held,
        ..candidate(probability, objects)
    })
}

proptest! {
    /// By less than the worth of one step: no step is worth more than the likeliest tool.
    #[test]
    fn falls_short_of_the_best_by_less_than_one_step(
        candidates in prop::collection::vec(any_candidate(0..40_u32), 0..6),
        max_tokens in 0..120_u32,
        max_tools in 0..7_usize,
        first in 0..3_usize,
    ) {
        let limits = Limits { first, ..limits(max_tokens, max_tools) };
        let (found, best) = (pack(&candidates, &limits).worth, brute_force(&candidates, &limits));
        let step = candidates.iter().map(|candidate| candidate.probability).fold(0.0, f32::max);
        prop_assert!(best - step - 1e-5 <= found, "{found} of {best}, one step is at most {step}");
    }

    #[test]
    fn never_exceeds_its_limits(
        candidates in prop::collection::vec(any_candidate(prop_oneof![Just(0), Just(u32::MAX), 0..300_u32, any::<u32>()]), 0..30),
        max_tokens in prop_oneof![Just(0), Just(u32::MAX), 0..2_000_u32, any::<u32>()],
        max_tools in 0..40_usize,
        frame in prop_oneof![0..4_u32, any::<u32>()],
        first in 0..5_usize,
    ) {
        let limits = Limits { frame: TokenCount(frame), first, ..limits(max_tokens, max_tools) };
        let packing = pack(&candidates, &limits);
        let cost = |index: usize, shown: Shown| u64::from(candidates[index].cost(shown).unwrap().0);
        let objects: u64 = packing.kept.iter().map(|(i, f)| cost(*i, Shown::Callable(*f))).sum();
        let lines: u64 = packing.listed.iter().map(|(i, line)| cost(*i, Shown::Listed(*line))).sum();
        if !packing.kept.is_empty() || !packing.listed.is_empty() {
            prop_assert_eq!(objects + lines + u64::from(frame), u64::from(packing.tokens.0));
        }
        prop_assert!(packing.tokens <= limits.max_tokens && packing.kept.len() <= max_tools);
        prop_assert!(packing.kept.iter().all(|(i, f)| candidates[*i].held.is_none_or(|held| held == *f)));
        prop_assert!(packing.kept.is_sorted_by_key(|k| k.0) && packing.dropped.is_sorted_by_key(|d| d.0) && packing.listed.is_sorted_by_key(|l| l.0));
        for (index, reason) in &packing.dropped {
            if let DropReason::OverBudget { needs, left } = reason {
                prop_assert!(left < needs || limits.max_tokens.0 < frame, "{index} would fit");
            }
        }
        let fits = candidates.iter().any(|candidate| u64::from(candidate.least().0) + u64::from(frame) <= u64::from(max_tokens));
        prop_assert_eq!(packing.kept.is_empty(), !fits || max_tools == 0, "one callable tool wherever one fits");
        let kept = packing.kept.iter().map(|k| k.0);
        let mut all: Vec<_> = kept.chain(packing.listed.iter().map(|l| l.0)).chain(packing.dropped.iter().map(|d| d.0)).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..candidates.len()).collect::<Vec<_>>());
    }
}

/// The most worth of any choice of forms, by dynamic programming over tokens: the twin for sizes at which forms cannot be tried out.
fn most(candidates: &[Candidate], limits: &Limits) -> f32 {
    let room = limits.max_tokens.saturating_sub(limits.frame).0 as usize;
    let mut best = vec![0.0_f32; room + 1];
    for candidate in candidates {
        let before = best.clone();
        let shown = Line::ALL.map(Shown::Listed).into_iter().chain(Fidelity::ALL.map(Shown::Callable));
        for (shown, cost) in shown.filter_map(|shown| Some((shown, candidate.cost(shown)?.0 as usize))) {
            for tokens in cost..=room {
                best[tokens] = best[tokens].max(before[tokens - cost] + candidate.probability * limits.values.of(shown));
            }
        }
    }
    best[room]
}

/// How near the best it comes on sizes as they occur.
#[test]
fn is_nearly_the_best_on_the_whole() {
    let mut rng = StdRng::seed_from_u64(3);
    for (max_tokens, least) in [(300, 0.985), (1_500, 0.998), (4_000, 0.999)] {
        let (mut found, mut best) = (0.0, 0.0);
        for _ in 0..40 {
            let candidates: Vec<Candidate> = (0..50)
                .map(|place| {
                    let skeleton = rng.random_range(25..120);
                    let lean = skeleton + rng.random_range(0..80);
                    let probability = rng.random_range(0.2..1.0_f32) / (place as f32 + 1.0);
                    let lines = [rng.random_range(8..20), rng.random_range(20..60)];
                    listed(probability, [skeleton, lean, lean + rng.random_range(0..120)], lines)
                })
                .collect();
            let limits = limits(max_tokens, 200);
            let (one, other) = (pack(&candidates, &limits).worth, most(&candidates, &limits));
            assert!(one <= other + 1e-4);
            (found, best) = (found + one, best + other);
        }
        assert!(least * best <= found, "{found} of {best} under {max_tokens}");
    }
}
