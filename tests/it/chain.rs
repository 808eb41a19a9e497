//! A turn of an agent as one trace: the example agent, its tool server and a router, each with spans of its own, at a collector of the test's.
//!
//! What is asserted is what a back end draws its picture from: parents, kinds, names, links, and the edges that follow from them.

use std::collections::BTreeSet;
use std::process::Stdio;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tool_router::rpc::proto::operations_client::OperationsClient;
use tool_router::rpc::proto::*;

use crate::support::collector::{Collector, Span};
use crate::support::program::{Program, free_port};
use crate::support::{left_out, repository};

const SELECT: &str = "toolrouter.v1.ToolRouter/SelectTools";
const REPORT: &str = "toolrouter.v1.ToolCalls/ReportOutcomes";

/// Runs the agent for two turns; gives what it printed.
async fn agent(packages: &str, router: &str, endpoint: &str) -> String {
    let client = repository().join("clients/python");
    let run = tokio::process::Command::new("python3")
        .arg(repository().join("examples/agent/agent.py"))
        .args(["--address", router, "--otlp", endpoint, "--turns", "2"])
        .env("PYTHONPATH", format!("{packages}:{}", client.display()))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = run.await.unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{complained}");
    said.into_owned()
}

/// Who calls whom, as Jaeger and Tempo draw it: the CLIENT span of one service with a SERVER span of another below it, and CLIENT spans with
/// nothing below them to whom they name.
fn edges(spans: &[Span]) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for client in spans.iter().filter(|span| span.kind == SpanKind::Client) {
        let server = spans.iter().find(|span| span.parent == client.span_id && span.kind == SpanKind::Server);
        let callee = server.map_or(client.get("service.peer.name"), |server| &server.service);
        edges.insert((client.service.clone(), callee.to_owned()));
    }
    edges
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "where the set-up put the agent's packages")]
async fn a_turn_is_one_trace_from_the_agent_to_its_tool() {
    let Ok(packages) = std::env::var("TOOL_ROUTER_AGENT_PACKAGES") else {
        left_out(
            "chain::a_turn_is_one_trace_from_the_agent_to_its_tool",
            "needs TOOL_ROUTER_AGENT_PACKAGES: tests/python_packages.sh examples/agent/requirements.txt DIR",
        );
        return;
    };
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start_with(free_port(), free_port(), &[], |command| {
        command.arg("--store").arg(folder.path().join("router.db"));
        command.env("TOOL_ROUTER__TELEMETRY__OTLP__ENDPOINT", collector.endpoint());
    });
    let said = agent(&packages, program.address.trim_start_matches("http://"), &collector.endpoint()).await;
    let trace_id =
        said.lines().next().and_then(|line| line.split("trace ").nth(1)).unwrap_or_else(|| panic!("{said}")).trim().to_owned();

    let whole = |spans: &[Span]| {
        let of_turn = || spans.iter().filter(|span| span.trace_id == trace_id);
        of_turn().any(|span| span.name == REPORT && span.service == "tool-router")
            && of_turn().any(|span| span.name.starts_with("invoke_agent"))
            && of_turn().any(|span| span.service == "example-weather")
    };
    let all = collector.until("the turn's trace", whole).await;
    let turn: Vec<Span> = all.iter().filter(|span| span.trace_id == trace_id).cloned().collect();
    let one = |service: &str, name: &str| {
        let found: Vec<&Span> = turn.iter().filter(|span| span.service == service && span.name == name).collect();
        assert_eq!(found.len(), 1, "{service}: {name} in {turn:#?}");
        found[0]
    };

    let root = one("example-agent", "invoke_agent planner");
    assert_eq!((root.parent.as_str(), root.kind), ("", SpanKind::Internal));
    assert_eq!((root.get("gen_ai.operation.name"), root.get("gen_ai.agent.name")), ("invoke_agent", "planner"));

    let asked = one("example-agent", SELECT);
    let selection = one("tool-router", SELECT);
    assert_eq!((&asked.parent, asked.kind), (&root.span_id, SpanKind::Client));
    assert_eq!((&selection.parent, selection.kind), (&asked.span_id, SpanKind::Server));
    assert_eq!((selection.get("gen_ai.agent.name"), selection.get("rpc.response.status_code")), ("planner", "OK"));
    assert_eq!((asked.get("service.peer.name"), asked.get("peer.service")), ("tool-router", "tool-router"));
    for stage in ["embed", "retrieve", "rank", "pack", "render"] {
        assert_eq!(one("tool-router", &format!("toolrouter.{stage}")).parent, selection.span_id, "{stage}");
    }

    let chat = one("example-agent", "chat stub-1");
    assert_eq!((&chat.parent, chat.get("gen_ai.operation.name")), (&root.span_id, "chat"));
    assert!(chat.get("gen_ai.usage.input_tokens").parse::<u64>().unwrap() > 0, "{chat:?}");
    let call = turn.iter().find(|span| span.name.starts_with("execute_tool")).unwrap();
    assert_eq!((&call.parent, call.kind, call.get("gen_ai.operation.name")), (&root.span_id, SpanKind::Client, "execute_tool"));
    assert_eq!((call.get("gen_ai.tool.name"), call.get("service.peer.name")), ("get-forecast", "example-weather"));
    let served = turn.iter().find(|span| span.service == "example-weather").unwrap();
    assert_eq!((&served.parent, served.kind), (&call.span_id, SpanKind::Server));

    let report = one("tool-router", REPORT);
    assert_eq!((&report.parent, report.kind), (&one("example-agent", REPORT).span_id, SpanKind::Server));
    assert_eq!(report.links, [selection.span_id.as_str()], "the report leads to its selection");

    let expected = [("example-agent", "tool-router"), ("example-agent", "example-weather"), ("tool-router", "sqlite")];
    let drawn = edges(&all);
    for (from, to) in expected {
        assert!(drawn.contains(&(from.to_owned(), to.to_owned())), "{from} -> {to} in {drawn:?}");
    }

    // What the router knows by itself agrees.
    let channel = tonic::transport::Channel::from_shared(program.address.clone()).unwrap().connect().await.unwrap();
    let mut operations = OperationsClient::new(channel);
    let map = operations.get_map(GetMapRequest {}).await.unwrap().into_inner();
    for (from, to, calls) in [
        ("agent:planner", "router", 2),
        ("agent:planner", "tool:example-weather/get-forecast", 1),
        ("agent:planner", "tool:example-units/convert_length", 1),
    ] {
        let edge = map
            .edges
            .iter()
            .find(|edge| edge.caller == from && edge.callee == to)
            .unwrap_or_else(|| panic!("{from} -> {to}: {map:#?}"));
        assert_eq!((edge.calls, edge.errors), (calls, 0), "{from} -> {to}");
    }
    assert!(map.edges.iter().any(|edge| edge.caller == "router" && edge.callee == "store" && 0 < edge.calls), "{map:#?}");
    drop(operations);
    tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
}
