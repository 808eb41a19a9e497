//! Selections: the cap, the order, the formats, the reasons.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as PropConfig, TestRunner};
use tool_router::compact::Tokenizer;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, bundled, names, query_request, tool};

#[tokio::test]
async fn the_cap_holds_for_every_format_tokenizer_and_size() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let queries = bundled::queries();
    let strategy = (0..queries.len(), 1_u32..4_000, 1_u32..60, 0_usize..5, any::<bool>());
    let mut runner = TestRunner::new(PropConfig { cases: 1, ..PropConfig::default() });
    for _ in 0..300 {
        let (query, max_tokens, max_tools, format, o200k) = strategy.new_tree(&mut runner).unwrap().current();
        let tokenizer = if o200k { Tokenizer::O200kBase } else { Tokenizer::Cl100kBase };
        let answer = router
            .select_with(&queries[query].text, |request| {
                let (max_tokens, max_tools) = (Some(max_tokens), Some(max_tools));
                request.budget =
                    Some(Budget { max_tokens, tokenizer: Some(tokenizer.name().into()), max_tools, min_tools: None });
                let formats = [Format::OpenaiChat, Format::Anthropic, Format::Mcp, Format::OpenaiResponses, Format::Gemini];
                request.output = Some(Output { format: formats[format].into(), ..Default::default() });
            })
            .await;
        let usage = answer.usage.unwrap();
        let counted = tokenizer.count(&answer.prompt).0;
        assert!(counted <= max_tokens, "{counted} tokens for a cap of {max_tokens}");
        assert_eq!(usage.returned_tokens, counted);
        assert!(answer.tools.len() <= max_tools as usize);
        assert_eq!(answer.tools.is_empty(), answer.no_match.is_some());
        if !answer.prompt.is_empty() {
            let list: Vec<serde_json::Value> = serde_json::from_str(&answer.prompt).unwrap();
            let definitions: Vec<serde_json::Value> =
                answer.tools.iter().map(|tool| serde_json::from_str(&tool.definition_json).unwrap()).collect();
            assert_eq!(list, definitions, "the prompt is the definitions in order");
        }
    }
}

#[tokio::test]
async fn the_right_tool_is_found_by_words_alone() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let queries = bundled::queries();
    let mut hits = 0;
    for query in &queries {
        let answer =
            router.select_with(&query.text, |r| r.budget = Some(Budget { max_tools: Some(10), ..Default::default() })).await;
        hits += usize::from(query.relevant.iter().any(|id| names(&answer).contains(id)));
    }
    // The hashing embedder knows spelling only, so this is a floor under the whole path, not a measure of quality.
    assert!(queries.len() / 2 <= hits, "{hits} of {} queries found a tool in the first ten", queries.len());
}

#[tokio::test]
async fn a_named_tool_comes_first() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (source, tools) = bundled::sources().into_iter().find(|(source, _)| source == "files").unwrap();
    for named in tools.iter().filter(|tool| tool.name.contains('_')) {
        let answer = router.select(&format!("send an invoice by mail and then {} please", named.name)).await;
        assert_eq!(names(&answer)[0], format!("{source}/{}", named.name));
    }
}

#[tokio::test]
async fn pins_come_first_and_missing_ones_are_reported() {
    let mut router = TestRouter::start().await;
    let tools = ["alpha_one", "beta_two", "gamma_three"].map(|name| tool(name, "Does something."));
    router.register("s", tools.into()).await;
    let state = SetToolStateRequest {
        source: "s".into(),
        tools: vec!["gamma_three".into()],
        state: ToolState::Disabled.into(),
        expected_version: None,
    };
    router.catalog.set_tool_state(state).await.unwrap();
    let pin = |tool: &str| ToolRef { source: "s".into(), tool: tool.into() };
    let answer = router
        .select_with("alpha_one", |request| {
            request.pinned = vec![pin("nowhere"), pin("gamma_three"), pin("beta_two"), pin("beta_two")];
            request.explain = true;
        })
        .await;
    assert_eq!(names(&answer), ["s/beta_two", "s/alpha_one"]);
    assert_eq!(answer.tools[0].reasons[0], "pinned by the caller");
    assert!(answer.tools[1].reasons.contains(&"the query names it".to_owned()));
    let reasons: Vec<_> = answer.dropped.iter().map(DroppedTool::reason).collect();
    assert_eq!(reasons, [dropped_tool::Reason::NotFound, dropped_tool::Reason::Disabled]);
}

#[tokio::test]
async fn scopes_narrow_and_count_what_they_leave() {
    let mut router = TestRouter::start().await;
    let labelled = |name: &str, domain: &str, tag: &str| ToolDefinition {
        domain: Some(domain.into()),
        tags: vec![tag.into(), "all".into()],
        ..tool(name, "Does something.")
    };
    router.register("one", vec![labelled("a", "money", "x"), labelled("b", "travel", "y")]).await;
    router.register("two", vec![labelled("c", "money", "y")]).await;
    let reference = |source: &str, tool: &str| ToolRef { source: source.into(), tool: tool.into() };
    let mut check = async |scope: Scope, expected: &[&str]| {
        let answer = router.select_with("does something", |request| request.scope = Some(scope)).await;
        let mut found = names(&answer);
        found.sort();
        assert_eq!(found, expected);
        let usage = answer.usage.unwrap();
        assert_eq!(usage.eligible_tools as usize, expected.len());
        assert_eq!(usage.eligible_tokens == 0, expected.is_empty());
        answer
    };
    check(Scope::default(), &["one/a", "one/b", "two/c"]).await;
    check(Scope { sources: vec!["one".into()], ..Default::default() }, &["one/a", "one/b"]).await;
    check(Scope { domains: vec!["money".into()], ..Default::default() }, &["one/a", "two/c"]).await;
    check(Scope { tags: vec!["y".into()], sources: vec!["two".into()], ..Default::default() }, &["two/c"]).await;
    check(Scope { allow: vec![reference("one", "b"), reference("two", "c")], ..Default::default() }, &["one/b", "two/c"]).await;
    check(Scope { deny: vec![reference("one", "a")], ..Default::default() }, &["one/b", "two/c"]).await;
    let nothing = check(Scope { sources: vec!["three".into()], ..Default::default() }, &[]).await;
    assert_eq!(nothing.no_match.unwrap().reason(), no_match::Reason::EmptyScope);
}

#[tokio::test]
async fn nothing_to_return_is_said_with_its_reason() {
    let mut router = TestRouter::start().await;
    let answer = router.select("anything").await;
    assert_eq!(answer.no_match.unwrap().reason(), no_match::Reason::EmptyCatalog);
    assert_eq!(answer.prompt, "");

    router.register("s", vec![tool("read", "Reads a value.")]).await;
    let answer = router.select_with("read", |r| r.budget = Some(Budget { max_tokens: Some(5), ..Default::default() })).await;
    let no_match = answer.no_match.unwrap();
    assert_eq!(no_match.reason(), no_match::Reason::OverBudget);
    assert!(no_match.detail.starts_with("max_tokens is 5, the smallest candidate needs "), "{}", no_match.detail);
    assert_eq!(answer.dropped[0].reason(), dropped_tool::Reason::OverBudget);
    assert_eq!((answer.usage.unwrap().returned_tokens, answer.tools.len()), (0, 0));
}

#[tokio::test]
async fn tools_shrink_before_they_vanish() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let query = "show my calendar and send an invoice by mail";
    let ask = |max_tokens| {
        move |r: &mut SelectToolsRequest| r.budget = Some(Budget { max_tokens: Some(max_tokens), ..Default::default() })
    };
    let wide = router.select_with(query, ask(20_000)).await;
    assert!(wide.tools.iter().all(|tool| tool.fidelity() == Fidelity::Full));
    let narrow = router.select_with(query, ask(1_200)).await;
    let fidelities: Vec<_> = narrow.tools.iter().map(SelectedTool::fidelity).collect();
    assert!(fidelities.ends_with(&[Fidelity::Skeleton; 3]), "{fidelities:?}");
    let few = router.select_with(query, |request| {
        request.budget = Some(Budget { max_tokens: Some(1_200), max_tools: Some(8), ..Default::default() });
    });
    let few: Vec<_> = few.await.tools.iter().map(SelectedTool::fidelity).collect();
    assert!(few[..3].iter().all(|fidelity| *fidelity > Fidelity::Skeleton), "the likelier, the more of it: {few:?}");
}

#[tokio::test]
async fn a_caller_can_ask_what_became_of_a_tool() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read_file", "Reads a file."), tool("send_mail", "Sends a mail.")]).await;
    let reference = |tool: &str| ToolRef { source: "s".into(), tool: tool.into() };
    let answer = router
        .select_with("read a file", |request| {
            request.budget = Some(Budget { max_tools: Some(1), ..Default::default() });
            request.explain_tools = vec![reference("read_file"), reference("send_mail"), reference("gone")];
        })
        .await;
    let fates: Vec<_> = answer.explanations.iter().map(|e| e.fate.as_str()).collect();
    assert!(fates[0].starts_with("returned, place 1 of 1"), "{fates:?}");
    assert_eq!(fates[1], "not returned: others ranked higher, and 1 came into the list");
    assert_eq!(fates[2], "not returned: s/gone is not registered");
    assert_eq!(answer.explanations.iter().map(|e| e.rank).collect::<Vec<_>>(), [Some(1), Some(2), None]);
}

#[tokio::test]
async fn parts_can_be_left_out_without_changing_what_is_counted() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read_file", "Reads a file.")]).await;
    let whole = router.select("read a file").await;
    let only = |include: Include| {
        move |r: &mut SelectToolsRequest| r.output = Some(Output { include: vec![include.into()], ..Default::default() })
    };
    let prompt = router.select_with("read a file", only(Include::Prompt)).await;
    let definitions = router.select_with("read a file", only(Include::Definitions)).await;
    assert_eq!((prompt.prompt.as_str(), prompt.tools[0].definition_json.as_str()), (whole.prompt.as_str(), ""));
    assert_eq!((definitions.prompt.as_str(), &definitions.tools[0]), ("", &whole.tools[0]));
    assert_eq!(prompt.usage, whole.usage);
}

#[tokio::test]
async fn the_publishers_text_comes_back_byte_for_byte() {
    let mut router = TestRouter::start().await;
    let schema = "{ \"type\":\"object\",\n \"properties\": {\"n\": {\"type\":\"number\", \"maximum\": 12345678901234567890.10}}}";
    let definition = ToolDefinition {
        input_schema_json: schema.into(),
        extra_json: Some(r#"{"_meta": {"b": 1, "a": 2}}"#.into()),
        ..tool("exact", "Keeps   its\ntext.")
    };
    router.register("s", vec![definition.clone()]).await;
    let mut router = router.restart().await;
    let request = DescribeToolsRequest {
        tools: vec![ToolRef { source: "s".into(), tool: "exact".into() }],
        model_names: vec!["exact".into(), "nobody".into()],
        ..Default::default()
    };
    let answer = router.router.describe_tools(request).await.unwrap().into_inner();
    for result in &answer.results[..2] {
        let Some(described_tool::Result::Tool(tool)) = &result.result else { panic!("{result:?}") };
        assert_eq!(tool.definition.as_ref(), Some(&definition));
    }
    assert!(matches!(&answer.results[2].result, Some(described_tool::Result::NotFound(n)) if n.detail.contains("nobody")));
    let selected =
        router.select_with("exact", |r| r.output = Some(Output { format: Format::Mcp.into(), ..Default::default() })).await;
    assert!(selected.prompt.contains(schema), "{}", selected.prompt);
    assert!(selected.prompt.contains(r#""_meta":"#));
}

#[tokio::test]
async fn stages_and_ids_are_in_meta() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read_file", "Reads a file.")]).await;
    let mut request = tonic::Request::new(query_request("read a file"));
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    let meta = router.router.select_tools(request).await.unwrap().into_inner().meta.unwrap();
    assert_eq!(meta.trace_id, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(meta.selection_id.len(), 32);
    let stages: Vec<_> = meta.stages.iter().map(|s| s.stage.as_str()).collect();
    assert_eq!(stages, ["embed", "retrieve", "rank", "pack", "render"]);
}
