//! What a selection costs beside the bare forward pass of its query, measured in turns in one process: so machine noise meets both.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::{catalogue, ms, quantile, queries, ratio, tools, vectors};
use tool_router::catalog::TenantCatalog;
use tool_router::cli::output;
use tool_router::compact::Tokenizer;
use tool_router::embed::{Pool, PoolOptions};
use tool_router::index::EngineChoice;
use tool_router::select::{Answered, Input, Policy, Request, Scope, Selector, SelectorOptions, Stage, Trace};

/// Tools of the catalogue that goals are set for.
const TOOLS: usize = 10_000;
const MANY: usize = 100_000;
/// Measurements per line.
const ROUNDS: usize = 400;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    // `cargo bench --bench select -- packing`: that table alone, over no more tools than it needs.
    let packing_alone = std::env::args().any(|argument| argument == "packing");
    let (tools, origin) = tools(if packing_alone { TOOLS } else { usize::MAX });
    let codes = vectors(&tools).await;
    let pool = Pool::start(support::embedder(None), PoolOptions::default()).expect("threads");
    let bare = Selector::new(pool.clone(), Policy::default(), &SelectorOptions::BARE);
    output::line(&format!("{} {origin}; every query of its own; medians", tools.len()));

    let small = Arc::new(catalogue(&tools, &codes, TOOLS));
    if packing_alone {
        return packing(&bare, &small, &by_length().remove(0).1).await;
    }
    let mut rows = Vec::new();
    for (name, texts) in by_length() {
        rows.push(side_by_side(name, &pool, &bare, &small, &texts).await);
    }
    let header = ["query tokens", "queries", "bare forward ms", "selection ms", "ratio", "the rest ms", "p99 ms"];
    output::line(&format!("\nSelection beside the bare forward pass, {} tools, exact engine", output::thousands(TOOLS as u64)));
    output::table(&header, &[1, 2, 3, 4, 5, 6], rows);

    packing(&bare, &small, &by_length().remove(0).1).await;

    let known = Selector::new(
        pool.clone(),
        Policy::default(),
        &SelectorOptions { answer_bytes: 64 << 20, vector_bytes: 0, shadow_every: 0 },
    );
    let vector_known = Selector::new(
        pool.clone(),
        Policy::default(),
        &SelectorOptions { answer_bytes: 0, vector_bytes: 64 << 20, shadow_every: 0 },
    );
    let texts = by_length().remove(0).1;
    repeats(&pool, &small, &texts, [("the whole answer is known", &known), ("the query's vector is known", &vector_known)]).await;

    let large = catalogue(&tools, &codes, MANY);
    let started = Instant::now();
    let sealed = large.sealed().clone().with_graph(&std::sync::atomic::AtomicBool::new(false)).expect("nobody stops it");
    output::line(&format!(
        "\nThe graph over {} tools took {:.0} s to build",
        output::thousands(MANY as u64),
        started.elapsed().as_secs_f64()
    ));
    let large = Arc::new(large.over(sealed));
    assert!(EngineChoice::default().wants_graph(MANY), "auto takes the graph here");
    let plain = Arc::new(large.over(catalogue(&tools, &codes, 0).sealed().clone()));
    let mut rows = Vec::new();
    for (name, catalog) in [("10,000 exact", &small), ("100,000 hnsw", &large), ("100,000 exact", &plain)] {
        rows.push(stages(name, &bare, catalog, &texts).await);
    }
    output::line("\nEverything but the forward pass, by stage");
    let header = ["tools", "retrieve ms", "rank ms", "pack ms", "render ms", "all ms", "p99 ms"];
    output::table(&header, &[1, 2, 3, 4, 5, 6], rows);
}

/// Queries of 10 to 16 tokens as they come, and longer ones. Counted in o200k_base, plus the two marks that the model puts around a text:
/// on English queries its own vocabulary counts within one of that.
fn by_length() -> Vec<(&'static str, Vec<String>)> {
    let tokens = |text: &str| Tokenizer::O200kBase.count(text).0 as usize + 2;
    let all = queries();
    let short = all.iter().filter(|text| (10..=16).contains(&tokens(text))).take(ROUNDS * 2).cloned().collect();
    let joined = |wanted: usize| -> Vec<String> {
        let mut words = all.iter().flat_map(|text| text.split_whitespace());
        let mut made = Vec::new();
        for _ in 0..ROUNDS {
            let mut text = String::new();
            for word in words.by_ref() {
                if wanted < tokens(&format!("{text} {word}")) {
                    break;
                }
                text = format!("{text} {word}").trim().to_owned();
            }
            made.push(text);
        }
        made.retain(|text| !text.is_empty());
        made
    };
    vec![("10-16", short), ("32", joined(32)), ("128", joined(128))]
}

fn request(text: &str) -> Request {
    Request::check(Input { query: Some(text.to_owned()), ..Input::default() }).expect("a sound request")
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn select(selector: &Selector, catalog: &Arc<TenantCatalog>, text: &str) -> (Duration, Trace) {
    let request = request(text);
    let started = Instant::now();
    let (answer, trace) = selector.select(catalog, &request, later()).await.expect("an answer");
    let took = started.elapsed();
    assert!(answer.degraded_reason.is_empty() && !answer.tools.is_empty());
    (took, trace)
}

fn stage(trace: &Trace, wanted: impl Fn(Stage) -> bool) -> Duration {
    trace.stages.iter().filter(|timed| wanted(timed.stage)).map(|timed| timed.took).sum()
}

/// Every other query is only embedded, the rest are selections.
async fn side_by_side(
    name: &str,
    pool: &Pool,
    selector: &Selector,
    catalog: &Arc<TenantCatalog>,
    texts: &[String],
) -> Vec<String> {
    let (mut forward, mut whole, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for pair in texts.chunks_exact(2) {
        let text = pair[0].clone();
        let started = Instant::now();
        pool.query(text, later()).await.expect("a vector");
        forward.push(started.elapsed());
        let (took, trace) = select(selector, catalog, &pair[1]).await;
        whole.push(took);
        rest.push(took.saturating_sub(stage(&trace, |stage| stage == Stage::Embed)));
    }
    let (f, w) = (quantile(&forward, 0.5), quantile(&whole, 0.5));
    vec![
        name.into(),
        (forward.len() * 2).to_string(),
        ms(f),
        ms(w),
        ratio(w, f),
        ms(quantile(&rest, 0.5)),
        ms(quantile(&whole, 0.99)),
    ]
}

/// Each query once for memory, then again, in turns with bare forward passes.
async fn repeats(pool: &Pool, catalog: &Arc<TenantCatalog>, texts: &[String], selectors: [(&str, &Selector); 2]) {
    let mut rows = Vec::new();
    for (name, selector) in selectors {
        let (mut forward, mut again) = (Vec::new(), Vec::new());
        for text in texts.iter().take(ROUNDS / 2) {
            select(selector, catalog, text).await;
        }
        for text in texts.iter().take(ROUNDS / 2) {
            let started = Instant::now();
            pool.query(text.clone(), later()).await.expect("a vector");
            forward.push(started.elapsed());
            let (took, trace) = select(selector, catalog, text).await;
            assert!(trace.answered != Answered::Anew, "it was not known");
            again.push(took);
        }
        let (f, a) = (quantile(&forward, 0.5), quantile(&again, 0.5));
        rows.push(vec![name.to_owned(), ms(f), ms(a), format!("{:.3}", a.as_secs_f64() / f.as_secs_f64())]);
    }
    output::line("\nA repeated query of 10-16 tokens");
    output::table(&["what is known", "bare forward ms", "again ms", "ratio"], &[1, 2, 3], rows);
}

/// From the ranking to the text: looking up what each candidate costs in each form, packing, writing and counting.
async fn packing(selector: &Selector, catalog: &Arc<TenantCatalog>, texts: &[String]) {
    let usual = |text: &str| Input { query: Some(text.to_owned()), min_confidence: Some(0.0), ..Input::default() };
    let mut rows = Vec::new();
    for (name, candidates, directory) in
        [("50", 50, false), ("50, with a directory", 50, true), ("200", 200, false), ("200, with a directory", 200, true)]
    {
        let mut times = Vec::new();
        for text in texts.iter().take(ROUNDS / 2) {
            let ask = async |input: Input| {
                let request = Request::check(input).expect("a sound request");
                selector.select(catalog, &request, later()).await.expect("an answer")
            };
            let (ranking, _) = ask(Input { max_tokens: Some(u32::MAX), max_tools: Some(candidates), ..usual(text) }).await;
            let allow = ranking.tools.iter().map(|tool| tool.id.clone()).collect();
            let (answer, trace) = ask(Input { scope: Scope { allow, ..Scope::default() }, directory, ..usual(text) }).await;
            assert!(!answer.tools.is_empty() && (directory || answer.listed.is_empty()));
            times.push(stage(&trace, |stage| matches!(stage, Stage::Pack | Stage::Render)));
        }
        let us = |share: f64| format!("{:.0}", quantile(&times, share).as_secs_f64() * 1e6);
        rows.push(vec![name.to_owned(), times.len().to_string(), us(0.5), us(0.99)]);
    }
    output::line("\nDiet look-up, packing and rendering under 1,500 tokens, 10,000 tools in the catalogue");
    output::table(&["candidates", "queries", "median us", "p99 us"], &[1, 2, 3], rows);
}

async fn stages(name: &str, selector: &Selector, catalog: &Arc<TenantCatalog>, texts: &[String]) -> Vec<String> {
    let mut traces = Vec::new();
    let mut all = Vec::new();
    for text in texts.iter().take(ROUNDS) {
        let (took, trace) = select(selector, catalog, text).await;
        all.push(took.saturating_sub(stage(&trace, |stage| stage == Stage::Embed)));
        traces.push(trace);
    }
    let median = |wanted: Stage| {
        let times: Vec<Duration> = traces.iter().map(|trace| stage(trace, |stage| stage == wanted)).collect();
        ms(quantile(&times, 0.5))
    };
    let mut row = vec![name.to_owned()];
    row.extend([Stage::Retrieve, Stage::Rank, Stage::Pack, Stage::Render].map(median));
    row.extend([ms(quantile(&all, 0.5)), ms(quantile(&all, 0.99))]);
    row
}
