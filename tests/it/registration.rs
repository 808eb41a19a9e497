//! Registering, changing and removing tools.

use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tool_router::rpc::proto::sync_source_request::Part;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, bundled, names, tool};

fn chunk(tools: Vec<ToolDefinition>) -> SyncSourceRequest {
    SyncSourceRequest { part: Some(Part::Chunk(SyncChunk { tools })) }
}

fn header(source: &str) -> SyncHeader {
    SyncHeader { source: source.into(), ..Default::default() }
}

async fn sync(
    router: &mut TestRouter,
    header: SyncHeader,
    chunks: Vec<Vec<ToolDefinition>>,
) -> Result<SyncSourceResponse, tonic::Status> {
    let total = chunks.iter().map(Vec::len).sum();
    sync_to(router, header, chunks, Some(total)).await
}

async fn sync_to(
    router: &mut TestRouter,
    header: SyncHeader,
    chunks: Vec<Vec<ToolDefinition>>,
    end: Option<usize>,
) -> Result<SyncSourceResponse, tonic::Status> {
    let mut parts = vec![SyncSourceRequest { part: Some(Part::Header(header)) }];
    parts.extend(chunks.into_iter().map(chunk));
    parts.extend(end.map(|n| SyncSourceRequest { part: Some(Part::End(SyncEnd { total_tools: n as u32 })) }));
    router.catalog.sync_source(tokio_stream::iter(parts)).await.map(tonic::Response::into_inner)
}

fn numbered(range: std::ops::Range<usize>) -> Vec<ToolDefinition> {
    range.map(|i| tool(&format!("tool_{i}"), &format!("Does thing number {i}."))).collect()
}

#[tokio::test]
async fn a_registered_tool_is_in_the_next_selection() {
    let mut router = TestRouter::start().await;
    for i in 0..20 {
        let name = format!("fresh_{i}");
        router.register("s", vec![tool(&name, "Freshly made.")]).await;
        assert_eq!(names(&router.select(&name).await)[0], format!("s/{name}"));
    }
}

#[tokio::test]
async fn an_unchanged_tool_costs_nothing_and_a_changed_one_keeps_its_place_and_name() {
    let mut router = TestRouter::start().await;
    let first = router.register("s", numbered(0..3)).await;
    assert_eq!(first.diff.unwrap().added.len(), 3);
    let again = router.register("s", numbered(0..3)).await;
    assert_eq!(again.catalog_version, first.catalog_version, "nothing changed, no new version");
    assert_eq!(again.diff.unwrap().unchanged, 3);

    // Another spelling of the same schema is the same tool.
    let mut respelled = tool("tool_1", "Does thing number 1.");
    respelled.input_schema_json =
        r#"{ "required": ["value"], "properties": {"value": {"description": "The value.", "type": "string"}}, "type": "object" }"#.into();
    assert_eq!(router.register("s", vec![respelled]).await.diff.unwrap().unchanged, 1);

    let changed = router.register("s", vec![tool("tool_1", "Something else."), tool("tool_9", "New.")]).await;
    let diff = changed.diff.unwrap();
    assert_eq!((diff.changed, diff.added), (vec!["tool_1".to_owned()], vec!["tool_9".to_owned()]));
    assert_ne!(changed.catalog_version, first.catalog_version);
    let get = GetToolRequest { source: "s".into(), tool: "tool_1".into() };
    let got = router.catalog.get_tool(get).await.unwrap().into_inner().tool.unwrap();
    assert_eq!((got.definition.unwrap().description.as_str(), got.model_name.as_str()), ("Something else.", "tool_1"));
    assert!(got.registered_at_ms <= got.updated_at_ms);
}

#[tokio::test]
async fn model_names_are_unique_and_stay() {
    let mut router = TestRouter::start().await;
    router.register("mail", vec![tool("search", "Searches mail.")]).await;
    router.register("chat", vec![tool("search", "Searches chat."), tool("a.b", "Dotted.")]).await;
    let mut model_name = async |source: &str, name: &str| {
        let request = GetToolRequest { source: source.into(), tool: name.into() };
        router.catalog.get_tool(request).await.unwrap().into_inner().tool.unwrap().model_name
    };
    assert_eq!(model_name("mail", "search").await, "search");
    assert_eq!(model_name("chat", "search").await, "chat__search");
    assert_eq!(model_name("chat", "a.b").await, "a_b");
    router.register("chat", vec![tool("search", "Searches chat, now better.")]).await;
    let mut router = router.restart().await;
    let listed = router.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner();
    let pairs: Vec<_> = listed.tools.iter().map(|t| (t.source.as_str(), t.model_name.as_str())).collect();
    assert_eq!(pairs, [("chat", "a_b"), ("chat", "chat__search"), ("mail", "search")]);
}

#[tokio::test]
async fn a_dry_run_says_and_does_nothing() {
    let mut router = TestRouter::start().await;
    router.register("s", numbered(0..2)).await;
    let version = router.version().await;
    let request = RegisterToolsRequest { source: "s".into(), tools: numbered(1..4), dry_run: true, ..Default::default() };
    let diff = router.catalog.register_tools(request).await.unwrap().into_inner().diff.unwrap();
    assert_eq!((diff.added, diff.unchanged), (vec!["tool_2".to_owned(), "tool_3".to_owned()], 1));
    let diff = sync(&mut router, SyncHeader { dry_run: true, ..header("s") }, vec![numbered(0..1)]).await.unwrap().diff.unwrap();
    assert_eq!(diff.removed, ["tool_1"]);
    let request = UnregisterToolsRequest { source: "s".into(), all: true, dry_run: true, ..Default::default() };
    let diff = router.catalog.unregister_tools(request).await.unwrap().into_inner().diff.unwrap();
    assert_eq!(diff.removed.len(), 2);
    assert_eq!(router.version().await, version);
}

#[tokio::test]
async fn an_expected_version_guards_every_change() {
    let mut router = TestRouter::start().await;
    let old = router.register("s", numbered(0..2)).await.catalog_version;
    let current = router.register("s", numbered(2..3)).await.catalog_version;
    let register = |version: &str| RegisterToolsRequest {
        source: "s".into(),
        tools: numbered(5..6),
        expected_version: Some(version.to_owned()),
        dry_run: false,
    };
    let refused = router.catalog.register_tools(register(&old)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Aborted);
    assert!(refused.message().contains(&current), "{}", refused.message());
    let stale = Some(old);
    let unregister =
        UnregisterToolsRequest { source: "s".into(), all: true, expected_version: stale.clone(), ..Default::default() };
    assert_eq!(router.catalog.unregister_tools(unregister).await.unwrap_err().code(), Code::Aborted);
    let state = SetToolStateRequest {
        source: "s".into(),
        tools: vec!["tool_0".into()],
        state: ToolState::Disabled.into(),
        expected_version: stale.clone(),
    };
    assert_eq!(router.catalog.set_tool_state(state).await.unwrap_err().code(), Code::Aborted);
    let synced = sync(&mut router, SyncHeader { expected_version: stale, ..header("s") }, vec![numbered(0..3)]).await;
    assert_eq!(synced.unwrap_err().code(), Code::Aborted);
    assert!(router.catalog.register_tools(register(&current)).await.is_ok());
}

#[tokio::test]
async fn a_sync_is_the_whole_list() {
    let mut router = TestRouter::start().await;
    router.register("other", numbered(0..1)).await;
    let answer = sync(&mut router, header("s"), vec![numbered(0..2), numbered(2..4)]).await;
    assert_eq!(answer.unwrap().diff.unwrap().added.len(), 4);
    let diff = sync(&mut router, header("s"), vec![numbered(1..5)]).await.unwrap().diff.unwrap();
    assert_eq!((diff.added, diff.removed, diff.unchanged), (vec!["tool_4".to_owned()], vec!["tool_0".to_owned()], 3));
    let listed = router.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.total, 5, "another source is left alone");
}

#[tokio::test]
async fn losing_most_of_a_source_is_held() {
    let mut router = TestRouter::start().await;
    router.register("s", numbered(0..12)).await;
    let version = router.version().await;
    for keep in [vec![], vec![numbered(0..5)]] {
        let held = sync(&mut router, header("s"), keep).await.unwrap_err();
        assert_eq!(held.code(), Code::FailedPrecondition);
        assert!(held.message().contains("of its 12 tools"), "{}", held.message());
    }
    assert_eq!(router.version().await, version);
    assert!(sync(&mut router, header("s"), vec![numbered(0..6)]).await.is_ok(), "half may go");
    let all = SyncHeader { allow_mass_removal: true, ..header("s") };
    assert_eq!(sync(&mut router, all, vec![]).await.unwrap().diff.unwrap().removed.len(), 6);
}

#[tokio::test]
async fn a_sync_that_is_cut_off_changes_nothing() {
    let mut router = TestRouter::start().await;
    router.register("s", numbered(0..4)).await;
    let version = router.version().await;
    for round in 0..5 {
        let (parts, stream) = tokio::sync::mpsc::channel(8);
        parts.send(SyncSourceRequest { part: Some(Part::Header(header("s"))) }).await.unwrap();
        parts.send(chunk(numbered(0..1))).await.unwrap();
        let mut client = router.catalog.clone();
        let call = tokio::spawn(async move { client.sync_source(ReceiverStream::new(stream)).await });
        tokio::time::sleep(std::time::Duration::from_millis(10 * round)).await;
        call.abort();
        call.await.ok();
        // Closing the list before the call is gone would be a sound half-close, and a sound whole list.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        drop(parts);
    }
    let endless = sync_to(&mut router, header("s"), vec![numbered(0..1)], None).await.unwrap_err();
    assert!(endless.message().contains("cut off before its end message"), "{}", endless.message());
    let short = sync_to(&mut router, header("s"), vec![numbered(0..4)], Some(9)).await.unwrap_err();
    assert!(short.message().contains("end.total_tools: is 9, the chunks hold 4 tools"), "{}", short.message());
    assert_eq!(router.version().await, version);
}

#[tokio::test]
async fn disabled_tools_stay_registered_and_unselected() {
    let mut router = TestRouter::start().await;
    router.register("s", numbered(0..3)).await;
    let mut set = async |state: ToolState| {
        let request =
            SetToolStateRequest { source: "s".into(), tools: vec!["tool_1".into()], state: state.into(), expected_version: None };
        router.catalog.set_tool_state(request).await.unwrap().into_inner().changed
    };
    assert_eq!(set(ToolState::Disabled).await, ["tool_1"]);
    assert!(set(ToolState::Disabled).await.is_empty());
    let mut router = router.restart().await;
    assert!(!names(&router.select("tool_1").await).contains(&"s/tool_1".to_owned()));
    // New content does not switch it on again.
    router.register("s", vec![tool("tool_1", "Other words.")]).await;
    assert!(!names(&router.select("tool_1").await).contains(&"s/tool_1".to_owned()));
    let disabled = ListToolsRequest { state: ToolState::Disabled.into(), ..Default::default() };
    assert_eq!(router.catalog.list_tools(disabled).await.unwrap().into_inner().total, 1);
    let enable = SetToolStateRequest {
        source: "s".into(),
        tools: vec!["tool_1".into()],
        state: ToolState::Enabled.into(),
        expected_version: None,
    };
    router.catalog.set_tool_state(enable).await.unwrap();
    assert_eq!(names(&router.select("tool_1").await)[0], "s/tool_1");
}

#[tokio::test]
async fn removing_is_all_or_nothing() {
    let mut router = TestRouter::start().await;
    router.register("s", numbered(0..3)).await;
    let remove = |tools: &[&str]| UnregisterToolsRequest {
        source: "s".into(),
        tools: tools.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    let missing = router.catalog.unregister_tools(remove(&["tool_0", "tool_7", "tool_8"])).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.message().contains("tool_7, tool_8"), "{}", missing.message());
    router.catalog.unregister_tools(remove(&["tool_0", "tool_2"])).await.unwrap();
    assert_eq!(names(&router.select("tool_0").await), ["s/tool_1"]);
    let mut router = router.restart().await;
    assert_eq!(names(&router.select("tool_0").await), ["s/tool_1"]);
}

#[tokio::test]
async fn pages_cover_everything_once_while_tools_come_and_go() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListToolsRequest { page_size: Some(7), page_token: token, ..Default::default() };
        let page = router.catalog.list_tools(request).await.unwrap().into_inner();
        assert!(page.tools.len() <= 7);
        seen.extend(page.tools.iter().map(|t| (t.source.clone(), t.definition.clone().unwrap().name)));
        if seen.len() == 14 {
            router.register("aaa", vec![tool("earlier", "Comes before the place we are at.")]).await;
        }
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen, sorted);
    assert_eq!(seen.len(), bundled::sources().iter().map(|(_, tools)| tools.len()).sum::<usize>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_lose_nothing() {
    let router = TestRouter::start().await;
    let mut publishers = Vec::new();
    for publisher in 0..8 {
        let mut client = router.catalog.clone();
        publishers.push(tokio::spawn(async move {
            for round in 0..10 {
                // All write the same tool, and one of their own.
                let tools = [tool("shared", &format!("Round {round} of {publisher}.")), tool(&format!("own_{round}"), "Own.")];
                let request = RegisterToolsRequest { source: "s".into(), tools: tools[..1].to_vec(), ..Default::default() };
                client.register_tools(request).await.unwrap();
                let own =
                    RegisterToolsRequest { source: format!("p{publisher}"), tools: tools[1..].to_vec(), ..Default::default() };
                client.register_tools(own).await.unwrap();
            }
        }));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut router = router.restart().await;
    let total = router.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().total;
    assert_eq!(total, 81);
}
