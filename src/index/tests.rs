use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const DIMENSION: usize = 24;

/// A document as tests think of it.
#[derive(Clone, Debug)]
struct Plain {
    views: Vec<Codes>,
    terms: String,
}

fn vector(rng: &mut StdRng) -> Vec<f32> {
    (0..DIMENSION).map(|_| rng.random_range(-1.0_f32..1.0)).collect()
}

fn codes(numbers: Vec<f32>) -> Codes {
    Codes::quantise(&UnitVector::new(numbers).unwrap())
}

/// Documents around a few themes, as tools are around jobs; every tenth repeats another.
fn documents(count: usize, seed: u64) -> Vec<Plain> {
    let mut rng = StdRng::seed_from_u64(seed);
    let themes: Vec<Vec<f32>> = (0..count.div_ceil(40).max(1)).map(|_| vector(&mut rng)).collect();
    let mut all: Vec<Plain> = Vec::with_capacity(count);
    for i in 0..count {
        if i % 10 == 9 {
            let same = rng.random_range(0..all.len());
            all.push(all[same].clone());
            continue;
        }
        let theme = themes[rng.random_range(0..themes.len())].clone();
        let mut near = || codes(theme.iter().map(|x| x + 0.5 * rng.random_range(-1.0_f32..1.0)).collect());
        let views = vec![near(), near(), near()];
        let terms = format!("word{} word{}", rng.random_range(0..50), rng.random_range(0..50));
        all.push(Plain { views, terms });
    }
    all
}

fn document(plain: &Plain) -> Document<'_> {
    Document { views: plain.views.iter().collect(), extra_views: Vec::new(), terms: &plain.terms, name: &plain.terms }
}

fn segment(documents: &[Plain]) -> Arc<Segment> {
    Arc::new(Segment::build(DIMENSION, documents.iter().map(document)))
}

fn queries(documents: &[Plain], count: usize) -> Vec<UnitVector> {
    let mut rng = StdRng::seed_from_u64(99);
    (0..count)
        .map(|_| {
            let near = &documents[rng.random_range(0..documents.len())].views[0];
            let numbers = near.codes().iter().map(|c| f32::from(*c) * near.scale() + 0.1 * rng.random_range(-1.0_f32..1.0));
            UnitVector::new(numbers.collect()).unwrap()
        })
        .collect()
}

fn words(terms: &[&str]) -> Vec<String> {
    terms.iter().map(ToString::to_string).collect()
}

fn graph(segment: &Segment) -> Option<Arc<Graph>> {
    segment.graph(&AtomicBool::new(false)).map(Arc::new)
}

/// The ten best by the mean of views.
fn ten(found: &Found) -> Vec<f32> {
    let mut scores: Vec<f32> = found.hits.iter().filter_map(|hit| hit.views).map(|views| views.mean).collect();
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    scores.truncate(10);
    scores
}

proptest! {
    /// What is found does not depend on where documents lie and what was there before.
    #[test]
    fn division_leaves_no_trace(
        seed in any::<u64>(),
        count in 1_usize..60,
        cut in 0_usize..60,
        gone in prop::collection::btree_set(0_usize..60, 0..20),
        terms in prop::collection::vec((0_u32..50).prop_map(|n| format!("word{n}")), 0..4),
    ) {
        let all = documents(count, seed);
        let cut = cut.min(count);
        let gone: Vec<usize> = gone.into_iter().filter(|place| *place < cut).collect();
        let gone_words = gone.iter().map(|place| (*place as u32, all[*place].terms.as_str()));
        let divided = Index::new(segment(&all[..cut]), None, segment(&all[cut..]), gone_words);
        let alive: Vec<u32> = (0_u32..).take(count).filter(|slot| !gone.contains(&(*slot as usize))).collect();
        let mut allowed = Allowed::none(count);
        alive.iter().for_each(|slot| allowed.insert(*slot));
        let kept: Vec<Plain> = alive.iter().map(|slot| all[*slot as usize].clone()).collect();
        let whole = Index::new(segment(&kept), None, segment(&[]), []);
        let vector = queries(&all, 1).remove(0);
        let query = Query { vector: Some(&vector), terms: &terms, always: &[], centring: 0.0 };
        let (divided, whole) = (divided.search(&query, &allowed, Engine::Exact), whole.search(&query, &Allowed::all(kept.len()), Engine::Exact));
        prop_assert_eq!(divided.most_bm25, whole.most_bm25);
        prop_assert_eq!(divided.hits.len(), whole.hits.len());
        for ((found, expected), slot) in divided.hits.iter().zip(&whole.hits).zip(alive) {
            prop_assert_eq!(*found, Hit { slot, ..*expected }, "to the last bit");
        }
    }
}

#[test]
fn the_graph_finds_what_the_scan_finds() {
    let all = documents(3_000, 5);
    let (sealed, delta) = (segment(&all[..2_800]), segment(&all[2_800..]));
    let index = Index::new(Arc::clone(&sealed), graph(&sealed), delta, []);
    let allowed = Allowed::all(all.len());
    let (mut found, mut wanted) = (0, 0);
    for vector in queries(&all, 100) {
        let terms = words(&["word3", "word7"]);
        let query = Query { vector: Some(&vector), terms: &terms, always: &[17], centring: 0.0 };
        let (by_graph, by_scan) = (index.search(&query, &allowed, Engine::Hnsw), index.search(&query, &allowed, Engine::Exact));
        assert_eq!((by_graph.engine, by_scan.engine), (Engine::Hnsw, Engine::Exact));
        assert_eq!(by_graph.most_bm25, by_scan.most_bm25);
        assert!(by_graph.hits.is_sorted_by_key(|hit| hit.slot) && by_graph.hits.len() < by_scan.hits.len());
        assert!(
            by_graph.hits.iter().all(|hit| by_scan.hits[hit.slot as usize] == *hit),
            "candidates are scored like everything else"
        );
        let proposed: Vec<u32> = by_graph.hits.iter().rev().map(|hit| hit.slot).chain([17, 17]).collect();
        let again = index.search_among(&query, &allowed, &proposed);
        assert_eq!(
            (&again.hits, again.most_bm25),
            (&by_graph.hits, by_graph.most_bm25),
            "what was proposed is scored alike again"
        );
        assert!((2_800..3_000).chain([17]).all(|slot| by_graph.hits.iter().any(|hit| hit.slot == slot)), "delta and `always`");
        let last = *ten(&by_scan).last().unwrap();
        found += ten(&by_graph).iter().filter(|score| last <= **score).count();
        wanted += 10;
    }
    assert!(0.99 * f64::from(wanted) <= found as f64, "recall {found} of {wanted}");
}

#[test]
fn equal_input_gives_an_equal_graph() {
    let all = documents(600, 6);
    let sealed = segment(&all);
    let (one, other) = (graph(&sealed).unwrap(), graph(&sealed).unwrap());
    for vector in queries(&all, 50) {
        let codes = Codes::quantise(&vector);
        assert_eq!(one.search(&codes, 20), other.search(&codes, 20));
    }
}

#[test]
fn a_graph_steps_back_where_it_cannot_serve() {
    let all = documents(1_000, 7);
    let sealed = segment(&all);
    let index = Index::new(Arc::clone(&sealed), graph(&sealed), segment(&[]), []);
    let vector = queries(&all, 1).remove(0);
    let query = Query { vector: Some(&vector), terms: &[], always: &[], centring: 0.0 };
    let mut few = Allowed::none(1_000);
    (0..60).for_each(|slot| few.insert(slot * 16));
    let found = index.search(&query, &few, Engine::Hnsw);
    assert_eq!((found.engine, found.hits.len()), (Engine::Exact, 60), "too few candidates are allowed");
    let without = Query { vector: None, ..query };
    assert_eq!(index.search(&without, &Allowed::all(1_000), Engine::Hnsw).engine, Engine::Exact);
    let plain = Index::new(sealed, None, segment(&[]), []);
    assert_eq!(plain.search(&query, &Allowed::all(1_000), Engine::Hnsw).engine, Engine::Exact);
}

#[test]
fn odd_graphs_neither_panic_nor_lose_documents() {
    // All equal: one node for all of them.
    let one = documents(1, 8).remove(0);
    let same = segment(&vec![one.clone(); 300]);
    let found = graph(&same).unwrap().search(&one.views[0], 10);
    assert_eq!(found.len(), 300);
    // Nothing at all, nothing with a vector, another length.
    assert!(graph(&segment(&[])).unwrap().search(&one.views[0], 10).is_empty());
    let wordy = segment(&vec![Plain { views: Vec::new(), terms: "word1".into() }; 5]);
    assert!(graph(&wordy).unwrap().search(&one.views[0], 10).is_empty());
    let short = Codes::quantise(&UnitVector::new(vec![1.0]).unwrap());
    let _ = graph(&same).unwrap().search(&short, 10);
    // Opposite and self distances are where rounding leaves the range.
    let turned = Plain { views: vec![codes(one.views[0].codes().iter().map(|c| -f32::from(*c)).collect())], ..one.clone() };
    assert_eq!(graph(&segment(&[one.clone(), turned])).unwrap().search(&one.views[0], 10), [0, 1]);
    assert!(segment(&[one]).graph(&AtomicBool::new(true)).is_none(), "stopped");
}
