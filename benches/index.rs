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

/// Made-up tools: three views each, and their words.
struct Tools {
    views: Vec<[Codes; 3]>,
    terms: Vec<String>,
}

impl Tools {
    fn new(count: usize, rng: &mut StdRng) -> Self {
        let views = (0..count).map(|_| std::array::from_fn(|_| Codes::quantise(&vector(rng)))).collect();
        Self { views, terms: (0..count).map(|_| some_words(60, rng).join(" ")).collect() }
    }

    fn seal(&self) -> Segment {
        let tools = self.views.iter().zip(&self.terms);
        let documents = tools.map(|(v, terms)| Document { views: v.iter().collect(), extra_views: Vec::new(), terms, name: "" });
        Segment::build(DIMENSION, documents)
    }
}

fn some_words(count: usize, rng: &mut StdRng) -> Vec<String> {
    (0..count).map(|_| format!("word{}", rng.random_range(0_u32..5_000))).collect()
}

fn index(tools: usize) -> (Index, UnitVector, Vec<String>) {
    let mut rng = StdRng::seed_from_u64(7);
    let sealed = Tools::new(tools, &mut rng).seal();
    let index = Index::new(Arc::new(sealed), None, Arc::new(Segment::build(DIMENSION, [])), []);
    (index, vector(&mut rng), some_words(12, &mut rng))
}

/// What every registration would cost if it made the index anew.
#[divan::bench(args = SIZES, sample_count = 10)]
fn seal(bencher: Bencher<'_, '_>, tools: usize) {
    let tools = Tools::new(tools, &mut StdRng::seed_from_u64(7));
    bencher.bench(|| tools.seal());
}

#[divan::bench(args = SIZES)]
fn vectors(bencher: Bencher<'_, '_>, tools: usize) {
    let (index, query, _) = index(tools);
    let allowed = Allowed::all(tools);
    let query = Query { vector: Some(&query), terms: &[], always: &[], centring: 0.0 };
    bencher.bench(|| index.search(&query, &allowed, Engine::Exact));
}

#[divan::bench(args = SIZES)]
fn words(bencher: Bencher<'_, '_>, tools: usize) {
    let (index, _, terms) = index(tools);
    let allowed = Allowed::all(tools);
    let query = Query { vector: None, terms: &terms, always: &[], centring: 0.0 };
    bencher.bench(|| index.search(&query, &allowed, Engine::Exact));
}
