//! What became of the tools: reports are counted, survive restarts, add up over routers, and whatever is reported nothing grows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::transport::Channel;
use tonic::{Code, Request};
use tool_router::config::Config;
use tool_router::outcomes::{Outcome as Went, ToolMinute};
use tool_router::rpc::proto::tool_calls_client::ToolCallsClient;
use tool_router::rpc::proto::*;
use tool_router::store::Store;
use tool_router::store::place::Place;
use tool_router::tool::TenantId;

use crate::support::replicas::{server, shared};
use crate::support::{TestRouter, assert_violation, http_get, query_request, tool};

/// Longest wait for a flush whose pace is a second.
const SOON: Duration = Duration::from_secs(20);

async fn router() -> TestRouter {
    let mut router = TestRouter::start().await;
    router.register("files", vec![tool("read", "Reads a file."), tool("write", "Writes a file.")]).await;
    router
}

fn calls(router: &TestRouter) -> ToolCallsClient<Channel> {
    ToolCallsClient::new(Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect_lazy())
}

fn called(name: &str) -> ToolOutcome {
    let tool = Some(ToolRef { source: "files".into(), tool: name.into() });
    ToolOutcome { tool, outcome: Outcome::Ok.into(), ..Default::default() }
}

async fn report(router: &TestRouter, outcomes: Vec<ToolOutcome>) -> ReportOutcomesResponse {
    calls(router).report_outcomes(ReportOutcomesRequest { outcomes }).await.unwrap().into_inner()
}

fn taken(accepted: u32, duplicates: u32, unknown_selections: u32) -> ReportOutcomesResponse {
    ReportOutcomesResponse { accepted, duplicates, unknown_selections, refused: Vec::new() }
}

async fn rows(store: &dyn Store) -> Vec<ToolMinute> {
    store.minutes(&TenantId::default(), 0..u64::MAX).await.unwrap()
}

/// Everything stored of a tool: how often it was returned, its calls, and those that timed out.
async fn stored(store: &dyn Store, name: &str) -> (u64, u64, u64) {
    let rows = rows(store).await;
    let of = rows.iter().filter(|row| row.tool.source() == "files" && row.tool.name() == name);
    of.fold((0, 0, 0), |sum, row| {
        let tally = &row.tally;
        (sum.0 + tally.returned, sum.1 + tally.calls(), sum.2 + tally.ended(Went::Timeout))
    })
}

/// The store of a router that was stopped.
async fn left(config: &Config) -> Arc<dyn Store> {
    config.store_place().unwrap().open().await.unwrap()
}

#[tokio::test]
async fn what_is_reported_is_there_after_a_restart_and_adds_up() {
    let mut router = router().await;
    let answer = router.select("read a file").await;
    let meta = answer.meta.unwrap();
    assert_eq!(answer.tools[0].tool, "read");
    let one = ToolOutcome {
        selection_id: meta.selection_id.clone(),
        latency_ms: Some(12.5),
        input_tokens: Some(900),
        output_tokens: Some(40),
        call_id: "call_1".into(),
        ..called("read")
    };
    let late = ToolOutcome {
        outcome: Outcome::Timeout.into(),
        error_class: "read_timeout".into(),
        model_name: "read".into(),
        tool: None,
        call_id: "call_2".into(),
        ..one.clone()
    };
    assert_eq!(report(&router, vec![one.clone(), late]).await, taken(2, 0, 0));
    assert_eq!(report(&router, vec![one.clone(), one.clone()]).await, taken(0, 2, 0), "a client that got no answer");
    let elsewhere = ToolOutcome { selection_id: "f".repeat(32), place: Some(2), ..one };
    assert_eq!(report(&router, vec![elsewhere, called("write")]).await, taken(2, 0, 1));
    let metrics = http_get(router.http, "/metrics").await.1;
    for line in [
        "toolrouter_outcomes_total{outcome=\"ok\"} 3",
        "toolrouter_outcomes_total{outcome=\"timeout\"} 1",
        "toolrouter_outcomes_refused_total{reason=\"duplicate\"} 2",
        "toolrouter_tool_failures_total{error_type=\"read_timeout\",source=\"files\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }

    let router = router.restart().await;
    assert_eq!(report(&router, vec![called("read")]).await, taken(1, 0, 0));
    let (config, _folder) = router.stop().await;
    let store = left(&config).await;
    assert_eq!(stored(store.as_ref(), "read").await, (1, 4, 1));
    assert_eq!(stored(store.as_ref(), "write").await.1, 1);
    let tokens: u64 = rows(store.as_ref()).await.iter().map(|row| row.tally.input_tokens).sum();
    let latencies: u64 = rows(store.as_ref()).await.iter().map(|row| row.tally.latency_micros).sum();
    assert_eq!((tokens, latencies), (3 * 900, 3 * 12_500));
}

#[tokio::test]
async fn each_outcome_is_refused_by_itself() {
    let router = router().await;
    let bad = |change: fn(&mut ToolOutcome)| {
        let mut outcome = called("read");
        change(&mut outcome);
        outcome
    };
    let cases = [
        (bad(|o| o.tool = None), "tool", "is missing, and so is model_name"),
        (bad(|o| o.model_name = "read".into()), "model_name", "stands beside tool: give one of them"),
        (bad(|o| o.tool = Some(ToolRef::default())), "tool.source", "is empty"),
        (called("no_such"), "tool", "tool files/no_such is not registered"),
        (bad(|o| (o.tool, o.model_name) = (None, "no_such".into())), "model_name", "no tool has the model name \"no_such\""),
        (bad(|o| o.outcome = 0), "outcome", "is not said: it must be OK, ERROR, TIMEOUT, CANCELLED or REJECTED"),
        (bad(|o| o.outcome = 99), "outcome", "99 is not a value this service knows"),
        (bad(|o| o.latency_ms = Some(f64::NAN)), "latency_ms", "is NaN, it must be 0 to 86400000"),
        (bad(|o| o.latency_ms = Some(-0.1)), "latency_ms", "is -0.1, it must be 0 to 86400000"),
        (bad(|o| o.input_tokens = Some(u64::MAX)), "input_tokens", "is 18446744073709551615, the limit is 100000000"),
        (bad(|o| o.output_tokens = Some(1 << 40)), "output_tokens", "is 1099511627776, the limit is 100000000"),
        (bad(|o| o.place = Some(0)), "place", "is 0, it must be 1 to 1000"),
        (bad(|o| o.error_class = "<script>".into()), "error_class", "is \"<script>\", it may hold"),
        (bad(|o| o.error_class = "x".repeat(65)), "error_class", "has 65 bytes, the limit is 64"),
        (bad(|o| o.call_id = "x".repeat(129)), "call_id", "has 129 bytes, the limit is 128"),
        (bad(|o| o.selection_id = "x".repeat(65)), "selection_id", "has 65 bytes, the limit is 64"),
    ];
    // Between good ones, which count all the same; and a trace that is garbage refuses nothing.
    let traced = ToolOutcome { selection_traceparent: "00-garbage".into(), ..called("write") };
    let outcomes = cases.iter().flat_map(|(outcome, ..)| [traced.clone(), outcome.clone()]).collect();
    let answer = report(&router, outcomes).await;
    assert_eq!((answer.accepted as usize, answer.refused.len()), (cases.len(), cases.len()));
    for (i, ((_, field, words), refused)) in cases.iter().zip(&answer.refused).enumerate() {
        assert_eq!((refused.index as usize, refused.field.as_str()), (2 * i + 1, *field), "{refused:?}");
        assert!(refused.detail.contains(words), "{words:?}: {refused:?}");
    }
    let metrics = http_get(router.http, "/metrics").await.1;
    assert!(metrics.contains("toolrouter_outcomes_refused_total{reason=\"unknown_tool\"} 2"), "{metrics}");
    assert!(metrics.contains("toolrouter_outcomes_refused_total{reason=\"invalid\"} 14"), "{metrics}");

    let mut calls = calls(&router);
    let none = calls.report_outcomes(ReportOutcomesRequest::default()).await;
    assert_violation(none, "outcomes", "is empty: report at least one");
    let many = calls.report_outcomes(ReportOutcomesRequest { outcomes: vec![called("read"); 501] }).await;
    assert_violation(many, "outcomes", "has 501 entries, the limit is 500");
}

#[tokio::test]
async fn a_disabled_tool_counts_and_one_that_is_gone_does_not() {
    let mut router = router().await;
    let state = SetToolStateRequest {
        source: "files".into(),
        tools: vec!["read".into()],
        state: ToolState::Disabled.into(),
        ..Default::default()
    };
    router.catalog.set_tool_state(state).await.unwrap();
    let gone = UnregisterToolsRequest { source: "files".into(), tools: vec!["write".into()], ..Default::default() };
    router.catalog.unregister_tools(gone).await.unwrap();
    let answer = report(&router, vec![called("read"), called("write")]).await;
    assert_eq!((answer.accepted, answer.refused.len(), answer.refused[0].index), (1, 1, 1));
}

#[tokio::test]
async fn a_flood_of_names_makes_nothing_grow() {
    let router = router().await;
    let mut calls = calls(&router);
    let before = http_get(router.http, "/metrics").await.1.lines().count();
    for batch in 0..100 {
        let name = |i: usize| ToolOutcome {
            selection_id: format!("{:032x}", batch * 500 + i),
            call_id: format!("call-{batch}-{i}"),
            ..called(&format!("tool-{batch}-{i}"))
        };
        let outcomes = (0..500).map(name).collect();
        let answer = calls.report_outcomes(ReportOutcomesRequest { outcomes }).await.unwrap().into_inner();
        assert_eq!((answer.accepted, answer.refused.len()), (0, 500));
    }
    let metrics = http_get(router.http, "/metrics").await.1;
    assert!(metrics.contains("toolrouter_outcomes_refused_total{reason=\"unknown_tool\"} 50000"), "{metrics}");
    // One counter, and a histogram of the new method.
    assert!(metrics.lines().count() < before + 40, "{metrics}");
    let (config, _folder) = router.stop().await;
    assert!(rows(left(&config).await.as_ref()).await.is_empty());
}

#[tokio::test]
async fn kinds_of_failure_beyond_the_first_share_a_name() {
    let router = router().await;
    let failed = |i: usize| ToolOutcome { outcome: Outcome::Error.into(), error_class: format!("class_{i}"), ..called("read") };
    assert_eq!(report(&router, (0..500).map(failed).collect()).await, taken(500, 0, 0));
    let metrics = http_get(router.http, "/metrics").await.1;
    assert_eq!(metrics.lines().filter(|line| line.starts_with("toolrouter_tool_failures_total{")).count(), 301, "{metrics}");
    let rest = "toolrouter_tool_failures_total{error_type=\"_OTHER\",source=\"_OTHER\"} 200";
    assert!(metrics.contains(rest), "{metrics}");
}

#[tokio::test]
async fn tools_that_a_caller_brings_are_not_counted_and_nothing_is_kept_for_no_days() {
    let mut router = router().await;
    let offered = |i: usize| OfferedTool { source: "own".into(), definition: Some(tool(&format!("t{i}"), "Reads a file.")) };
    let ranked = RankToolsRequest { query: "read a file".into(), tools: (0..50).map(offered).collect(), ..Default::default() };
    let selection = router.router.rank_tools(ranked).await.unwrap().into_inner().selection.unwrap();
    assert!(!selection.tools.is_empty());
    let known = ToolOutcome { selection_id: selection.meta.unwrap().selection_id, ..called("read") };
    assert_eq!(report(&router, vec![known]).await, taken(1, 0, 0), "the selection itself is remembered");
    let router = router.restart_with(|config| config.outcomes.keep_days = 0).await;
    assert_eq!(report(&router, vec![called("write")]).await, taken(1, 0, 0));
    let (mut config, _folder) = router.stop().await;
    config.outcomes.keep_days = 30;
    assert!(rows(left(&config).await.as_ref()).await.is_empty(), "what was there went, and nothing came");
}

#[tokio::test]
async fn the_answer_carries_a_traceparent_and_a_caller_with_any_name_is_served() {
    let mut router = router().await;
    for name in ["planner", "", "a b c", "\"><script>", &"x".repeat(4_000)] {
        let mut request = Request::new(query_request("read a file"));
        request.metadata_mut().insert("x-agent-name", name.parse().unwrap());
        request.metadata_mut().insert("baggage", "gen_ai.agent.name=%E2%82%AC,=,;;;".parse().unwrap());
        let meta = router.router.select_tools(request).await.unwrap().into_inner().meta.unwrap();
        let parts: Vec<&str> = meta.traceparent.split('-').collect();
        assert!(parts.len() == 4 && parts[0] == "00" && parts[1] == meta.trace_id && parts[2].len() == 16, "{meta:?}");
    }
}

/// Waits until a tool has so many calls in the store.
async fn until_stored(place: &Place, name: &str, calls: u64) {
    let (store, begun) = (place.open().await.unwrap(), Instant::now());
    loop {
        let now = stored(store.as_ref(), name).await.1;
        assert!(now <= calls, "{name} has {now} calls and not {calls}");
        if now == calls {
            return store.close().await;
        }
        assert!(begun.elapsed() < SOON, "{name} has {now} calls and not {calls} after {SOON:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn replicas_add_up_in_one_database_which_may_go_away_and_come_back() {
    let test = "outcomes::replicas_add_up_in_one_database_which_may_go_away_and_come_back";
    let Some(mut server) = server(test).await else { return };
    let url = server.database();
    let often = |config: &mut Config| {
        shared(config, &url);
        config.outcomes.flush_s = 1;
    };
    let mut one = TestRouter::start_with(often).await;
    one.register("files", vec![tool("read", "Reads a file.")]).await;
    let other = TestRouter::start_with(often).await;
    let selection_id = one.select("read a file").await.meta.unwrap().selection_id;
    let cited = ToolOutcome { selection_id, ..called("read") };
    assert_eq!(report(&one, vec![cited.clone(); 3]).await, taken(3, 0, 0));
    assert_eq!(report(&other, vec![cited; 4]).await, taken(4, 0, 4), "another's selection is unknown and counts");
    let place = Place::parse(&url).unwrap();
    until_stored(&place, "read", 7).await;

    server.kill();
    for _ in 0..3 {
        assert_eq!(report(&one, vec![called("read"); 10]).await.accepted, 10, "reports need no store");
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    server.restart();
    until_stored(&place, "read", 37).await;

    // What is stopped writes its last; what is stopped while nobody answers says that it could not.
    report(&one, vec![called("read"); 5]).await;
    one.stop().await;
    until_stored(&place, "read", 42).await;
    report(&other, vec![called("read"); 5]).await;
    server.freeze();
    let begun = Instant::now();
    other.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "a stop waits for no store: {:?}", begun.elapsed());
    server.thaw();
}

#[tokio::test]
async fn reporting_needs_the_select_token_and_no_more() {
    use tonic::metadata::MetadataValue;
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, token: &str| {
        std::fs::write(files.path().join(name), token).unwrap();
        Some(files.path().join(name))
    };
    let (select, admin) = (file("select", "select-select-select"), file("admin", "admin-admin-admin-admin"));
    let router = TestRouter::start_with(|config| {
        (config.access.select_token_file, config.access.admin_token_file) = (select, admin);
    })
    .await;
    let code = async |token: &str| {
        let mut request = Request::new(ReportOutcomesRequest { outcomes: vec![called("read")] });
        if !token.is_empty() {
            let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        calls(&router).report_outcomes(request).await.map_or_else(|status| status.code(), |_| Code::Ok)
    };
    assert_eq!(code("").await, Code::Unauthenticated);
    assert_eq!(code("select-select-select").await, Code::Ok);
}
