//! What an operator is shown of a router, over gRPC and by the commands that draw it.

use std::process::Output;

use tonic::transport::Channel;
use tonic::{Code, Request};
use tool_router::rpc::proto::map_node::Kind;
use tool_router::rpc::proto::operations_client::OperationsClient;
use tool_router::rpc::proto::*;

use crate::support::program::run;
use crate::support::{TestRouter, query_request, tool};

async fn operations(router: &TestRouter) -> OperationsClient<Channel> {
    OperationsClient::new(Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect().await.unwrap())
}

fn from(agent: (&'static str, &'static str), query: &str) -> Request<SelectToolsRequest> {
    let mut request = Request::new(query_request(query));
    request.metadata_mut().insert(agent.0, agent.1.parse().unwrap());
    request
}

const PLANNER: (&str, &str) = ("baggage", "tenant=7,gen_ai.agent.name=trip%20planner");
const CRITIC: (&str, &str) = ("x-agent-name", "critic");
const NOBODY: (&str, &str) = ("x-agent-name", "<script>");

/// A router that has answered five selections of two agents and of nobody, one of them without a tool, refused one and failed one.
async fn busy() -> (TestRouter, Vec<SelectToolsResponse>) {
    let mut router = TestRouter::start().await;
    let tools = vec![tool("read_file", "Reads a file from disk."), tool("send_mail", "Sends a mail to somebody.")];
    router.register("npm/fs", tools).await;
    let mut answers = Vec::new();
    for (agent, query) in [(PLANNER, "read a file"), (PLANNER, "send a mail"), (CRITIC, "read a file"), (NOBODY, "read a file")] {
        answers.push(router.router.select_tools(from(agent, query)).await.unwrap().into_inner());
    }
    let mut nothing = from(CRITIC, "read a file");
    nothing.get_mut().scope = Some(Scope { sources: vec!["nobody".into()], ..Default::default() });
    answers.push(router.router.select_tools(nothing).await.unwrap().into_inner());
    router.router.select_tools(from(PLANNER, "")).await.unwrap_err();
    assert_eq!(failing(&mut router, CRITIC).await, Code::Unavailable);
    (router, answers)
}

/// A selection from a version that is never there, which is the router's fault as far as anyone can tell.
async fn failing(router: &mut TestRouter, agent: (&'static str, &'static str)) -> Code {
    let mut request = from(agent, "read a file");
    let version = router.version().await;
    request.get_mut().min_catalog_version = version.split_once('.').map(|(epoch, _)| format!("{epoch}.1000"));
    router.router.select_tools(request).await.unwrap_err().code()
}

#[tokio::test]
async fn status_says_what_was_done() {
    let (mut router, answers) = busy().await;
    let status = operations(&router).await.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    let usage = |of: fn(Usage) -> u64| answers.iter().filter_map(|answer| answer.usage).map(of).sum::<u64>();
    let (total, minute) = (status.total.unwrap(), status.last_minute.unwrap());
    for traffic in [total, minute] {
        assert_eq!((traffic.calls, traffic.errors, traffic.sheds, traffic.no_match), (7, 1, 0, 1), "{traffic:?}");
        assert_eq!(traffic.lexical, answers.iter().filter(|answer| answer.mode() == Mode::Lexical).count() as u64);
        assert_eq!(traffic.eligible_tokens, usage(|usage| usage.eligible_tokens));
        assert_eq!(traffic.returned_tokens, usage(|usage| u64::from(usage.returned_tokens)));
        assert_eq!(traffic.saved_tokens, usage(|usage| usage.saved_tokens));
        assert!(traffic.p50_micros <= traffic.p95_micros && traffic.p95_micros <= traffic.p99_micros, "{traffic:?}");
        assert!(0 < traffic.window_ms, "{traffic:?}");
    }
    let returned = |name: &str| answers.iter().flat_map(|answer| &answer.tools).filter(|tool| tool.tool == name).count() as u64;
    for traffic in &status.tools {
        let tool = traffic.tool.as_ref().unwrap();
        assert_eq!((tool.source.as_str(), traffic.returned, traffic.calls), ("npm/fs", returned(&tool.tool), 0));
    }
    assert_eq!(status.tools.len(), 2);
    assert_eq!((status.enabled_tools, status.disabled_tools), (2, 0));
    assert_eq!(status.catalog_version, router.version().await);
    assert_eq!((status.version.as_str(), status.model_id.starts_with("hashing")), (env!("CARGO_PKG_VERSION"), true));
    assert!(0 < status.started_at_ms && status.started_at_ms <= status.now_ms && !status.instance_id.is_empty());
    let store = status.store.unwrap();
    assert!(store.up && store.place.ends_with("router.db"), "{store:?}");
    let tenants: Vec<_> = status.tenants.iter().map(|t| (t.tenant.as_str(), t.returned_tokens, t.saved_tokens)).collect();
    assert_eq!(tenants, [("default", total.returned_tokens, total.saved_tokens)]);
    assert!(status.conditions.is_empty() && status.telemetry.is_some(), "too few calls to complain: {:?}", status.conditions);
}

#[tokio::test]
async fn the_map_names_agents_and_what_they_call() {
    let (router, _) = busy().await;
    let map = operations(&router).await.get_map(GetMapRequest {}).await.unwrap().into_inner();
    let nodes: Vec<_> = map.nodes.iter().map(|node| (node.kind(), node.id.as_str())).collect();
    assert_eq!(
        nodes,
        [
            (Kind::Agent, "agent:critic"),
            (Kind::Agent, "agent:trip planner"),
            (Kind::Agent, "agent:unknown"),
            (Kind::Router, "router"),
            (Kind::Store, "store"),
            (Kind::Tool, "tool:npm%2Ffs/read_file"),
            (Kind::Tool, "tool:npm%2Ffs/send_mail"),
        ]
    );
    let edges: Vec<_> = map.edges.iter().map(|edge| (edge.caller.as_str(), edge.callee.as_str())).collect();
    assert_eq!(
        edges,
        [("agent:critic", "router"), ("agent:trip planner", "router"), ("agent:unknown", "router"), ("router", "store")]
    );
    let (critic, planner) = (&map.edges[0], &map.edges[1]);
    assert_eq!((critic.calls, critic.errors), (3, 1), "{critic:?}");
    assert_eq!((planner.calls, planner.errors, planner.p95_micros.is_some()), (3, 0, true), "what it asked for is its own fault");
    // The window is told in whole milliseconds: of 39 it may have been nearly 40.
    let rate = |millis: u64| 3.0 * 1e3 / millis as f64;
    let possible = rate(map.window_ms + 1) * 0.99..=rate(map.window_ms.saturating_sub(1)) * 1.01;
    assert!(possible.contains(&planner.rate), "{planner:?} over {} ms", map.window_ms);
}

#[tokio::test]
async fn only_the_admin_token_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, token: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, token).unwrap();
        path
    };
    let (select, admin) = (file("select", "select-token-0123456789"), file("admin", "admin-token-0123456789"));
    let router = TestRouter::start_with(|config| {
        config.access.select_token_file = Some(select.clone());
        config.access.admin_token_file = Some(admin.clone());
    })
    .await;
    let mut operations = operations(&router).await;
    let with = |token: Option<&'static str>| {
        let mut request = Request::new(());
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    };
    for (token, expected) in [
        (None, Some(Code::Unauthenticated)),
        (Some("select-token-0123456789"), Some(Code::PermissionDenied)),
        (Some("admin-token-0123456789"), None),
    ] {
        let status = operations.get_status(with(token).map(|()| GetStatusRequest {})).await;
        let map = operations.get_map(with(token).map(|()| GetMapRequest {})).await;
        assert_eq!((status.err().map(|e| e.code()), map.err().map(|e| e.code())), (expected, expected), "{token:?}");
    }
    let (address, select) = (format!("http://{}", router.grpc), select.to_str().unwrap().to_owned());
    let refused = command(move || run(&["status", "--address", &address, "--token-file", &select])).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("needs the admin token"), "{refused:?}");
}

async fn command(work: impl FnOnce() -> Output + Send + 'static) -> Output {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Standard output of a command that should succeed.
async fn ok(router: &TestRouter, arguments: &[&str]) -> String {
    let address = format!("http://{}", router.grpc);
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).chain(["--address".into(), address]).collect();
    let output = command(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_commands_show_it() {
    let (router, _) = busy().await;
    let page = ok(&router, &["status", "--check"]).await;
    for words in ["last minute", "since start", "npm%2Ffs/read_file", "2 tools, 0 disabled", "all is well"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let status: serde_json::Value = serde_json::from_str(&ok(&router, &["status", "--json"]).await).unwrap();
    assert_eq!((&status["last_minute"]["no_match"], &status["enabled_tools"]), (&1.into(), &2.into()), "{status}");
    let picture = ok(&router, &["top", "--once", "--interval", "100ms"]).await;
    for words in ["0/s now", "Hottest tools", "npm%2Ffs/read_file", "all is well", " live"] {
        assert!(picture.contains(words), "{words}: {picture}");
    }
    let map: serde_json::Value = serde_json::from_str(&ok(&router, &["map"]).await).unwrap();
    assert_eq!(map["edges"][1]["caller"], "agent:trip planner", "{map}");
    let dot = ok(&router, &["map", "--format", "dot"]).await;
    assert!(dot.starts_with("digraph") && dot.contains("trip planner"), "{dot}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("map.svg");
    assert_eq!(ok(&router, &["map", "--format", "svg", "--output", file.to_str().unwrap()]).await, "");
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("trip planner") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[tokio::test]
async fn a_condition_of_the_worst_kind_fails_the_check() {
    let mut router = TestRouter::start().await;
    router.register("files", vec![tool("read_file", "Reads a file from disk.")]).await;
    for _ in 0..25 {
        failing(&mut router, CRITIC).await;
    }
    let address = format!("http://{}", router.grpc);
    let checked = command(move || run(&["status", "--check", "--address", &address])).await;
    let page = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(2), "{page}");
    let told = "ToolRouterAvailabilityFastBurn: 25 of 25 selections failed in the last minute (100 %)";
    assert!(page.contains(told) && String::from_utf8_lossy(&checked.stderr).contains("somebody has to look now"), "{page}");
    assert!(ok(&router, &["status"]).await.contains("page"), "without --check it is only told");
}

#[test]
fn nobody_there_and_no_terminal_are_said_plainly() {
    let words = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for arguments in [["status", "--check"], ["map", "--format=dot"], ["top", "--once"]] {
        let line = words(&[&arguments[..], &["--address", "http://127.0.0.1:1"]].concat());
        assert!(line.contains("no router answers at http://127.0.0.1:1"), "{line}");
    }
    assert!(words(&["top"]).contains("`tool-router status`"));
}
