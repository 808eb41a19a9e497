//! Bad input gets an error that names the field, the limit and the value, and the catalogue stays as it was.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;
use tool_router::rpc::proto::*;

use crate::support::program::run;
use crate::support::{TestRouter, assert_violation, names, query_request, repository, tool};

/// Selects with one thing wrong.
async fn select(router: &mut TestRouter, change: impl FnOnce(&mut SelectToolsRequest)) -> Result<(), tonic::Status> {
    let mut request = query_request("read a file");
    change(&mut request);
    router.router.select_tools(request).await.map(|_| ())
}

/// Registers one bad tool beside a good one: neither may get in.
async fn register(router: &mut TestRouter, bad: ToolDefinition) -> Result<(), tonic::Status> {
    let version = router.version().await;
    let tools = vec![tool("good", "Fine."), bad];
    let request = RegisterToolsRequest { source: "s".into(), tools, ..Default::default() };
    let result = router.catalog.register_tools(request).await.map(|_| ());
    assert_eq!(router.version().await, version, "the catalogue stays as it was");
    result
}

#[tokio::test]
async fn queries() {
    let mut router = TestRouter::start().await;
    let set = |text: &str| {
        let input = Some(select_tools_request::Input::Query(text.to_owned()));
        move |r: &mut SelectToolsRequest| r.input = input
    };
    assert_violation(select(&mut router, |r| r.input = None).await, "query", "is empty");
    assert_violation(select(&mut router, set("")).await, "query", "is empty");
    assert_violation(select(&mut router, set(" \t\n\u{3000}")).await, "query", "is blank");
    assert_violation(select(&mut router, set(&"x".repeat(32_769))).await, "query", "has 32769 bytes, the limit is 32768");
    assert!(select(&mut router, set(&"x y ".repeat(8_192))).await.is_ok(), "the longest query is answered");
    for odd in ["\0", "\u{202e}", "💥", "a\u{0301}", "'; DROP TABLE tools; --", "{}[]()*+?\\|^$", "\u{ffff}"] {
        assert!(select(&mut router, set(odd)).await.is_ok(), "{odd:?}");
    }
}

#[tokio::test]
async fn budgets_and_outputs() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read", "Reads a file.")]).await;
    let budget = |budget: Budget| move |r: &mut SelectToolsRequest| r.budget = Some(budget);
    let zero = Budget { max_tokens: Some(0), ..Default::default() };
    assert_violation(select(&mut router, budget(zero)).await, "budget.max_tokens", "is 0, 1 is the least");
    let none = Budget { max_tools: Some(0), ..Default::default() };
    assert_violation(select(&mut router, budget(none)).await, "budget.max_tools", "is 0, it must be 1 to 200");
    let many = Budget { max_tools: Some(201), ..Default::default() };
    assert_violation(select(&mut router, budget(many)).await, "budget.max_tools", "is 201, it must be 1 to 200");
    let unknown = Budget { tokenizer: Some("gpt2".into()), ..Default::default() };
    let words = "\"gpt2\" is unknown; known are o200k_base, cl100k_base";
    assert_violation(select(&mut router, budget(unknown)).await, "budget.tokenizer", words);
    let format = |r: &mut SelectToolsRequest| r.output = Some(Output { format: 99, ..Default::default() });
    assert_violation(select(&mut router, format).await, "output.format", "99 is not a value");
    let include = |r: &mut SelectToolsRequest| r.output = Some(Output { include: vec![1, 7], ..Default::default() });
    assert_violation(select(&mut router, include).await, "output.include[1]", "7 is not a value");

    // A cap smaller than one tool is no mistake: the answer is empty and says why.
    let tiny = Budget { max_tokens: Some(1), ..Default::default() };
    let answer = router.select_with("read", |r| r.budget = Some(tiny)).await;
    assert_eq!((answer.tools.len(), answer.usage.unwrap().returned_tokens), (0, 0));
    assert!(answer.no_match.unwrap().detail.contains("max_tokens is 1"));
}

#[tokio::test]
async fn references() {
    let mut router = TestRouter::start().await;
    let empty = ToolRef { source: "s".into(), tool: String::new() };
    let many = vec![ToolRef { source: "s".into(), tool: "t".into() }; 51];
    let (bad, more) = (empty.clone(), many.clone());
    assert_violation(select(&mut router, |r| r.pinned = vec![bad]).await, "pinned[0].tool", "is empty");
    assert_violation(select(&mut router, |r| r.explain_tools = more).await, "explain_tools", "has 51 entries, the limit is 50");
    let scope = Scope { sources: vec!["s".into(); 1_001], ..Default::default() };
    assert_violation(select(&mut router, |r| r.scope = Some(scope)).await, "scope", "has 1001 entries, the limit is 1000");
    let describe = |tools| DescribeToolsRequest { tools, ..Default::default() };
    assert_violation(router.router.describe_tools(describe(vec![])).await, "tools", "is empty");
    assert_violation(router.router.describe_tools(describe(vec![empty])).await, "tools[0].tool", "is empty");
    assert_violation(router.router.describe_tools(describe(many)).await, "tools", "has 51 entries, the limit is 50");
}

#[tokio::test]
async fn names_that_do_not_exist() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("here", "Is here.")]).await;
    let version = router.version().await;
    let get = GetToolRequest { source: "s".into(), tool: "gone".into() };
    let status = router.catalog.get_tool(get).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "tool s/gone is not registered"));
    let state = |state: i32, tools: Vec<String>| SetToolStateRequest { source: "s".into(), tools, state, expected_version: None };
    let gone = state(2, vec!["here".into(), "gone".into()]);
    assert_eq!(router.catalog.set_tool_state(gone).await.unwrap_err().code(), Code::NotFound);
    assert_violation(router.catalog.set_tool_state(state(0, vec!["here".into()])).await, "state", "is missing");
    assert_violation(router.catalog.set_tool_state(state(9, vec!["here".into()])).await, "state", "9 is not a value");
    assert_violation(router.catalog.set_tool_state(state(2, vec![])).await, "tools", "is empty");
    let remove = |source: &str, tools: Vec<String>, all| UnregisterToolsRequest {
        source: source.into(),
        tools,
        all,
        ..Default::default()
    };
    assert_eq!(router.catalog.unregister_tools(remove("nowhere", vec![], true)).await.unwrap_err().code(), Code::NotFound);
    assert_violation(router.catalog.unregister_tools(remove("s", vec!["here".into()], true)).await, "tools", "together with all");
    assert_violation(router.catalog.unregister_tools(remove("", vec!["here".into()], false)).await, "source", "is empty");
    let page = |size, token: &str| ListToolsRequest { page_size: Some(size), page_token: token.into(), ..Default::default() };
    assert_violation(router.catalog.list_tools(page(0, "")).await, "page_size", "is 0");
    assert_violation(router.catalog.list_tools(page(10, "zz")).await, "page_token", "is not one this service gave");
    assert_eq!(router.version().await, version);
}

#[tokio::test]
async fn schemas() {
    let mut router = TestRouter::start().await;
    let with = |schema: String| ToolDefinition { input_schema_json: schema, ..tool("bad", "Has a bad schema.") };
    let field = "tools[1].input_schema_json";
    assert_violation(register(&mut router, with("[1, 2]".into())).await, field, "is an array, not an object");
    assert_violation(register(&mut router, with("\"text\"".into())).await, field, "is a string, not an object");
    assert_violation(register(&mut router, with("{\"type\":".into())).await, field, "not valid JSON");
    assert_violation(register(&mut router, with("{\"a\":1,\"a\":2}".into())).await, field, "key \"a\" appears twice");
    let deep = "{\"properties\":{\"a\":".repeat(500) + "{}" + &"}}".repeat(500);
    assert_violation(register(&mut router, with(deep)).await, field, "nested deeper than 64 levels");
    let large = format!("{{\"description\":\"{}\"}}", "x".repeat(300_000));
    assert_violation(register(&mut router, with(large)).await, field, "over the limit of 262144");
    let ten_mib = format!("{{\"description\":\"{}\"}}", "x".repeat(10 << 20));
    assert_violation(
        register(&mut router, with(ten_mib)).await,
        "tools",
        "the limit is 8388608 per batch; the largest is tools[1]",
    );
    let cyclic = r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##;
    let status = register(&mut router, with(cyclic.into())).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("$ref"), "{}", status.message());
    let remote = r#"{"properties":{"a":{"$ref":"https://example.com/schema.json"}}}"#;
    let status = register(&mut router, with(remote.into())).await.unwrap_err();
    assert!(status.message().contains("$ref"), "{}", status.message());

    // A schema that contains itself through a property is sound: trees have such schemas.
    let tree = r##"{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}}"##;
    router.register("s", vec![with(tree.into())]).await;
    assert_eq!(names(&router.select("bad").await), ["s/bad"]);
}

#[tokio::test]
async fn hidden_characters() {
    let mut router = TestRouter::start().await;
    let zero_width = "\u{200b}";
    let schema = |schema: &str| ToolDefinition { input_schema_json: schema.into(), ..tool("bad", "Has something to hide.") };
    let cases = [
        (tool("ba\u{200b}d", "x"), "name"),
        (tool("bad", "Reads \u{202e}files."), "description"),
        (tool("bad", "Reads \u{e0049}\u{e0067}files."), "description"),
        (tool("bad", "Reads\u{fe0f} files."), "description"),
        (tool("bad", "Reads \u{1b}[8mfiles."), "description"),
        (ToolDefinition { title: Some(format!("Ti{zero_width}tle")), ..tool("bad", "x") }, "title"),
        (ToolDefinition { tags: vec![format!("t{zero_width}")], ..tool("bad", "x") }, "tags"),
        (ToolDefinition { examples: vec![format!("t{zero_width}")], ..tool("bad", "x") }, "examples"),
        (schema("{\"properties\":{\"pa\u{200b}th\":{}}}"), "input_schema"),
        (schema("{\"properties\":{\"path\":{\"description\":\"hid\u{2066}den\"}}}"), "input_schema"),
        (schema("{\"properties\":{\"path\":{\"enum\":[\"a\\u200bb\"]}}}"), "input_schema"),
        (schema("{\"properties\":{\"path\":{\"default\":\"a\u{ad}b\"}}}"), "input_schema"),
    ];
    for (bad, part) in cases {
        let status = register(&mut router, bad).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(
            status.message().contains(&format!("tools[1].{part}")) && status.message().contains("U+"),
            "{}",
            status.message()
        );
    }
    // What people really write is no hiding place.
    for fine in ["Zeigt 👩‍👩‍👧 an 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️", "می‌خواهم فایل را بخوانم", "파일을 읽습니다", "Line one\n\tline two"]
    {
        router.register("fine", vec![tool("fine", fine)]).await;
    }
}

#[tokio::test]
async fn batches() {
    let mut router = TestRouter::start().await;
    let batch = |tools| RegisterToolsRequest { source: "s".into(), tools, ..Default::default() };
    let result = router.catalog.register_tools(batch(vec![])).await;
    assert_violation(result, "tools", "is empty");
    let twice = vec![tool("a", "One."), tool("b", "Two."), tool("a", "Three.")];
    assert_violation(router.catalog.register_tools(batch(twice)).await, "tools[2].name", "\"a\" is also the name of tools[0]");
    let many = (0..1_001).map(|i| tool(&format!("t{i}"), "One of many.")).collect();
    assert_violation(router.catalog.register_tools(batch(many)).await, "tools", "has 1001 tools, the limit is 1000 per batch");
    let no_source = RegisterToolsRequest { source: String::new(), tools: vec![tool("a", "One.")], ..Default::default() };
    let status = router.catalog.register_tools(no_source).await.unwrap_err();
    assert!(status.message().contains("source: is empty"), "{}", status.message());
    let huge = batch(vec![ToolDefinition { description: "x".repeat(20 << 20), ..tool("a", "") }]);
    let status = router.catalog.register_tools(huge).await.unwrap_err();
    assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
    assert!(names(&router.select("anything").await).is_empty());
}

#[tokio::test]
async fn garbage_on_the_wire() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("here", "Is here.")]).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice();
    let garbage: [Vec<u8>; 5] = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 4_096],
        preface.to_vec(),
        [preface, &[0xff, 0xff, 0xff, 0x04, 0xff, 0xff, 0xff, 0xff, 0xff]].concat(),
        [preface, &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
    ];
    for bytes in garbage {
        let mut stream = tokio::net::TcpStream::connect(router.grpc).await.unwrap();
        stream.write_all(&bytes).await.ok();
        let mut answer = Vec::new();
        tokio::time::timeout(Duration::from_millis(200), stream.read_to_end(&mut answer)).await.ok();
    }
    // A frame that is sound gRPC around a message that is no message.
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect().await.unwrap();
    let mut raw = tonic::client::Grpc::new(channel);
    raw.ready().await.unwrap();
    let path = "/toolrouter.v1.ToolRouter/SelectTools".parse().unwrap();
    // Its first field is a number, where a selection's is text.
    let message = prost_types::Timestamp { seconds: 5, nanos: 0 };
    let codec = tonic_prost::ProstCodec::<prost_types::Timestamp, SelectToolsResponse>::default();
    let status = raw.unary(tonic::Request::new(message), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    assert_eq!(names(&router.select("here").await), ["s/here"], "the router goes on");
}

#[tokio::test]
async fn files() {
    let router = TestRouter::start().await;
    let address = format!("http://{}", router.grpc);
    let folder = tempfile::tempdir().unwrap();
    let import = async |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let (address, path) = (address.clone(), path.to_str().unwrap().to_owned());
        let output = tokio::task::spawn_blocking(move || run(&["import", "file", &path, "--address", &address])).await.unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let whole = std::fs::read(repository().join("examples/catalogue/files.json")).unwrap();
    let truncated = import("truncated.json", &whole[..whole.len() / 2]).await;
    assert!(truncated.contains("truncated.json") && truncated.contains("line"), "{truncated}");
    assert!(import("empty.json", b"").await.contains("empty.json"));
    assert!(import("binary.json", &[0xff, 0xfe, 0x00, 0x80]).await.contains("UTF-8"));
    assert!(import("shape.json", b"{\"a\": 1}").await.contains("shape.json"));
    let twice = br#"{"tools":[{"name":"a","inputSchema":{}},{"name":"a","inputSchema":{}}]}"#;
    let twice = import("twice.json", twice).await;
    assert!(twice.contains("twice.json") && twice.contains('a'), "{twice}");
    let missing = tokio::task::spawn_blocking(|| run(&["import", "file", "/nowhere/tools.json"])).await.unwrap();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/tools.json"));
    let mut router = router;
    assert!(names(&router.select("anything").await).is_empty(), "nothing of a bad file gets in");
}

#[tokio::test]
async fn a_full_store_refuses_and_selections_go_on() {
    let mut router = TestRouter::start_with(|config| config.store.max_mib = Some(1)).await;
    router.register("s", vec![tool("here", "Is here.")]).await;
    let version = router.version().await;
    let large: Vec<_> = (0..20).map(|i| tool(&format!("large_{i}"), &"words and words ".repeat(10_000))).collect();
    let request = RegisterToolsRequest { source: "s".into(), tools: large, ..Default::default() };
    let status = router.catalog.register_tools(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("store is full"), "{}", status.message());
    assert_eq!(router.version().await, version);
    assert_eq!(names(&router.select("here").await), ["s/here"]);
    router.register("s", vec![tool("small", "Still fits.")]).await;
    let mut router = router.restart().await;
    assert_eq!(names(&router.select("small").await).len(), 2);
}
