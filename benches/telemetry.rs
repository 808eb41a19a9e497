//! What being watched costs: the same selections, in turn, from three routers that differ in where their spans go.
//!
//! One sends none, one sends those of every trace to a collector in this process, one sends them to an address where nobody listens. A fourth
//! is as the first: what differs between these two is what this bench cannot tell from nothing. Each request goes to all, in another order each
//! time, so that what else the machine does hits all alike; what is told is the median of the differences, and the ratio of the medians. With
//! `BENCH_LONG=1` the one without a listener goes on for ten minutes, and its memory is told.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use support::program::{Program, register, select};
use support::{ms, quantile, queries, ratio, tools};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tool_router::cli::output;

/// Requests that are measured, each with words of its own so that none is known.
const REQUESTS: usize = 3_000;
/// Requests before: connections, caches of the processor.
const WARM_UP: usize = 200;
/// Tools that are selected from.
const TOOLS: usize = 500;
/// How long the router without a listener goes on.
const LONG: Duration = Duration::from_secs(600);
/// Where nothing listens.
const NOBODY: &str = "http://127.0.0.1:9";
/// Between two of its requests then.
const PAUSE: Duration = Duration::from_millis(5);

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
    let endpoint = "TOOL_ROUTER__TELEMETRY__OTLP__ENDPOINT";
    let all = ("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "1");
    let folder = tempfile::tempdir().expect("a folder");
    let mut routers = Vec::new();
    for (name, variables) in [
        ("none", vec![]),
        ("live", vec![(endpoint, live.as_str()), all]),
        ("dead", vec![(endpoint, NOBODY), all]),
        ("same", vec![]),
    ] {
        let mut router = Program::start_with(&folder.path().join(name), &variables).await;
        let (tools, _) = tools(TOOLS);
        register(&mut router.client, &tools).await;
        routers.push((name, router, Vec::new()));
    }
    let texts = queries();
    let text = |i: usize| format!("{} {i}", texts[i % texts.len()]);
    let mut differences = [Vec::new(), Vec::new(), Vec::new()];
    for i in 0..WARM_UP + REQUESTS {
        let mut took = [Duration::ZERO; 4];
        for turn in 0..routers.len() {
            let place = (i + turn) % routers.len();
            took[place] = select(&mut routers[place].1.client, &text(i)).await.0;
        }
        if WARM_UP <= i {
            routers.iter_mut().zip(took).for_each(|((_, _, all), took)| all.push(took));
            for (kind, difference) in differences.iter_mut().enumerate() {
                difference.push(took[kind + 1].as_secs_f64() - took[0].as_secs_f64());
            }
        }
    }
    let plain = quantile(&routers[0].2, 0.5);
    output::line(&format!("{REQUESTS} selections from {TOOLS} tools, each from four routers in turn"));
    output::line(&format!("no spans: median {} ms", ms(plain)));
    for (kind, word) in [(1, "every trace to a live collector"), (2, "every trace to nobody"), (3, "no spans, a second router")] {
        let median = quantile(&routers[kind].2, 0.5);
        let difference = &mut differences[kind - 1];
        difference.sort_by(f64::total_cmp);
        let middle = difference[difference.len() / 2];
        output::line(&format!(
            "{word}: median {} ms, ratio {}; median of the differences {:+.1} us, {:+.2} % of the plain median",
            ms(median),
            ratio(median, plain),
            middle * 1e6,
            100.0 * middle / plain.as_secs_f64()
        ));
    }
    output::line(&format!("the collector took {} spans", collector.0.load(Ordering::Relaxed)));
    if support::long() {
        long(&mut routers[2].1, &text).await;
    }
}

/// The router whose collector is dead, for ten minutes.
async fn long(router: &mut Program, text: &impl Fn(usize) -> String) {
    let (started, mut i, mut told) = (Instant::now(), 0, 0);
    while started.elapsed() < LONG {
        select(&mut router.client, &text(1_000_000 + i)).await;
        i += 1;
        let minute = started.elapsed().as_secs() / 60;
        if told < minute {
            told = minute;
            let lost = router.metric("toolrouter_telemetry_spans_total{outcome=\"dropped\"}").await;
            let failed = router.metric("toolrouter_telemetry_spans_total{outcome=\"failed\"}").await;
            let mib = router.resident() / (1 << 20);
            output::line(&format!(
                "after {minute} min: {i} selections, {mib} MiB resident, {lost} spans dropped, {failed} failed"
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
