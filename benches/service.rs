//! The real program with ten thousand tools: importing them while selections go on, one more tool, a restart, memory, gRPC's share.
//!
//! `serve` runs as a process of its own on a store of its own, and is driven over loopback as any user would.

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::{bar, ms, quantile, queries, ratio, tools};
use tool_router::cli::output;
use tool_router::rpc::client::{Client, ClientOptions, chunks};
use tool_router::rpc::proto::{SelectToolsRequest, SelectToolsResponse, select_tools_request};
use tool_router::tool::{Tool, ToolId};

const TOOLS: usize = 10_000;
/// Tools per registration, as `tool-router import` sends them.
const STEP: usize = 50;
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

struct Program {
    child: Child,
    client: Client,
    http: u16,
    ready_after: Duration,
}

impl Program {
    async fn start(store: &Path) -> Self {
        let port = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let (grpc, http) = (port(), port());
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_tool-router"))
            .args(["serve", "--grpc-address", &format!("127.0.0.1:{grpc}"), "--http-address", &format!("127.0.0.1:{http}")])
            .arg("--store")
            .arg(store)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while http_get(http, "/readyz").await.is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            assert!(started.elapsed() < Duration::from_secs(120), "the program does not get ready: run `make setup`");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ready_after = started.elapsed();
        let timeout = Duration::from_secs(60);
        let options = ClientOptions { address: format!("http://127.0.0.1:{grpc}"), ca_file: None, token_file: None, timeout };
        let client = Client::connect(&options).await.expect("it is ready");
        Self { child, client, http, ready_after }
    }

    fn resident(&self) -> usize {
        support::resident(self.child.id())
    }

    /// The value of a metric line that starts so.
    async fn metric(&self, start: &str) -> f64 {
        let text = http_get(self.http, "/metrics").await.unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(start));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn http_get(port: u16, path: &str) -> Option<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

async fn select(client: &mut Client, query: &str) -> (Duration, SelectToolsResponse) {
    let input = Some(select_tools_request::Input::Query(query.to_owned()));
    let request = SelectToolsRequest { input, ..Default::default() };
    let started = Instant::now();
    let answer = client.select(request).await.expect("an answer");
    (started.elapsed(), answer)
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

async fn register(client: &mut Client, tools: &[Tool]) {
    // As `import` does: by source, in order of first appearance.
    let mut sources: Vec<&str> = Vec::new();
    let mut groups: std::collections::HashMap<&str, Vec<Tool>> = std::collections::HashMap::new();
    for tool in tools {
        groups.entry(tool.id.source()).or_insert_with(|| {
            sources.push(tool.id.source());
            Vec::new()
        });
        if let Some(group) = groups.get_mut(tool.id.source()) {
            group.push(tool.clone());
        }
    }
    let bar = bar(tools.len(), "registering");
    for source in sources {
        for chunk in chunks(&groups[source], STEP) {
            // A tool that the gate refuses takes its batch with it; the sets hold a handful.
            if client.register(source, chunk, false).await.is_err() {
                for tool in chunk {
                    let _ = client.register(source, std::slice::from_ref(tool), false).await;
                }
            }
            bar.inc(chunk.len() as u64);
        }
    }
    bar.finish_and_clear();
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
