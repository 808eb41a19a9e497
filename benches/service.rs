//! The real program with ten thousand tools: importing them while selections go on, one more tool, a restart, memory, gRPC's share.
//!
//! `serve` runs as a process of its own on a store of its own, and is driven over loopback as any user would.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::program::{Program, register, select};
use support::{ms, quantile, queries, ratio, tools};
use tool_router::cli::output;
use tool_router::rpc::client::Client;
use tool_router::tool::{Tool, ToolId};

const TOOLS: usize = 10_000;
/// Between two selections of the client that measures.
const PAUSE: Duration = Duration::from_millis(10);
/// Tools that are there before the first measurement: an empty catalogue has nothing to search.
const FIRST: usize = 500;
/// Single tools registered one by one at the end.
const SINGLES: usize = 20;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

/// One selection after another with pauses, each query its own, until told to stop; gives latencies, and what gRPC took of them.
async fn selections(mut client: Client, texts: Arc<Vec<String>>, next: Arc<AtomicUsize>, stop: Arc<AtomicBool>) -> Latencies {
    let mut seen = Latencies::default();
    while !stop.load(Ordering::Relaxed) {
        let text = &texts[next.fetch_add(1, Ordering::Relaxed) % texts.len()];
        let (took, answer) = select(&mut client, text).await;
        let stages: u64 = answer.meta.iter().flat_map(|meta| &meta.stages).map(|stage| stage.micros).sum();
        seen.lexical += usize::from(!answer.degraded_reason.is_empty());
        seen.whole.push(took);
        seen.transport.push(took.saturating_sub(Duration::from_micros(stages)));
        tokio::time::sleep(PAUSE).await;
    }
    seen
}

#[derive(Default)]
struct Latencies {
    whole: Vec<Duration>,
    transport: Vec<Duration>,
    lexical: usize,
}

async fn idle(program: &Program, texts: &Arc<Vec<String>>, next: &Arc<AtomicUsize>) -> Latencies {
    let stop = Arc::new(AtomicBool::new(false));
    let running = tokio::spawn(selections(program.client.clone(), Arc::clone(texts), Arc::clone(next), Arc::clone(&stop)));
    tokio::time::sleep(Duration::from_secs(8)).await;
    stop.store(true, Ordering::Relaxed);
    running.await.expect("selections go on")
}

async fn measure() {
    let (tools, origin) = tools(TOOLS + FIRST);
    let folder = support::folder().join("service");
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let store = folder.join("router.db");
    let texts = Arc::new(queries());
    let next = Arc::new(AtomicUsize::new(0));

    let mut program = Program::start(&store).await;
    let empty = program.resident();
    let (first, rest) = tools.split_at(FIRST.min(tools.len()));
    register(&mut program.client.clone(), first).await;
    let before = idle(&program, &texts, &next).await;

    let stop = Arc::new(AtomicBool::new(false));
    let running = tokio::spawn(selections(program.client.clone(), Arc::clone(&texts), Arc::clone(&next), Arc::clone(&stop)));
    let started = Instant::now();
    register(&mut program.client.clone(), rest).await;
    let import = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let during = running.await.expect("selections go on");
    let after = idle(&program, &texts, &next).await;

    output::line(&format!("{} {origin}, over loopback, one selection every {} ms", rest.len(), PAUSE.as_millis()));
    let count = program.metric("toolrouter_catalog_tools{state=\"enabled\"}").await;
    output::line(&format!(
        "\nSelections while {} tools register ({:.0} s, {:.0} tools/s)",
        rest.len(),
        import.as_secs_f64(),
        rest.len() as f64 / import.as_secs_f64()
    ));
    let row = |name: &str, seen: &Latencies| {
        let at = |share| quantile(&seen.whole, share);
        vec![
            name.to_owned(),
            seen.whole.len().to_string(),
            ms(at(0.5)),
            ratio(at(0.5), quantile(&before.whole, 0.5)),
            ms(at(0.99)),
            ms(quantile(&seen.whole, 1.0)),
            seen.lexical.to_string(),
            ms(quantile(&seen.transport, 0.5)),
        ]
    };
    let rows = vec![
        row(&format!("idle, {FIRST} tools"), &before),
        row("while registering", &during),
        row(&format!("idle, {count} tools"), &after),
    ];
    let header = ["", "selections", "p50 ms", "ratio to the first", "p99 ms", "max ms", "lexical", "gRPC p50 ms"];
    output::table(&header, &[1, 2, 3, 4, 5, 6, 7], rows);

    let mut visible = Vec::new();
    for i in 0..SINGLES {
        let id = ToolId::new("late-arrivals", &format!("polish_gemstone_{i}")).expect("a short name");
        let tool = Tool { id, description: format!("Polishes gemstone number {i} to a shine."), ..tools[0].clone() };
        let started = Instant::now();
        program.client.register("late-arrivals", std::slice::from_ref(&tool), false).await.expect("a sound tool");
        loop {
            let (_, answer) = select(&mut program.client, &format!("polish_gemstone_{i}")).await;
            if answer.tools.iter().any(|found| found.tool == tool.id.name()) {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(10), "the tool is not found");
        }
        visible.push(started.elapsed());
    }
    output::line(&format!(
        "\nOne tool more: from the call to a selection that finds it {} ms median, {} ms at most of {SINGLES}",
        ms(quantile(&visible, 0.5)),
        ms(quantile(&visible, 1.0))
    ));

    let grown = program.resident();
    drop(program);
    let program = Program::start(&store).await;
    let embedded = program.metric("toolrouter_embed_texts_total{lane=\"registration\"}").await;
    let count = program.metric("toolrouter_catalog_tools{state=\"enabled\"}").await;
    let fresh = program.resident();
    output::line(&format!(
        "\nRestart with {count} tools: ready after {:.2} s, {embedded} texts embedded; an empty store takes {:.2} s",
        program.ready_after.as_secs_f64(),
        Program::start(&folder.join("empty.db")).await.ready_after.as_secs_f64(),
    ));
    let (mib, per_tool) =
        (|bytes: usize| bytes as f64 / f64::from(1 << 20), |bytes: usize| bytes.saturating_sub(empty) as f64 / count / 1024.0);
    let rows = [("empty", empty), ("after the import", grown), ("after the restart", fresh)]
        .map(|(name, bytes)| vec![name.to_owned(), format!("{:.0}", mib(bytes)), format!("{:.1}", per_tool(bytes))]);
    output::line("\nResident memory of the process");
    output::table(&["", "MiB", "KiB a tool"], &[1, 2], rows);
}
