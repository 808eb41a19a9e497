//! Spans as a collector gets them: whole, named as the conventions have it, sampled as configured, and never in anybody's way.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::transport::Channel;
use tool_router::rpc::proto::tool_catalog_client::ToolCatalogClient;
use tool_router::rpc::proto::tool_router_client::ToolRouterClient;
use tool_router::rpc::proto::*;

use crate::support::collector::{Collector, Span};
use crate::support::program::{Program, free_port};
use crate::support::{query_request, tool};

const SELECT: &str = "toolrouter.v1.ToolRouter/SelectTools";
const REGISTER: &str = "toolrouter.v1.ToolCatalog/RegisterTools";

/// The real program, since there is one subscriber for a process, with some variables and a store of its own.
struct Stage {
    program: Program,
    channel: Channel,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn start(endpoint: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("router.db");
        let log = std::fs::File::create(folder.path().join("log.json")).unwrap();
        let program = Program::start_with(free_port(), free_port(), &[], |command| {
            command.arg("--store").arg(&store).stderr(log);
            command.env("TOOL_ROUTER__TELEMETRY__OTLP__ENDPOINT", endpoint);
            command.envs(variables.iter().copied());
        });
        let channel = Channel::from_shared(program.address.clone()).unwrap().connect().await.unwrap();
        Self { program, channel, folder }
    }

    fn router(&self) -> ToolRouterClient<Channel> {
        ToolRouterClient::new(self.channel.clone())
    }

    /// Gives the version after it.
    async fn register(&self, tools: Vec<ToolDefinition>) -> String {
        let request = RegisterToolsRequest { source: "s".into(), tools, ..Default::default() };
        ToolCatalogClient::new(self.channel.clone()).register_tools(request).await.unwrap().into_inner().catalog_version
    }

    /// On a thread of its own: the client has to hear that the connection ends.
    async fn stop(self) {
        let Self { program, channel, folder } = self;
        drop(channel);
        tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
        drop(folder);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.json")).unwrap()
    }
}

fn traced<T>(message: T, trace: u128, sampled: bool) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let traceparent = format!("00-{trace:032x}-00000000000000aa-{:02x}", u8::from(sampled));
    request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
    request
}

fn of(spans: &[Span], trace: u128) -> Vec<&Span> {
    let id = format!("{trace:032x}");
    spans.iter().filter(|span| span.trace_id == id).collect()
}

#[tokio::test]
async fn a_selection_and_a_registration_as_spans() {
    let collector = Collector::start().await;
    let stage = Stage::start(&collector.endpoint(), &[("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "0")]).await;
    let tools = vec![tool("read", "Reads a SECRET file."), tool("write", "Writes a file.")];
    let request = RegisterToolsRequest { source: "s".into(), tools, ..Default::default() };
    ToolCatalogClient::new(stage.channel.clone()).register_tools(traced(request, 1, true)).await.unwrap();
    let continuity = Some(Continuity { session_id: "session-7".into(), ..Default::default() });
    let request = traced(SelectToolsRequest { continuity, ..query_request("read a SECRET file") }, 2, true);
    let meta = stage.router().select_tools(request).await.unwrap().into_inner().meta.unwrap();

    let spans = collector.until("both traces", |spans| 5 <= of(spans, 1).len() && 6 <= of(spans, 2).len()).await;
    let selection = of(&spans, 2);
    let root = selection.iter().find(|span| span.name == SELECT).unwrap();
    assert_eq!((root.kind, root.parent.as_str(), root.service.as_str()), (SpanKind::Server, "00000000000000aa", "tool-router"));
    for (name, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", SELECT),
        ("rpc.response.status_code", "OK"),
        ("server.address", "127.0.0.1"),
        ("gen_ai.conversation.id", "session-7"),
        ("toolrouter.mode", "semantic"),
        ("toolrouter.cache", "miss"),
        ("toolrouter.engine", "exact"),
        ("toolrouter.returned", "2"),
        ("toolrouter.selection.id", &meta.selection_id),
    ] {
        assert_eq!(root.get(name), value, "{name} of {root:?}");
    }
    assert_eq!(meta.traceparent, format!("00-{:032x}-{}-01", 2, root.span_id));
    assert!(!root.is_error && root.get("error.type").is_empty());
    assert!(!root.names().contains(&"trace_id"), "a span has ids of its own");
    let parts: Vec<&str> = selection.iter().filter(|span| span.parent == root.span_id).map(|span| span.name.as_str()).collect();
    for stage in ["embed", "retrieve", "rank", "pack", "render"] {
        assert!(parts.contains(&format!("toolrouter.{stage}").as_str()), "{stage} in {parts:?}");
    }
    assert!(selection.iter().filter(|span| span.parent == root.span_id).all(|span| span.took <= root.took));
    let embed = selection.iter().find(|span| span.name == "toolrouter.embed").unwrap();
    assert_eq!(embed.get("gen_ai.operation.name"), "embeddings");
    assert_eq!((embed.get("gen_ai.request.model"), embed.get("gen_ai.embeddings.dimension.count")), ("hashing-256@1", "256"));

    let registration = of(&spans, 1);
    let by_name = |name: &str| *registration.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}"));
    let (root, publish, apply) = (by_name(REGISTER), by_name("toolrouter.publish"), by_name("apply"));
    assert_eq!((publish.parent.as_str(), apply.parent.as_str()), (root.span_id.as_str(), publish.span_id.as_str()));
    assert_eq!((apply.kind, by_name("toolrouter.embed").parent.as_str()), (SpanKind::Client, root.span_id.as_str()));
    for (name, value) in [
        ("db.system.name", "sqlite"),
        ("db.operation.name", "apply"),
        ("db.namespace", "router.db"),
        ("service.peer.name", "sqlite"),
        ("peer.service", "sqlite"),
    ] {
        assert_eq!(apply.get(name), value, "{name}");
    }

    // Neither what is asked nor what is registered is anybody's to see.
    assert!(!spans.iter().any(|span| span.holds("SECRET")), "{spans:#?}");

    // The log says the same of the same call, on one line.
    let log = stage.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["rpc.method"] == SELECT)
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(!log.contains("SECRET"), "{log}");
    let line = &lines[0];
    assert_eq!((&line["trace_id"], &line["trace_flags"]), (&format!("{:032x}", 2).into(), &"01".into()));
    assert_eq!((&line["toolrouter.selection.id"], &line["toolrouter.returned"]), (&meta.selection_id.clone().into(), &2.into()));
    assert!(!line["service.instance.id"].as_str().unwrap().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn of_a_thousand_calls_the_ten_that_fail_come_whole_and_about_one_in_a_hundred_of_the_rest() {
    let collector = Collector::start().await;
    let variables = [("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "0.01"), ("TOOL_ROUTER__TELEMETRY__SLOW_MS", "60000")];
    let stage = Stage::start(&collector.endpoint(), &variables).await;
    let version = stage.register(vec![tool("read", "Reads a file."), tool("write", "Writes a file.")]).await;
    // One that will not come: a fault of the service's, as the caller must see it.
    let never = format!("{}.999", version.split('.').next().unwrap());
    let mut router = stage.router();
    let mut failing = Vec::new();
    for i in 0..1_000 {
        let mut request = tonic::Request::new(query_request(&format!("read file {i}")));
        let fails = i % 100 == 50;
        if fails {
            request.get_mut().min_catalog_version = Some(never.clone());
            request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
        }
        let answer = router.select_tools(request).await;
        if fails {
            failing.push(answer.unwrap_err().code());
        } else {
            answer.unwrap();
        }
    }
    assert_eq!(failing, [tonic::Code::Unavailable; 10]);
    let errors = |spans: &[Span]| spans.iter().filter(|span| span.get("sampling.reason") == "error").count();
    let spans = collector.until("the ten that failed", |spans| 10 <= errors(spans)).await;
    assert_eq!(errors(&spans), 10);
    let roots: Vec<&Span> = spans.iter().filter(|span| span.name == SELECT).collect();
    let sampled = roots.iter().filter(|span| span.get("sampling.reason").is_empty()).count();
    // 990 at 1 %: 9.9 expected, sd 3.1. Outside of 0 to 27 about once in a million runs; at least one comes but for 5 in 100,000.
    assert!((1..=27).contains(&sampled), "{sampled} of 990 at 1 %");
    for root in roots.iter().filter(|span| span.get("sampling.reason").is_empty()) {
        let parts = spans.iter().filter(|span| span.parent == root.span_id).count();
        assert!(5 <= parts, "a sampled trace is whole: {parts} parts");
    }
    stage.stop().await;
}

#[tokio::test]
async fn what_callers_send_as_context_does_no_harm() {
    let collector = Collector::start().await;
    let stage = Stage::start(&collector.endpoint(), &[("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "1")]).await;
    stage.register(vec![tool("read", "Reads a file.")]).await;
    let good = format!("00-{:032x}-00000000000000aa-01", 9);
    let cases = [
        ("garbage", String::new()),
        ("00-00000000000000000000000000000000-0000000000000000-01", String::new()),
        ("ff-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff", String::new()),
        (good.as_str(), format!("a={}", "x".repeat(10_000))),
        (good.as_str(), "=,=,,,=".to_owned()),
    ];
    for (traceparent, tracestate) in cases {
        let mut request = tonic::Request::new(query_request("read a file"));
        request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
        request.metadata_mut().insert("tracestate", tracestate.parse().unwrap());
        stage.router().select_tools(request).await.unwrap();
    }
    let spans = collector.until("five selections", |spans| spans.iter().filter(|span| span.name == SELECT).count() == 5).await;
    assert_eq!(of(&spans, 9).iter().filter(|span| span.name == SELECT).count(), 2, "the good ones are followed");
    stage.stop().await;
}

#[tokio::test]
async fn a_collector_that_is_down_slow_or_silent_holds_up_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = Collector::start_slow(Duration::from_secs(30)).await;
    let endpoints = ["http://127.0.0.1:9".to_owned(), format!("http://{}", silent.local_addr().unwrap()), slow.endpoint()];
    for endpoint in endpoints {
        let variables = [("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "1"), ("TOOL_ROUTER__TELEMETRY__OTLP__TIMEOUT_MS", "200")];
        let stage = Stage::start(&endpoint, &variables).await;
        stage.register(vec![tool("read", "Reads a file.")]).await;
        let mut router = stage.router();
        for i in 0..800 {
            router.select_tools(query_request(&format!("read file {i}"))).await.unwrap();
        }
        // What did not fit is counted, and what was tried as well.
        let lost = async || {
            let metrics = crate::support::http_get(stage.program.http, "/metrics").await.1;
            let of = |outcome: &str| {
                let line = format!("toolrouter_telemetry_spans_total{{outcome=\"{outcome}\"}} ");
                metrics.lines().find_map(|l| l.strip_prefix(&line)?.parse::<u64>().ok()).unwrap_or(0)
            };
            of("dropped") + of("failed")
        };
        let started = Instant::now();
        while lost().await == 0 {
            assert!(started.elapsed() < Duration::from_secs(10), "{endpoint}: nothing is counted as lost");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let stopping = Instant::now();
        stage.stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(8), "{endpoint}: it ends in time");
    }
}

#[tokio::test]
async fn headers_go_along_and_metrics_are_pushed() {
    let collector = Collector::start().await;
    let headers = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(headers.path(), "Api-Key: of the vendor\n").unwrap();
    let variables = [
        ("TOOL_ROUTER__TELEMETRY__SAMPLE_RATIO", "1"),
        ("TOOL_ROUTER__TELEMETRY__OTLP__HEADERS_FILE", headers.path().to_str().unwrap()),
        ("TOOL_ROUTER__TELEMETRY__OTLP__METRICS", "true"),
        ("TOOL_ROUTER__TELEMETRY__OTLP__METRICS_INTERVAL_MS", "1000"),
    ];
    let stage = Stage::start(&collector.endpoint(), &variables).await;
    stage.register(vec![tool("read", "Reads a file.")]).await;
    stage.router().select_tools(query_request("read a file")).await.unwrap();
    collector.until("spans", |spans| !spans.is_empty()).await;
    assert!(collector.headers().contains(&"api-key: of the vendor".to_owned()), "{:?}", collector.headers());
    let started = Instant::now();
    while !collector.metrics().iter().any(|name| name == "toolrouter.selections") {
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", collector.metrics());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.stop().await;
}
