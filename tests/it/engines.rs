//! Which engine answers, what is remembered, and that neither changes what an answer says.

use std::time::Duration;

use prost::Message;
use tonic::transport::Channel;
use tool_router::config::Engine;
use tool_router::rpc::proto::tool_router_client::ToolRouterClient;
use tool_router::rpc::proto::*;

use crate::support::program::Program;
use crate::support::{TestRouter, bundled, cleared, http_get, names, query_request, tool};

/// Tools about a few dozen things, all different.
fn many(range: std::ops::Range<usize>) -> Vec<ToolDefinition> {
    const VERBS: [&str; 7] = ["reads", "writes", "lists", "deletes", "copies", "checks", "prints"];
    const THINGS: [&str; 11] =
        ["invoice", "letter", "photo", "ticket", "route", "forecast", "contract", "playlist", "recipe", "meeting", "parcel"];
    let one = |i: usize| {
        let (verb, thing) = (VERBS[i % VERBS.len()], THINGS[i % THINGS.len()]);
        tool(&format!("{verb}_{thing}_{i}"), &format!("{verb} one {thing} of shelf {} in room {}.", i % 23, i % 31))
    };
    range.map(one).collect()
}

async fn metric(router: &TestRouter, name: &str) -> f64 {
    let text = http_get(router.http, "/metrics").await.1;
    let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    // Graphs are built at low priority: beside other tests on a small machine that takes its time.
    for _ in 0..18_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within three minutes");
}

fn engine(answer: &SelectToolsResponse) -> String {
    answer.meta.as_ref().unwrap().engine.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graph_takes_over_in_the_background_and_says_what_the_scan_says() {
    let mut exact = TestRouter::start_with(|config| config.index.engine = Engine::Exact).await;
    let with_graph = |config: &mut tool_router::config::Config| {
        config.index.engine = Engine::Hnsw;
        config.index.shadow_every = 1;
    };
    let mut graph = TestRouter::start_with(with_graph).await;
    for router in [&mut exact, &mut graph] {
        for start in (0..900).step_by(300) {
            router.register("shelves", many(start..start + 300)).await;
        }
    }
    until("the graph is there", async || metric(&graph, "toolrouter_index_graph_tools").await >= 600.0).await;
    // What comes after the graph is found beside it, what goes is gone.
    let late = [vec![tool("polish_gemstone", "Polishes a gemstone.")], many(3..4)].concat();
    for router in [&mut exact, &mut graph] {
        router.register("late", late.clone()).await;
        let names = vec!["reads_photo_112".into(), "reads_invoice_0".into()];
        let request = UnregisterToolsRequest { source: "shelves".into(), tools: names, ..Default::default() };
        router.catalog.unregister_tools(request).await.unwrap();
    }
    let (mut same, mut all) = (0, 0);
    for query in [
        "copies the playlist",
        "a letter of shelf 3",
        "print my recipe please",
        "room 30",
        "polish the gemstone",
        "reads_photo_112",
    ] {
        let (by_scan, by_graph) = (exact.select(query).await, graph.select(query).await);
        assert_eq!((engine(&by_scan).as_str(), engine(&by_graph).as_str()), ("exact", "hnsw"));
        let (by_scan, by_graph) = (names(&by_scan), names(&by_graph));
        assert_eq!(by_scan[0], by_graph[0], "{query}");
        assert!(!by_graph.contains(&"shelves/reads_photo_112".to_owned()));
        same += by_graph.iter().filter(|name| by_scan.contains(name)).count();
        all += by_scan.len();
    }
    assert!(all * 9 <= same * 10, "{same} of {all} tools are the same");
    // A scope or a question about a tool is for the scan.
    let scope = Scope { sources: vec!["late".into()], ..Default::default() };
    let scoped = graph.select_with("gemstone", |request| request.scope = Some(scope)).await;
    assert_eq!((engine(&scoped).as_str(), names(&scoped)[0].as_str()), ("exact", "late/polish_gemstone"));
    let why = ToolRef { source: "shelves".into(), tool: "prints_parcel_769".into() };
    let asked = graph.select_with("gemstone", |request| request.explain_tools = vec![why]).await;
    assert_eq!(engine(&asked), "exact");
    assert!(asked.explanations[0].rank.is_some(), "every tool has a place");
    until("shadow queries were made", async || metric(&graph, "toolrouter_index_recall").await >= 0.9).await;
    assert!(metric(&exact, "toolrouter_index_recall").await.is_nan(), "there is nothing to check");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_builds_a_graph_stops_all_the_same() {
    let mut router = TestRouter::start_with(|config| config.index.engine = Engine::Hnsw).await;
    for start in (0..4_000).step_by(1_000) {
        router.register("shelves", many(start..start + 1_000)).await;
    }
    tokio::time::timeout(Duration::from_secs(20), router.stop()).await.expect("the router stops");
}

/// A life with changes and removals, past a merge, so that tools lie in more than one part.
async fn a_full_life(router: &mut TestRouter) {
    bundled::register(router).await;
    router.register("shelves", many(0..700)).await;
    router.register("shelves", many(650..800)).await;
    let names = many(10..40).into_iter().map(|tool| tool.name).collect();
    let request = UnregisterToolsRequest { source: "shelves".into(), tools: names, ..Default::default() };
    router.catalog.unregister_tools(request).await.unwrap();
    let mut changed = many(100..120);
    changed.iter_mut().for_each(|tool| tool.description = format!("{} Now for gemstones too.", tool.description));
    router.register("shelves", changed).await;
}

async fn bytes(router: &mut ToolRouterClient<Channel>) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    let queries = bundled::queries().into_iter().map(|query| query.text);
    for query in queries.chain(["room 30".into(), "gemstones".into(), "the letter of shelf 3".into()]) {
        let answer = router.select_tools(query_request(&query)).await.unwrap().into_inner();
        answers.push(cleared(answer).encode_to_vec());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_requests_give_equal_bytes_across_restarts_and_processes() {
    let mut router = TestRouter::start().await;
    a_full_life(&mut router).await;
    let first = bytes(&mut router.router.clone()).await;
    assert_eq!(bytes(&mut router.router.clone()).await, first, "from memory");
    let router = router.restart_with(|config| config.cache.answers_mib = 0).await;
    assert_eq!(bytes(&mut router.router.clone()).await, first, "after a restart everything lies in one part");
    let (config, folder) = router.stop().await;
    // Two processes on copies of the store, side by side.
    let copies = [1, 2].map(|i| folder.as_ref().unwrap().path().join(format!("copy-{i}.db")));
    for copy in &copies {
        std::fs::copy(&config.store.path, copy).unwrap();
    }
    let programs = copies.map(|copy| Program::start(&copy));
    for program in &programs {
        let channel = Channel::from_shared(program.address.clone()).unwrap().connect().await.unwrap();
        assert_eq!(bytes(&mut ToolRouterClient::new(channel)).await, first, "in another process");
    }
}

#[tokio::test]
async fn what_is_known_is_not_worked_out_again() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let cache = |answer: &SelectToolsResponse| answer.meta.as_ref().unwrap().cache.clone();
    let first = router.select("read a file").await;
    let again = router.select("read a file").await;
    assert_eq!((cache(&first).as_str(), cache(&again).as_str()), ("miss", "answer"));
    assert_eq!(again.meta.as_ref().unwrap().stages.len(), 1);
    assert_eq!(cleared(first), cleared(again));
    // Another question about the same text needs no forward pass.
    let fewer = router.select_with("read a file", |r| r.budget = Some(Budget { max_tools: Some(2), ..Default::default() })).await;
    assert_eq!((cache(&fewer).as_str(), fewer.tools.len()), ("vector", 2));
    // Nor does the same after a change, and the change is seen.
    router.register("late", vec![tool("read_a_file", "Read a file. Read a file.")]).await;
    let after = router.select("read a file").await;
    assert_eq!(cache(&after), "vector");
    assert!(names(&after).contains(&"late/read_a_file".to_owned()));
    let off = |config: &mut tool_router::config::Config| (config.cache.answers_mib, config.cache.vectors_mib) = (0, 0);
    let mut router = router.restart_with(off).await;
    for _ in 0..2 {
        assert_eq!(cache(&router.select("read a file").await), "miss");
    }
}
