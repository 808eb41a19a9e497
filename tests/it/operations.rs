//! Running it: probes, metrics, drain, deadlines, overload, reflection.

use std::time::Duration;

use tonic::Code;
use tonic_types::StatusExt;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, bundled, http_get, names, query_request, tool};

/// Waits for something that the router does in its own time.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within ten seconds");
}

#[tokio::test]
async fn probes_and_metrics() {
    let mut router = TestRouter::start().await;
    router.register("s", vec![tool("read", "Reads a file."), tool("write", "Writes a file.")]).await;
    router.select("read a file").await;
    router.select("read a file").await;
    router.router.select_tools(query_request("")).await.unwrap_err();
    assert_eq!(http_get(router.http, "/livez").await, (200, "alive\n".into()));
    assert_eq!(http_get(router.http, "/readyz").await.0, 200);
    assert_eq!(http_get(router.http, "/nothing").await.0, 404);
    let (status, metrics) = http_get(router.http, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "rpc_server_call_duration_seconds_count{rpc_method=\"toolrouter.v1.ToolRouter/SelectTools\",rpc_response_status_code=\"OK\",rpc_system_name=\"grpc\"} 2",
        "rpc_response_status_code=\"INVALID_ARGUMENT\"",
        "toolrouter_select_stage_duration_seconds_bucket{stage=\"embed\"",
        "toolrouter_selections_total{cache=\"miss\",engine=\"exact\",mode=\"semantic\"} 1",
        "toolrouter_selections_total{cache=\"answer\",engine=\"none\",mode=\"semantic\"} 1",
        "toolrouter_index_graph_tools 0",
        "toolrouter_tokens_total{kind=\"returned\",tenant=\"default\"} ",
        "toolrouter_tokens_total{kind=\"saved\",tenant=\"default\"} ",
        "toolrouter_tool_returned_total{source=\"s\",tool=\"read\"} 2",
        "toolrouter_calls_active{rpc_method=\"toolrouter.v1.ToolRouter/SelectTools\"} 0",
        "toolrouter_registration_visible_seconds_count 1",
        "toolrouter_embed_wait_seconds_count",
        "toolrouter_index_delta_tools 2",
        "toolrouter_catalog_version 1",
        "toolrouter_catalog_lag 0",
        "toolrouter_cache_entries{cache=\"answers\"}",
        "db_client_operation_duration_seconds_count{db_operation_name=\"apply\",db_system_name=\"sqlite\"} 1",
        "toolrouter_build_info{model=\"hashing-256@1\",numerics=\"exact\",version=",
        "target_info{service_instance_id=",
        "process_resident_memory_bytes ",
        "toolrouter_catalog_tools{state=\"enabled\"} 2",
        "toolrouter_catalog_tools{state=\"disabled\"} 0",
        "toolrouter_embed_waiting 0",
        // The second time the answer was known.
        "toolrouter_embed_texts_total{lane=\"query\"} 1",
        "toolrouter_embed_texts_total{lane=\"registration\"}",
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

#[tokio::test]
async fn a_drain_answers_what_is_under_way_and_tells_probes_first() {
    let mut router = TestRouter::start_with(|config| config.server.drain_delay_ms = 2_000).await;
    router.register("s", vec![tool("read", "Reads a file.")]).await;
    router.begin_stop();
    until("probes say no", async || http_get(router.http, "/readyz").await.0 == 503).await;
    assert_eq!(http_get(router.http, "/livez").await.0, 200);
    assert_eq!(names(&router.select("read").await), ["s/read"], "calls are taken until the delay is over");
    until("the ports are closed", async || http_get(router.http, "/livez").await.0 == 0).await;
    assert!(router.router.select_tools(query_request("read")).await.is_err());
}

#[tokio::test]
async fn neither_a_health_watch_nor_half_a_request_holds_up_a_drain() {
    use tokio::io::AsyncWriteExt;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    let router = TestRouter::start().await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect().await.unwrap();
    let watch = HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap();
    let mut states = watch.into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status, 1);
    let mut half = tokio::net::TcpStream::connect(router.http).await.unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    // The drain itself may take 5 s here; neither client may use them up.
    tokio::time::timeout(Duration::from_secs(4), router.stop()).await.expect("the router stops");
    assert_eq!(states.message().await.unwrap().unwrap().status, 2, "the watcher was told first");
}

#[tokio::test]
async fn calls_that_are_late_or_given_up_are_counted() {
    let mut router = TestRouter::start().await;
    let tools = || (0..400).map(|i| tool(&format!("tool_{i}"), &"words and words ".repeat(400))).collect();
    // Whether a call is cut while it is read, while it runs or after it is done is the machine's to decide; so it is tried until it shows.
    for attempt in 0..40_u64 {
        let mut late = tonic::Request::new(RegisterToolsRequest { source: "s".into(), tools: tools(), ..Default::default() });
        late.metadata_mut().insert("grpc-timeout", format!("{}m", 20 + attempt * 10).parse().unwrap());
        router.catalog.register_tools(late).await.ok();
        let mut client = router.catalog.clone();
        let request = RegisterToolsRequest { source: format!("s{attempt}"), tools: tools(), ..Default::default() };
        let given_up = tokio::spawn(async move { client.register_tools(request).await });
        tokio::time::sleep(Duration::from_millis(20 + attempt * 10)).await;
        given_up.abort();
        let metrics = http_get(router.http, "/metrics").await.1;
        let counted = metrics
            .lines()
            .filter(|line| line.starts_with("rpc_server_call_duration_seconds_count") && line.contains("RegisterTools"))
            .filter(|line| line.contains("\"CANCELLED\"") || line.contains("\"DEADLINE_EXCEEDED\""))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u32>().unwrap());
        if 2 <= counted.sum::<u32>() {
            return;
        }
    }
    panic!("{}", http_get(router.http, "/metrics").await.1);
}

#[tokio::test]
async fn only_so_many_lists_are_read_at_once() {
    use tool_router::rpc::proto::sync_source_request::Part;
    let mut router = TestRouter::start().await;
    let mut open = Vec::new();
    for i in 0..4 {
        let (parts, stream) = tokio::sync::mpsc::channel(1);
        let header = SyncHeader { source: format!("s{i}"), ..Default::default() };
        parts.send(SyncSourceRequest { part: Some(Part::Header(header)) }).await.unwrap();
        let mut client = router.catalog.clone();
        let stream = tokio_stream::wrappers::ReceiverStream::new(stream);
        let call = tokio::spawn(async move { client.sync_source(stream).await });
        // More than the transport takes unread: once these are sent, the router is reading the list.
        for part in 0..4 {
            let tools = (0..3).map(|j| tool(&format!("t{part}_{j}"), &"x".repeat(200_000))).collect();
            parts.send(SyncSourceRequest { part: Some(Part::Chunk(SyncChunk { tools })) }).await.unwrap();
        }
        open.push((parts, call));
    }
    let list = |tools: Vec<ToolDefinition>| {
        let end = SyncEnd { total_tools: tools.len() as u32 };
        let header = SyncHeader { source: "another".into(), ..Default::default() };
        [Part::Header(header), Part::Chunk(SyncChunk { tools }), Part::End(end)]
            .map(|part| SyncSourceRequest { part: Some(part) })
    };
    let one = || list(vec![tool("one", "Only one.")]);
    let refused = router.catalog.sync_source(tokio_stream::iter(one())).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    let (parts, call) = open.remove(0);
    // A wrong count ends it without embedding two megabytes.
    parts.send(SyncSourceRequest { part: Some(Part::End(SyncEnd { total_tools: 0 })) }).await.unwrap();
    drop(parts);
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::InvalidArgument);
    router.catalog.sync_source(tokio_stream::iter(one())).await.unwrap();
}

#[tokio::test]
async fn a_deadline_the_embedder_would_miss_is_answered_by_words() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let mut request = tonic::Request::new(query_request("read_file from disk"));
    // 4 ms are less than what is kept back for ranking, so no embedder is quick enough.
    request.metadata_mut().insert("grpc-timeout", "4m".parse().unwrap());
    // The transport may cut such a call off; what matters is that an answer, when there is one, is lexical and says why.
    match router.router.select_tools(request).await {
        Ok(answer) => {
            let answer = answer.into_inner();
            assert_eq!(answer.mode(), Mode::Lexical);
            assert!(answer.degraded_reason.contains("ms are left"), "{}", answer.degraded_reason);
            assert!(names(&answer).contains(&"files/read_file".to_owned()) || !answer.tools.is_empty());
        }
        Err(status) => assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}"),
    }
    let short = TestRouter::start_with(|config| config.server.default_deadline_ms = 1).await;
    let mut short = short;
    short.register("s", vec![tool("read_file", "Reads a file.")]).await;
    let answer = short.select("read_file").await;
    assert_eq!((answer.mode(), names(&answer)), (Mode::Lexical, vec!["s/read_file".to_owned()]));
    assert!(!answer.degraded_reason.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_embed_queue_says_when_to_come_back() {
    let mut router = TestRouter::start_with(|config| config.embedder.queue_limit = 1).await;
    bundled::register(&mut router).await;
    // Long queries keep the one worker busy; enough of them at once overfill a queue of one. All different: a known one is not embedded.
    let long = "words upon words ".repeat(1_900);
    let mut calls = Vec::new();
    for i in 0..64 {
        let (mut client, request) = (router.router.clone(), query_request(&format!("{i} {long}")));
        calls.push(tokio::spawn(async move { client.select_tools(request).await }));
    }
    let mut refused = 0;
    for call in calls {
        if let Err(status) = call.await.unwrap() {
            assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
            assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
            assert!(status.message().contains("the limit is 1"), "{}", status.message());
            refused += 1;
        }
    }
    assert!(0 < refused, "64 calls went through a queue of one");
    assert!(!names(&router.select("read a file").await).is_empty(), "afterwards all is well");
}

#[tokio::test]
async fn reflection_and_health_answer() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    let router = TestRouter::start().await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect().await.unwrap();
    for service in ["", "toolrouter.v1.ToolRouter", "toolrouter.v1.ToolCatalog"] {
        let request = HealthCheckRequest { service: service.into() };
        assert_eq!(HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner().status, 1);
    }
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let request =
        ServerReflectionRequest { host: String::new(), message_request: Some(MessageRequest::ListServices(String::new())) };
    let mut answers =
        ServerReflectionClient::new(channel).server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    let services: Vec<_> = services.service.into_iter().map(|s| s.name).collect();
    assert!(
        services.contains(&"toolrouter.v1.ToolRouter".into()) && services.contains(&"grpc.health.v1.Health".into()),
        "{services:?}"
    );
}

#[tokio::test]
async fn no_query_text_or_schema_is_logged_at_info() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let port = crate::support::program::free_port();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(["serve", "--embedder", "hashing", "--http-address", "127.0.0.1:0", "--grpc-address", &format!("127.0.0.1:{port}")])
        .arg("--store")
        .arg(folder.path().join("router.db"))
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let address = format!("http://127.0.0.1:{port}");
    let run = |arguments: Vec<String>| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--address", &address]).collect();
            crate::support::program::run(&arguments)
        })
    };
    while !run(vec!["health".into()]).await.unwrap().status.success() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let file = folder.path().join("tools.json");
    let tools = r#"{"tools":[{"name":"t","description":"SECRET-description","inputSchema":{"properties":{"SECRET-key":{}}}}]}"#;
    std::fs::write(&file, tools).unwrap();
    assert!(run(vec!["import".into(), "file".into(), file.to_str().unwrap().into()]).await.unwrap().status.success());
    std::fs::write(&file, tools.replace("{}}}", "{\"description\":\"SECRET\u{200b}\"}}}")).unwrap();
    assert!(!run(vec!["import".into(), "file".into(), file.to_str().unwrap().into()]).await.unwrap().status.success());
    assert!(run(vec!["select".into(), "SECRET-query".into()]).await.unwrap().status.success());
    assert!(
        !run(vec!["select".into(), "SECRET-query".into(), "--tokenizer".into(), "SECRET-tokenizer".into()])
            .await
            .unwrap()
            .status
            .success()
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(!log.contains("SECRET"), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let selection = lines.iter().find(|line| !line["toolrouter.selection.id"].is_null()).expect("a selection is logged");
    assert_eq!(selection["trace_id"].as_str().unwrap().len(), 32);
    assert_eq!(selection["span_id"].as_str().unwrap().len(), 16);
}
