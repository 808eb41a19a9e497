//! Exact scan against graph by catalogue size: what each takes for a query's vectors, how much of the exact ten best the graph finds, what
//! the graph takes to build.

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use support::{SEED, long, ms, quantile, queries, ratio, tools, turn, vectors};
use tool_router::catalog::TextHash;
use tool_router::catalog::views::ViewTexts;
use tool_router::cli::output;
use tool_router::index::allow::Allowed;
use tool_router::index::vector::{Codes, UnitVector};
use tool_router::index::{Document, Engine, EngineChoice, Found, Index, Query, Segment};
use tool_router::rank::Fusion;

const SIZES: [usize; 9] = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 100_000];
/// Past this size looking for the best rows one by one takes longer than the rest.
const MOST_ONE_BY_ONE: usize = 100_000;
/// Only `make accept` goes this far: building takes half an hour.
const MILLION: usize = 1_000_000;
const QUERIES: usize = 300;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (tools, origin) = tools(usize::MAX);
    let codes = runtime.block_on(vectors(&tools));
    let views_of = |texts: Vec<String>| texts.iter().filter_map(|text| codes.get(&TextHash::of(text)).cloned()).collect();
    let views: Vec<Vec<Codes>> = tools.iter().map(|tool| views_of(ViewTexts::of(tool).base)).collect();
    let mut embedders = support::embedder(Some(1)).embedders;
    let asked: Vec<UnitVector> =
        queries().iter().take(QUERIES).filter_map(|text| embedders.first_mut()?.embed(text).ok()).collect();
    output::line(&format!(
        "{} {origin}; larger sizes repeat them with vectors turned a little; {QUERIES} queries; seed {SEED}",
        output::thousands(tools.len() as u64)
    ));
    let mut sizes = SIZES.to_vec();
    if long() {
        sizes.push(MILLION);
    }
    let bar = support::bar(sizes.iter().sum(), "building and searching");
    let mut rows = Vec::new();
    let mut crossover = None;
    let mut graph_bytes = None;
    // The largest first: what its graph takes is new memory, later ones reuse what was freed.
    for size in sizes.into_iter().rev() {
        let measured = measure(&views, size, &asked);
        if measured.graph < measured.exact {
            crossover = Some(size);
        }
        graph_bytes = graph_bytes.or(Some((size, measured.bytes)));
        rows.push(measured.row(size));
        bar.inc(size as u64);
    }
    bar.finish_and_clear();
    rows.reverse();
    let header = ["tools", "exact ms", "hnsw ms", "hnsw/exact", "recall@10", "one row", "build s"];
    output::table(&header, &[0, 1, 2, 3, 4, 5, 6], rows);
    let thousands = |size: usize| output::thousands(size as u64);
    if let Some((size, bytes)) = graph_bytes {
        output::line(&format!(
            "the graph over {} tools takes {:.1} KiB a tool",
            thousands(size),
            bytes as f64 / size as f64 / 1024.0
        ));
    }
    output::line(&format!(
        "crossover: {}; `auto` takes the graph from {} tools on",
        crossover.map_or("none of these sizes".to_owned(), |size| format!("{} tools", thousands(size))),
        thousands(EngineChoice::DEFAULT_HNSW_MIN)
    ));
}

struct Measured {
    exact: Duration,
    graph: Duration,
    recall: f64,
    /// Share of the exact ten best that are among the hundred best by their one row: what a perfect graph would find.
    one_row: Option<f64>,
    build: Duration,
    bytes: usize,
}

impl Measured {
    fn row(&self, size: usize) -> Vec<String> {
        vec![
            output::thousands(size as u64),
            ms(self.exact),
            ms(self.graph),
            ratio(self.graph, self.exact),
            format!("{:.4}", self.recall),
            self.one_row.map_or_else(String::new, |share| format!("{share:.4}")),
            format!("{:.1}", self.build.as_secs_f64()),
        ]
    }
}

fn measure(views: &[Vec<Codes>], size: usize, asked: &[UnitVector]) -> Measured {
    let dimension = views.iter().flatten().next().map_or(1, |codes| codes.codes().len());
    let mut rng = StdRng::seed_from_u64(SEED);
    let copies: Vec<Vec<Codes>> =
        (views.len()..size).map(|copy| views[copy % views.len()].iter().map(|codes| turn(codes, &mut rng)).collect()).collect();
    let documents = views.iter().chain(&copies).take(size);
    let borrowed =
        documents.map(|views| Document { views: views.iter().collect(), extra_views: Vec::new(), terms: "", name: "" });
    let sealed = Arc::new(Segment::build(dimension, borrowed));
    drop(copies);
    let (before, started) = (support::resident(std::process::id()), Instant::now());
    let graph = sealed.graph(&AtomicBool::new(false)).expect("nobody stops it");
    let (build, bytes) = (started.elapsed(), support::resident(std::process::id()).saturating_sub(before));
    let centres: Vec<Option<Codes>> =
        if size <= MOST_ONE_BY_ONE { (0_u32..).take(size).map(|place| sealed.centre(place)).collect() } else { Vec::new() };
    let index = Index::new(sealed, Some(Arc::new(graph)), Arc::new(Segment::build(dimension, [])), []);
    let allowed = Allowed::all(size);
    let (mut exact, mut graph, mut recalled, mut by_one_row) = (Vec::new(), Vec::new(), 0.0, 0.0);
    for vector in asked {
        let query = Query { vector: Some(vector), terms: &[], always: &[], centring: 0.0 };
        let time = |engine, times: &mut Vec<Duration>| {
            let started = Instant::now();
            let found = index.search(&query, &allowed, engine);
            times.push(started.elapsed());
            found
        };
        let (by_scan, by_graph) = (time(Engine::Exact, &mut exact), time(Engine::Hnsw, &mut graph));
        assert!(by_graph.engine == Engine::Hnsw, "the graph gave too few candidates");
        recalled += recall(&by_graph, &by_scan);
        by_one_row += one_row(&centres, vector, &by_scan);
    }
    let mean = |sum: f64| sum / asked.len() as f64;
    let one_row = (!centres.is_empty()).then(|| mean(by_one_row));
    Measured { exact: quantile(&exact, 0.5), graph: quantile(&graph, 0.5), recall: mean(recalled), one_row, build, bytes }
}

/// Share of the exact ten best that the hundred nearest single rows hold, found one by one.
fn one_row(centres: &[Option<Codes>], vector: &UnitVector, exact: &Found) -> f64 {
    let query = Codes::quantise(vector);
    let near = |codes: &Codes| {
        let products = codes.codes().iter().zip(query.codes()).map(|(x, y)| i32::from(*x) * i32::from(*y));
        products.sum::<i32>() as f32 * codes.scale()
    };
    let mut nearest: Vec<(f32, u32)> =
        centres.iter().zip(0_u32..).filter_map(|(c, slot)| Some((near(c.as_ref()?), slot))).collect();
    nearest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    nearest.truncate(100);
    let mut best: Vec<(f32, u32)> =
        exact.hits.iter().filter_map(|hit| Some((Fusion::default().meaning(hit)?, hit.slot))).collect();
    best.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    best.truncate(10);
    best.iter().filter(|(_, slot)| nearest.iter().any(|(_, near)| near == slot)).count() as f64 / best.len().max(1) as f64
}

/// Share of the exact ten best, by meaning, that the graph's candidates hold something as near for.
fn recall(graph: &Found, exact: &Found) -> f64 {
    let best = |found: &Found| {
        let mut scores: Vec<f32> = found.hits.iter().filter_map(|hit| Fusion::default().meaning(hit)).collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        scores.truncate(10);
        scores
    };
    let (graph, exact) = (best(graph), best(exact));
    let last = exact.last().copied().unwrap_or(f32::MAX);
    graph.iter().filter(|score| last <= **score).count() as f64 / exact.len().max(1) as f64
}
