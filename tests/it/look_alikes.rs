//! Tools that look alike: told at registration, told apart by their sources at selection.

use tokio_stream::iter;
use tool_router::rpc::proto::sync_source_request::Part;
use tool_router::rpc::proto::*;

use crate::support::program::run;
use crate::support::{TestRouter, names, tool};

fn search() -> ToolDefinition {
    tool("search_contacts", "Searches the contacts for a name or a company.")
}

/// Tool, source and name of the other, whether the names are equal.
fn told(look_alikes: &[LookAlike]) -> Vec<(String, String, bool)> {
    let other = |l: &LookAlike| l.other.clone().map(|o| format!("{}/{}", o.source, o.tool)).unwrap_or_default();
    look_alikes.iter().map(|l| (l.tool.clone(), other(l), l.same_name)).collect()
}

async fn two_crms() -> TestRouter {
    let mut router = TestRouter::start().await;
    assert_eq!(router.register("mail", vec![tool("send_mail", "Sends a mail to somebody.")]).await.look_alikes, []);
    assert_eq!(router.register("crm-a", vec![search()]).await.look_alikes, []);
    let answer = router.register("crm-b", vec![search(), tool("drop_database", "Drops everything there is.")]).await;
    assert_eq!(told(&answer.look_alikes), [("search_contacts".to_owned(), "crm-a/search_contacts".to_owned(), true)]);
    assert_eq!((answer.look_alikes_total, answer.look_alikes[0].shared_words), (1, 1.0));
    assert!((0.5..=1.0).contains(&answer.look_alikes[0].similarity.unwrap()));
    router
}

#[tokio::test]
async fn a_copy_is_told_when_it_is_registered_and_not_again() {
    let mut router = two_crms().await;
    let again = router.register("crm-b", vec![search()]).await;
    assert_eq!((again.diff.unwrap().unchanged, again.look_alikes.len(), again.look_alikes_total), (1, 0, 0));
    let dry = RegisterToolsRequest { source: "crm-c".into(), tools: vec![search()], dry_run: true, ..Default::default() };
    assert_eq!(router.catalog.register_tools(dry).await.unwrap().into_inner().look_alikes, []);
    // A disabled tool can be enabled again, so it counts.
    let off = SetToolStateRequest {
        source: "crm-a".into(),
        tools: vec!["search_contacts".into()],
        state: ToolState::Disabled.into(),
        expected_version: None,
    };
    router.catalog.set_tool_state(off).await.unwrap();
    let changed = ToolDefinition { title: Some("Search".into()), ..search() };
    let answer = router.register("crm-b", vec![changed]).await;
    assert_eq!(answer.look_alikes[0].other.as_ref().unwrap().source, "crm-a");
    // What the description sets apart looks like nothing any more.
    let apart =
        tool("search_contacts", "Finds suppliers and the goods they deliver, by article number, in the purchasing department.");
    assert_eq!(router.register("crm-b", vec![apart]).await.look_alikes, []);
}

#[tokio::test]
async fn what_is_gone_looks_like_nothing() {
    let mut router = TestRouter::start().await;
    router.register("a", vec![search()]).await;
    let removed = UnregisterToolsRequest { source: "a".into(), all: true, ..Default::default() };
    router.catalog.unregister_tools(removed).await.unwrap();
    assert_eq!(router.register("b", vec![search()]).await.look_alikes, []);
}

#[tokio::test]
async fn the_source_that_the_request_says_is_selected_first() {
    let mut router = two_crms().await;
    assert_eq!(names(&router.select("search contacts in crm b").await)[..2], ["crm-b/search_contacts", "crm-a/search_contacts"]);
    assert_eq!(names(&router.select("search contacts in crm a").await)[..2], ["crm-a/search_contacts", "crm-b/search_contacts"]);
    let open = router.select_with("look somebody up: search contacts", |request| request.explain = true).await;
    // Which of the two is above is the score's business, and chance; both are there and say so.
    for (tool, other) in [(&open.tools[0], &open.tools[1]), (&open.tools[1], &open.tools[0])] {
        let tie = format!("ties with {}/search_contacts: the request does not say which source", other.source);
        assert!(tool.tool == "search_contacts" && tool.reasons.contains(&tie), "{tool:?}");
    }
    let asked = |request: &mut SelectToolsRequest| {
        request.explain_tools = vec![ToolRef { source: "crm-a".into(), tool: "search_contacts".into() }];
    };
    let said = router.select_with("search contacts in crm a", asked).await;
    let preferred = "preferred to its look-alike crm-b/search_contacts: the request says more of its source or name".to_owned();
    assert!(said.explanations[0].reasons.contains(&preferred), "{:?}", said.explanations);
    assert_eq!(said.explanations[0].rank, Some(1));
}

#[tokio::test]
async fn a_tool_that_the_request_names_stays_above_its_rivals() {
    let mut router = two_crms().await;
    let named = router.select("use crm-a/search_contacts, not what crm b has").await;
    assert_eq!(names(&named)[0], "crm-a/search_contacts");
}

#[tokio::test]
async fn of_a_copied_catalogue_a_part_is_told() {
    let mut router = TestRouter::start().await;
    let tools: Vec<ToolDefinition> =
        (0..300).map(|i| tool(&format!("tool_{i}"), &format!("Does the thing number {i} to word{i}."))).collect();
    assert_eq!(router.register("a", tools.clone()).await.look_alikes_total, 0);
    let parts = [
        Part::Header(SyncHeader { source: "b".into(), ..Default::default() }),
        Part::Chunk(SyncChunk { tools }),
        Part::End(SyncEnd { total_tools: 300 }),
    ];
    let parts: Vec<_> = parts.into_iter().map(|part| SyncSourceRequest { part: Some(part) }).collect();
    let answer = router.catalog.sync_source(iter(parts)).await.unwrap().into_inner();
    assert_eq!((answer.look_alikes.len(), answer.look_alikes_total), (100, 300));
    assert!(told(&answer.look_alikes).iter().all(|(tool, other, same)| *same && *other == format!("a/{tool}")));
}

#[tokio::test]
async fn an_import_prints_what_looks_alike() {
    let router = TestRouter::start().await;
    let folder = tempfile::tempdir().unwrap();
    let address = format!("http://{}", router.grpc);
    let file = |name: &str, tools: usize| {
        let path = folder.path().join(name).to_str().unwrap().to_owned();
        let description = |i| format!("Searches the contacts of number{i} for a company.");
        let tools: Vec<_> = (0..tools)
            .map(|i| serde_json::json!({"name": format!("search{i}"), "description": description(i), "inputSchema": {"type": "object"}}))
            .collect();
        std::fs::write(&path, serde_json::json!({ "tools": tools }).to_string()).unwrap();
        path
    };
    let import = async |path: String, more: &'static [&'static str]| {
        let address = address.clone();
        let arguments =
            move || [&["import", "file", &path, "--address", &address], more].concat().into_iter().map(str::to_owned).collect();
        let arguments: Vec<String> = arguments();
        let ran = tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()));
        let output = ran.await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let alone = import(file("one.json", 25), &[]).await;
    assert!(!alone.contains("looks like"), "{alone}");
    let copied = import(file("two.json", 25), &[]).await;
    let line = copied
        .lines()
        .find(|line| line.starts_with("two/search7 looks like one/search7 ("))
        .unwrap_or_else(|| panic!("{copied}"));
    assert!(line.ends_with(", same name): say in the description what sets it apart"), "{line}");
    assert!(copied.contains("two: 5 more look-alikes"), "{copied}");
    let json = import(file("three.json", 1), &["--json"]).await;
    let answer: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((answer["look_alikes_total"].as_u64(), answer["look_alikes"][0]["same_name"].as_bool()), (Some(2), Some(true)));
    assert_eq!(answer["look_alikes"][0]["other"]["tool"], "search0");
}
