//! The router as an MCP server, spoken to by MCP clients: over standard input and output, and over HTTP.

use std::process::Stdio;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, bundled, program};

type Client = RunningService<RoleClient, ()>;

/// A front that was started by its client, as MCP hosts do.
async fn over_stdio(arguments: &[&str]) -> (Client, Child) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .arg("mcp")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    (().serve(pipes).await.unwrap(), child)
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("{arguments}") };
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap()
}

fn text(result: &CallToolResult) -> &str {
    &result.content[0].as_text().unwrap().text
}

#[tokio::test]
async fn search_gives_the_list_of_a_selection_and_describe_the_publishers_text() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (client, mut child) = over_stdio(&["--address", &format!("http://{}", router.grpc)]).await;
    let tools: Vec<String> = client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name.into_owned()).collect();
    assert_eq!(tools, ["search_tools", "describe_tools"]);

    let query = "what is on my calendar tomorrow";
    let found = call(&client, "search_tools", json!({"query": query, "max_tokens": 400, "max_tools": 3})).await;
    let expected = router
        .select_with(query, |request| {
            request.output = Some(Output { format: Format::Mcp.into(), ..Default::default() });
            request.budget = Some(Budget { max_tokens: Some(400), max_tools: Some(3), ..Default::default() });
        })
        .await;
    assert_eq!(text(&found), expected.prompt);
    let structured = found.structured_content.as_ref().unwrap();
    assert_eq!(structured["tokens"], expected.usage.unwrap().returned_tokens);
    let first = &structured["tools"][0];
    assert_eq!((&first["source"], &first["tool"]), (&json!(expected.tools[0].source), &json!(expected.tools[0].tool)));

    let name = first["name"].as_str().unwrap();
    let described = call(&client, "describe_tools", json!({"tools": [name, "files/read_file", "nothing/here"]})).await;
    let definitions: Vec<Value> = serde_json::from_str(text(&described)).unwrap();
    assert_eq!(definitions.len(), 2);
    assert_eq!(definitions[1]["name"], name, "references come before model names");
    assert!(definitions[0]["inputSchema"].is_object() && definitions[0]["description"].is_string());
    let missing = &described.content[1].as_text().unwrap().text;
    assert!(missing.contains("nothing/here is not registered"), "{missing}");
    client.cancel().await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_secs(5), child.wait()).await.unwrap().unwrap().success(),
        "it ends with its host"
    );
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_words() {
    let router = TestRouter::start().await;
    let (client, _child) = over_stdio(&["--address", &format!("http://{}", router.grpc)]).await;
    let check = async |tool: &'static str, arguments: Value, words: &str| {
        let result = call(&client, tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{result:?}");
        assert!(text(&result).contains(words), "{result:?}");
    };
    check("search_tools", json!({}), "missing field `query`").await;
    check("search_tools", json!({"query": "q", "limit": 3}), "unknown field `limit`").await;
    check("search_tools", json!({"query": " "}), "query: is blank").await;
    check("search_tools", json!({"query": "q", "max_tools": 201}), "budget.max_tools").await;
    check("describe_tools", json!({"tools": []}), "is empty").await;
    check("describe_tools", json!({"tools": ["nothing"]}), "no tool has the model name \"nothing\"").await;
    let none = call(&client, "search_tools", json!({"query": "q"})).await;
    assert_eq!(none.is_error, Some(false));
    assert!(text(&none).starts_with("No tool: "), "{none:?}");
    let unknown = client.call_tool(CallToolRequestParams::new("other")).await.unwrap_err().to_string();
    assert!(unknown.contains("there is no tool \"other\"; there are search_tools and describe_tools"), "{unknown}");
}

#[tokio::test]
async fn it_may_start_before_its_router() {
    let folder = tempfile::tempdir().unwrap();
    let port = program::free_port();
    let address = format!("http://127.0.0.1:{port}");
    let (client, _child) = over_stdio(&["--address", &address]).await;
    let early = call(&client, "search_tools", json!({"query": "q"})).await;
    assert_eq!(early.is_error, Some(true), "{early:?}");
    let _router = tokio::task::spawn_blocking({
        let store = folder.path().join("router.db");
        move || program::Program::start_at(port, &[], &store)
    })
    .await
    .unwrap();
    let late = call(&client, "search_tools", json!({"query": "q"})).await;
    assert_eq!(late.is_error, Some(false), "{late:?}");
}

#[tokio::test]
async fn a_front_for_some_sources_shows_no_others() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (client, _child) = over_stdio(&["--address", &format!("http://{}", router.grpc), "--source", "files"]).await;
    let found = call(&client, "search_tools", json!({"query": "what is on my calendar tomorrow"})).await;
    let structured = found.structured_content.unwrap();
    assert!(structured["tools"].as_array().unwrap().iter().all(|tool| tool["source"] == "files"), "{structured}");
    let other = bundled::sources().into_iter().find(|(source, _)| source != "files").unwrap();
    let name = format!("{}/{}", other.0, other.1[0].name);
    let hidden = call(&client, "describe_tools", json!({"tools": [name]})).await;
    assert_eq!(hidden.is_error, Some(true));
    assert_eq!(text(&hidden), format!("tool {name} is not registered"), "just as if it did not exist");
    let narrowed = call(&client, "search_tools", json!({"query": "q", "sources": [other.0]})).await;
    assert!(text(&narrowed).contains("these are: files"), "{narrowed:?}");
}

async fn front_over_http(router: &TestRouter, arguments: &[&str]) -> (Child, u16) {
    let port = program::free_port();
    let child = Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(["mcp", "--http", &format!("127.0.0.1:{port}"), "--address", &format!("http://{}", router.grpc)])
        .args(arguments)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (child, port)
}

async fn over_http(port: u16, token: Option<&str>) -> Result<Client, String> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(format!("http://127.0.0.1:{port}/mcp"));
    config.auth_header = token.map(str::to_owned);
    let transport = StreamableHttpClientTransport::from_config(config);
    ().serve(transport).await.map_err(|e| e.to_string())
}

#[tokio::test]
async fn http_serves_those_who_show_the_token() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "open-sesame\n").unwrap();
    let (_child, port) = front_over_http(&router, &["--client-token-file", file.to_str().unwrap()]).await;
    assert!(over_http(port, None).await.is_err());
    assert!(over_http(port, Some("guessed")).await.is_err());
    let client = over_http(port, Some("open-sesame")).await.unwrap();
    let found = call(&client, "search_tools", json!({"query": "what is on my calendar tomorrow"})).await;
    assert!(text(&found).starts_with('['), "{found:?}");
    client.cancel().await.unwrap();
}

/// The first line of the answer to a hand-written request.
async fn first_line(port: u16, headers: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "POST /mcp HTTP/1.1\r\n{headers}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn web_pages_cannot_reach_it() {
    let router = TestRouter::start().await;
    let (_child, port) = front_over_http(&router, &[]).await;
    let rebound = first_line(port, "Host: evil.example\r\n").await;
    assert!(rebound.contains("403"), "a name that was rebound to this machine: {rebound}");
    let page = first_line(port, &format!("Host: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\n")).await;
    assert!(page.contains("403"), "a page of another origin: {page}");
}

#[test]
fn beyond_loopback_needs_a_token() {
    let output = program::run(&["mcp", "--http", "0.0.0.0:0"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && complaint.contains("give --client-token-file"), "{complaint}");
    let output = program::run(&["mcp", "--http", "127.0.0.1:0", "--client-token-file", "/nowhere"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("--client-token-file /nowhere"), "{complaint}");
}
