//! `RankTools`: the same selection over tools that the caller brings.

use tonic::Code;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, assert_violation, bundled, cleared, http_get, names, tool};

fn offered() -> Vec<OfferedTool> {
    let of = |(source, tools): (String, Vec<ToolDefinition>)| {
        tools.into_iter().map(move |definition| OfferedTool { source: source.clone(), definition: Some(definition) })
    };
    bundled::sources().into_iter().flat_map(of).collect()
}

async fn rank(router: &mut TestRouter, request: RankToolsRequest) -> SelectToolsResponse {
    // Counting tools that nobody registered takes a debug build a while, more so on a busy machine.
    let mut patient = tonic::Request::new(request);
    patient.set_timeout(std::time::Duration::from_secs(30));
    router.router.rank_tools(patient).await.unwrap().into_inner().selection.unwrap()
}

#[tokio::test]
async fn brought_tools_are_ranked_and_packed_like_registered_ones() {
    let mut registered = TestRouter::start().await;
    bundled::register(&mut registered).await;
    // Another router that has none of them.
    let mut empty = TestRouter::start().await;
    for (i, query) in bundled::queries().into_iter().step_by(3).enumerate() {
        let budget = Some(Budget { max_tokens: Some([1_500, 300, 60][i % 3]), ..Budget::default() });
        let format = [Format::OpenaiChat, Format::Anthropic, Format::Mcp][i % 3];
        let output = Some(Output { format: format.into(), ..Output::default() });
        let pinned = if i % 5 == 0 { vec![ToolRef { source: "files".into(), tool: "read_file".into() }] } else { Vec::new() };
        let expected = registered
            .select_with(&query.text, |request| {
                (request.budget, request.output) = (budget.clone(), output.clone());
                (request.pinned, request.explain) = (pinned.clone(), true);
            })
            .await;
        let request =
            RankToolsRequest { query: query.text, tools: offered(), budget, output, pinned, explain: true, ..Default::default() };
        let ranked = rank(&mut empty, request).await;
        assert_eq!(ranked.mode(), Mode::Semantic, "{}", ranked.degraded_reason);
        assert_eq!(ranked.catalog_version, "");
        assert_eq!(cleared(ranked), SelectToolsResponse { catalog_version: String::new(), ..cleared(expected) });
    }
    let listed = empty.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.total, 0, "nothing was kept");
}

#[tokio::test]
async fn equal_names_of_two_sources_are_told_apart() {
    let mut router = TestRouter::start().await;
    let of = |source: &str| OfferedTool { source: source.into(), definition: Some(tool("read", "Reads a page.")) };
    let request = RankToolsRequest { query: "read a page".into(), tools: vec![of("a"), of("b")], ..Default::default() };
    let mut names: Vec<String> = rank(&mut router, request).await.tools.into_iter().map(|tool| tool.model_name).collect();
    names.sort();
    assert_eq!(names, ["b__read", "read"]);
}

#[tokio::test]
async fn a_near_deadline_is_answered_by_words_and_the_next_turn_by_meaning() {
    let mut router = TestRouter::start().await;
    let request = RankToolsRequest { query: "read_file from disk".into(), tools: offered(), ..Default::default() };
    let mut hurried = tonic::Request::new(request.clone());
    hurried.metadata_mut().insert("grpc-timeout", "12m".parse().unwrap());
    match router.router.rank_tools(hurried).await {
        Ok(answer) => {
            let selection = answer.into_inner().selection.unwrap();
            assert!(!names(&selection).is_empty());
            if selection.mode() == Mode::Lexical {
                assert!(!selection.degraded_reason.is_empty());
            }
        }
        // The transport may cut such a call off.
        Err(status) => assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}"),
    }
    assert_eq!(rank(&mut router, request).await.mode(), Mode::Semantic);
}

#[tokio::test]
async fn bad_requests_name_their_fields() {
    let mut router = TestRouter::start().await;
    let one = |definition: Option<ToolDefinition>| vec![OfferedTool { source: "s".into(), definition }];
    let check = async |router: &mut TestRouter, query: &str, tools: Vec<OfferedTool>, field: &str, words: &str| {
        let request = RankToolsRequest { query: query.into(), tools, ..Default::default() };
        assert_violation(router.router.rank_tools(request).await, field, words);
    };
    let good = || tool("read", "Reads.");
    check(&mut router, "q", Vec::new(), "tools", "is empty").await;
    check(&mut router, " ", one(Some(good())), "query", "is blank").await;
    check(&mut router, "q", one(None), "tools[0].definition", "is missing").await;
    check(&mut router, "q", [one(Some(good())), one(Some(good()))].concat(), "tools[1].name", "is also the name of tools[0]")
        .await;
    check(&mut router, "q", one(Some(tool("", "Nameless."))), "tools[0].name", "").await;
    check(&mut router, "q", one(Some(tool("read", "Reads\u{202e}."))), "tools[0].description", "U+202E").await;
    let many = (0..201).map(|i| OfferedTool { source: "s".into(), definition: Some(tool(&format!("t{i}"), "")) }).collect();
    check(&mut router, "q", many, "tools", "has 201 tools, the limit is 200").await;
    let bare = OfferedTool { source: String::new(), definition: Some(good()) };
    check(&mut router, "q", vec![bare], "tools[0].source", "").await;
}

#[test]
fn the_command_selects_of_a_file() {
    use crate::support::{program, repository};
    let folder = tempfile::tempdir().unwrap();
    let router = program::Program::start(&folder.path().join("router.db"));
    let file = repository().join("examples/catalogue/files.json");
    let words = ["select", "read_file", "--tools", file.to_str().unwrap(), "--json", "--address", &router.address];
    let output = program::run(&words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["tools"][0]["tool"], "read_file");
    let listed = program::run(&["tools", "list", "--address", &router.address]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains("0 tools"), "nothing was registered");
}

#[tokio::test]
async fn brought_tools_take_no_label_of_the_metrics() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read", "Reads a file.")]).await;
    let offered = |source: &str, name: &str| OfferedTool { source: source.into(), definition: Some(tool(name, "Reads a file.")) };
    let tools = vec![offered("s", "read"), offered("anybody", "invented")];
    let ranked = rank(&mut router, RankToolsRequest { query: "read a file".into(), tools, ..Default::default() }).await;
    assert_eq!(names(&ranked).len(), 2);
    let metrics = http_get(router.http, "/metrics").await.1;
    assert!(metrics.contains("toolrouter_tool_returned_total{source=\"s\",tool=\"read\"} 1"), "{metrics}");
    assert!(!metrics.contains("invented"), "{metrics}");
}
