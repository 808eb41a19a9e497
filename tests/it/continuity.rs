//! Lists that stay from turn to turn, for prompt caches.

use tool_router::rpc::proto::list_continuity::Change;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, assert_violation, bundled, names, query_request, tool};

/// The tools of `answer` as the next turn names them.
fn previous(answer: &SelectToolsResponse) -> Vec<PreviousTool> {
    let one = |tool: &SelectedTool| PreviousTool {
        source: tool.source.clone(),
        tool: tool.tool.clone(),
        fidelity: tool.fidelity,
        definition_hash: tool.definition_hash.clone(),
    };
    answer.tools.iter().map(one).collect()
}

async fn turn(router: &mut TestRouter, query: &str, previous_tools: Vec<PreviousTool>, max_tokens: u32) -> SelectToolsResponse {
    router
        .select_with(query, |request| {
            request.budget = Some(Budget { max_tokens: Some(max_tokens), ..Default::default() });
            request.continuity = Some(Continuity { previous_tools, session_id: "a".into() });
        })
        .await
}

fn change(answer: &SelectToolsResponse) -> (Change, u32) {
    let continuity = answer.continuity.as_ref().unwrap();
    (continuity.change(), continuity.kept_tools)
}

/// What of a prompt a cache may hold, when more may follow.
fn without_end(prompt: &str) -> &str {
    prompt.strip_suffix("\n]").unwrap()
}

#[tokio::test]
async fn a_list_is_appended_to_byte_for_byte_or_says_why_not() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let queries = bundled::queries();
    let (mut appended, mut rebuilt) = (0, 0);
    for max_tokens in [300, 800, 1_500, 4_000] {
        let mut last: Option<SelectToolsResponse> = None;
        for query in &queries {
            let before = last.as_ref().map(previous).unwrap_or_default();
            let answer = turn(&mut router, &query.text, before, max_tokens).await;
            assert!(answer.usage.unwrap().returned_tokens <= max_tokens);
            let (change, kept) = change(&answer);
            match &last {
                None => assert_eq!((change, kept), (Change::First, 0)),
                Some(last) => {
                    let same = last.tools.iter().zip(&answer.tools).take_while(|(a, b)| a.definition_json == b.definition_json);
                    assert_eq!(kept as usize, same.count());
                    let is_prefix = last.tools.is_empty() || answer.prompt.starts_with(without_end(&last.prompt));
                    assert_eq!(change == Change::Appended || last.tools.is_empty(), is_prefix);
                    assert_eq!(change == Change::Rebuilt, !answer.continuity.as_ref().unwrap().detail.is_empty());
                    appended += usize::from(change == Change::Appended);
                    rebuilt += usize::from(change == Change::Rebuilt);
                }
            }
            last = Some(answer);
        }
    }
    assert!(0 < appended && 0 < rebuilt, "{appended} appended, {rebuilt} rebuilt");
}

#[tokio::test]
async fn the_same_request_again_changes_nothing() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let first = turn(&mut router, "what is the weather in Oslo", Vec::new(), 1_500).await;
    let again = turn(&mut router, "what is the weather in Oslo", previous(&first), 1_500).await;
    assert_eq!(first.prompt, again.prompt);
    assert_eq!(change(&again), (Change::Appended, first.tools.len() as u32));
}

#[tokio::test]
async fn a_tool_that_changed_or_went_ends_what_is_kept() {
    let mut router = TestRouter::start().await;
    let three = |last: &str| vec![tool("mail_read", "Reads mail."), tool("mail_send", "Sends mail."), tool("mail_find", last)];
    router.register("m", three("Finds mail.")).await;
    let first = turn(&mut router, "mail", Vec::new(), 4_000).await;
    assert_eq!(first.tools.len(), 3);
    let second = &first.tools[1].tool;
    let others: Vec<ToolDefinition> = three("Finds mail.")
        .into_iter()
        .map(|t| if t.name == *second { tool(second, "Does other things to mail.") } else { t })
        .collect();
    router.register("m", others).await;
    let changed = turn(&mut router, "mail", previous(&first), 4_000).await;
    assert_eq!(change(&changed), (Change::Rebuilt, 1));
    assert!(changed.continuity.unwrap().detail.contains("is written otherwise than before"));

    let state = SetToolStateRequest {
        source: "m".into(),
        tools: vec![first.tools[0].tool.clone()],
        state: ToolState::Disabled.into(),
        expected_version: None,
    };
    router.catalog.set_tool_state(state).await.unwrap();
    let gone = turn(&mut router, "mail", previous(&first), 4_000).await;
    assert_eq!(change(&gone), (Change::Rebuilt, 0));
    assert!(gone.continuity.as_ref().unwrap().detail.contains("is disabled"), "{:?}", gone.continuity);
    assert_eq!(gone.tools.len(), 2);
}

#[tokio::test]
async fn pinned_tools_come_in_and_a_smaller_cap_forces_a_change() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let first = turn(&mut router, "read a file", Vec::new(), 1_500).await;
    let (source, tools) =
        bundled::sources().into_iter().find(|(source, _)| !names(&first).iter().any(|n| n.starts_with(source))).unwrap();
    let pin = ToolRef { source: source.clone(), tool: tools[0].name.clone() };
    let pinned = router
        .select_with("read a file", |request| {
            request.continuity = Some(Continuity { previous_tools: previous(&first), session_id: String::new() });
            request.pinned = vec![pin];
        })
        .await;
    assert!(names(&pinned).contains(&format!("{source}/{}", tools[0].name)));
    assert_eq!(change(&pinned), (Change::Appended, first.tools.len() as u32));
    let small = turn(&mut router, "read a file", previous(&first), 60).await;
    assert!(small.usage.unwrap().returned_tokens <= 60);
    let continuity = small.continuity.unwrap();
    assert_eq!(continuity.change(), Change::Rebuilt);
    assert!(continuity.detail.contains("max_tokens is 60"), "{}", continuity.detail);
}

#[tokio::test]
async fn reasons_count_what_packing_had_and_not_what_is_kept_back() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let mut previous_tools = Vec::new();
    for (turn, query) in bundled::queries().iter().enumerate().take(12) {
        let answer = router
            .select_with(&query.text, |request| {
                request.budget = Some(Budget { max_tokens: Some(900), ..Default::default() });
                request.continuity = Some(Continuity { previous_tools: previous_tools.clone(), session_id: String::new() });
                request.explain = true;
            })
            .await;
        let kept = answer.continuity.as_ref().unwrap().kept_tools as usize;
        for (place, tool) in answer.tools.iter().enumerate() {
            let shrunk = tool.reasons.iter().find(|reason| reason.starts_with("shown as "));
            assert_eq!(shrunk.is_some(), tool.fidelity() != Fidelity::Full, "{:?}", tool.reasons);
            let Some(shrunk) = shrunk else { continue };
            assert_eq!(shrunk.ends_with("in the list before"), place < kept, "turn {turn}: {shrunk}");
            let numbers: Vec<u32> = shrunk.split(' ').filter_map(|word| word.parse().ok()).collect();
            assert!(place < kept || numbers[1] < numbers[0], "turn {turn}: {shrunk}");
        }
        for dropped in answer.dropped.iter().filter(|d| d.reason() == dropped_tool::Reason::OverBudget) {
            let numbers: Vec<u32> = dropped.detail.split(' ').filter_map(|word| word.parse().ok()).collect();
            assert!(numbers[1] < numbers[0], "turn {turn}: {}", dropped.detail);
        }
        previous_tools = previous(&answer);
    }
}

#[tokio::test]
async fn bad_lists_are_refused_by_field() {
    let mut router = TestRouter::start().await;
    let mut check = async |continuity: Continuity, field: &str, words: &str| {
        let request = SelectToolsRequest { continuity: Some(continuity), ..query_request("mail") };
        assert_violation(router.router.select_tools(request).await, field, words);
    };
    let one =
        PreviousTool { source: "s".into(), tool: "t".into(), fidelity: Fidelity::Lean.into(), definition_hash: String::new() };
    let with = |tools: Vec<PreviousTool>| Continuity { previous_tools: tools, session_id: String::new() };
    check(with(vec![PreviousTool { fidelity: 0, ..one.clone() }]), "continuity.previous_tools[0].fidelity", "is missing").await;
    check(with(vec![PreviousTool { fidelity: 7, ..one.clone() }]), "continuity.previous_tools[0].fidelity", "7 is not a value")
        .await;
    check(with(vec![PreviousTool { source: String::new(), ..one.clone() }]), "continuity.previous_tools[0].source", "").await;
    check(with(vec![one.clone(), one.clone()]), "continuity.previous_tools[1]", "names s/t a second time").await;
    let many = (0..201).map(|i| PreviousTool { tool: format!("t{i}"), ..one.clone() }).collect();
    check(with(many), "continuity.previous_tools", "has 201 entries, the limit is 200").await;
    let session = Continuity { previous_tools: Vec::new(), session_id: "x".repeat(201) };
    check(session, "continuity.session_id", "has 201 bytes, the limit is 200").await;
}
