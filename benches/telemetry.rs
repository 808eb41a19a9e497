//! What being watched costs: the same selections from routers that differ in nothing but where their spans go.
//!
//! One sends none, one sends those of every trace to a collector in this process, one sends them to an address where nobody listens. A fourth
//! is as the first: what differs between these two is what this bench cannot tell from nothing. Each request goes to all four, in an order of
//! its own, so that what else the machine does hits all alike. All are started anew in each round, in another order, because two processes of one
//! program differ by some per cent for as long as they live, the first one most; what is told is the median of the rounds, and their range.
//! With `BENCH_LONG=1` the first and the one without a listener go on for ten minutes, and their memory is told.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use support::program::{Program, register, select};
use support::{ms, quantile, queries, tools};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tool_router::cli::output;

/// Times that all routers are started.
const ROUNDS: usize = 8;
/// Requests of a round that are measured, each with words of its own so that none is known.
const REQUESTS: usize = 500;
/// Requests before: connections, caches of the processor.
const WARM_UP: usize = 100;
/// Tools that are selected from.
const TOOLS: usize = 500;
/// How long two of them go on.
const LONG: Duration = Duration::from_secs(600);
/// Where nothing listens.
const NOBODY: &str = "http://127.0.0.1:9";
/// Between two of their requests then.
const PAUSE: Duration = Duration::from_millis(5);

/// Where each router's spans go.
const KINDS: [&str; 4] = ["no spans", "every trace to a live collector", "every trace to nobody", "no spans, a second router"];
/// The place of the one whose collector is dead.
const DEAD: usize = 2;

/// Counts spans and forgets them.
#[derive(Clone, Default)]
struct Collector(Arc<AtomicU64>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.fetch_add(scopes.map(|scope| scope.spans.len() as u64).sum(), Ordering::Relaxed);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let live = format!("http://{}", listener.local_addr().expect("it has one"));
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(collector.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let folder = tempfile::tempdir().expect("a folder");
    let texts = queries();
    let text = |i: usize| format!("{} {i}", texts[i % texts.len()]);
    let mut order = StdRng::seed_from_u64(9);
    let mut all: [Vec<Duration>; KINDS.len()] = Default::default();
    // Of each round: the median of what a request took longer than at the first, as a share of the first's median.
    let mut shares: [Vec<f64>; KINDS.len()] = Default::default();
    let mut routers = Vec::new();
    for round in 0..ROUNDS {
        routers.clear();
        let mut turns: Vec<_> = [None, Some(live.as_str()), Some(NOBODY), None].into_iter().enumerate().collect();
        turns.shuffle(&mut order);
        for (kind, endpoint) in turns {
            routers.push((kind, start(&folder.path().join(kind.to_string()), endpoint).await));
        }
        routers.sort_by_key(|(kind, _)| *kind);
        let mut took: [Vec<Duration>; KINDS.len()] = Default::default();
        for i in 0..WARM_UP + REQUESTS {
            let mut places = [0, 1, 2, 3];
            places.shuffle(&mut order);
            for place in places {
                let one = select(&mut routers[place].1.client, &text(round * (WARM_UP + REQUESTS) + i)).await.0;
                if WARM_UP <= i {
                    took[place].push(one);
                }
            }
        }
        let plain = quantile(&took[0], 0.5).as_secs_f64();
        for (kind, share) in shares.iter_mut().enumerate() {
            share.push(
                middle(took[kind].iter().zip(&took[0]).map(|(one, plain)| one.as_secs_f64() - plain.as_secs_f64())) / plain,
            );
        }
        all.iter_mut().zip(took).for_each(|(all, took)| all.extend(took));
    }
    output::line(&format!("{REQUESTS} selections from {TOOLS} tools at each of four routers, {ROUNDS} rounds"));
    output::line(&format!("{}: median {} ms", KINDS[0], ms(quantile(&all[0], 0.5))));
    for kind in 1..KINDS.len() {
        let (word, shares) = (KINDS[kind], &mut shares[kind]);
        let half = middle(shares.iter().copied());
        shares.sort_by(f64::total_cmp);
        let [half, least, most] = [half, shares[0], shares[ROUNDS - 1]].map(|share| 100.0 * share);
        let median = ms(quantile(&all[kind], 0.5));
        output::line(&format!("{word}: median {median} ms; {half:+.2} % as the median of rounds, {least:+.2} to {most:+.2}"));
    }
    output::line(&format!("the collector took {} spans", collector.0.load(Ordering::Relaxed)));
    if support::long() {
        let mut routers: Vec<Program> = routers.into_iter().map(|(_, router)| router).collect();
        long(&mut routers, &text).await;
    }
}

/// A router with tools, whose spans go to `endpoint`.
async fn start(folder: &Path, endpoint: Option<&str>) -> Program {
    std::fs::create_dir_all(folder).expect("a folder");
    let to = endpoint.map(|endpoint| ("TOOL_ROUTER__TELEMETRY__OTLP__ENDPOINT", endpoint));
    let variables: Vec<_> = to.into_iter().chain([("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "1")]).collect();
    let mut router = Program::start_with(&folder.join("router.db"), &variables).await;
    let (tools, _) = tools(TOOLS);
    register(&mut router.client, &tools).await;
    router
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The one without spans and the one whose collector is dead, for ten minutes.
async fn long(routers: &mut [Program], text: &impl Fn(usize) -> String) {
    let (started, mut i, mut told) = (Instant::now(), 0, 0);
    while started.elapsed() < LONG {
        for place in [0, DEAD] {
            select(&mut routers[place].client, &text(1_000_000 + i)).await;
        }
        i += 1;
        let minute = started.elapsed().as_secs() / 60;
        if told < minute {
            told = minute;
            let dead = &routers[DEAD];
            let lost = dead.metric("toolrouter_telemetry_spans_total{outcome=\"dropped\"}").await;
            let failed = dead.metric("toolrouter_telemetry_spans_total{outcome=\"failed\"}").await;
            let [plain, mib] = [&routers[0], dead].map(|router| router.resident() / (1 << 20));
            output::line(&format!(
                "after {minute} min and {i} selections: {plain} MiB resident without spans, {mib} MiB with a dead collector; \
                 {lost} spans dropped, {failed} failed"
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
