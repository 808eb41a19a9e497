//! The exact scan and BM25 by catalogue size: three views of 384 numbers and sixty words per tool.

use std::sync::Arc;

use divan::Bencher;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tool_router::index::allow::Allowed;
use tool_router::index::vector::{Codes, UnitVector};
use tool_router::index::{Document, Engine, Index, Query, Segment};

const DIMENSION: usize = 384;
const SIZES: [usize; 4] = [100, 1_000, 10_000, 30_000];

fn main() {
    divan::main();
}

fn vector(rng: &mut StdRng) -> UnitVector {
    UnitVector::new((0..DIMENSION).map(|_| rng.random_range(-1.0..1.0)).collect()).expect("random numbers have a direction")
}

fn index(tools: usize) -> (Index, UnitVector, Vec<String>) {
    let mut rng = StdRng::seed_from_u64(7);
    let views: Vec<[Codes; 3]> = (0..tools).map(|_| std::array::from_fn(|_| Codes::quantise(&vector(&mut rng)))).collect();
    let mut words = |n: usize| -> Vec<String> { (0..n).map(|_| format!("word{}", rng.random_range(0_u32..5_000))).collect() };
    let terms: Vec<String> = (0..tools).map(|_| words(60).join(" ")).collect();
    let query = words(12);
    let documents =
        views.iter().zip(&terms).map(|(v, terms)| Document { views: v.iter().collect(), extra_views: Vec::new(), terms });
    let (sealed, delta) = (Segment::build(DIMENSION, documents), Segment::build(DIMENSION, []));
    (Index::new(Arc::new(sealed), None, Arc::new(delta), []), vector(&mut rng), query)
}

#[divan::bench(args = SIZES)]
fn vectors(bencher: Bencher<'_, '_>, tools: usize) {
    let (index, query, _) = index(tools);
    let allowed = Allowed::all(tools);
    let query = Query { vector: Some(&query), terms: &[], always: &[] };
    bencher.bench(|| index.search(&query, &allowed, Engine::Exact));
}

#[divan::bench(args = SIZES)]
fn words(bencher: Bencher<'_, '_>, tools: usize) {
    let (index, _, terms) = index(tools);
    let allowed = Allowed::all(tools);
    let query = Query { vector: None, terms: &terms, always: &[] };
    bencher.bench(|| index.search(&query, &allowed, Engine::Exact));
}
