//! Selections that are kept: each runs again to the byte, and what has changed since is told in words.

use std::collections::HashMap;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Code;
use tool_router::catalog::TenantCatalog;
use tool_router::compact::Counters;
use tool_router::config::{Config, Engine};
use tool_router::embed::hashing::HashingEmbedder;
use tool_router::embed::{ModelInfo, Pool, PoolOptions};
use tool_router::replay::{self, Case, Outcome, Reason, Record, Redact, Selection};
use tool_router::rpc::client::{Client, ClientOptions};
use tool_router::rpc::proto::select_tools_request::Input;
use tool_router::rpc::proto::turn::Role;
use tool_router::rpc::proto::*;
use tool_router::rpc::replay::run_again;
use tool_router::select::{Late, Policy, Selector, SelectorOptions};

use crate::support::program::{Program, run};
use crate::support::{TestRouter, bundled, cleared, http_get, query_request, tool};

fn kept(query: &str) -> SelectToolsRequest {
    SelectToolsRequest { keep_replay: true, ..query_request(query) }
}

/// What runs selections again, as the command does.
struct Rerun {
    selector: Selector,
    model: ModelInfo,
    catalogues: HashMap<String, Arc<TenantCatalog>>,
}

impl Rerun {
    fn new() -> Self {
        let loaded = HashingEmbedder::load(1);
        let model = loaded.info.clone();
        let pool = Pool::start(loaded, PoolOptions::default()).unwrap();
        let selector = Selector::new(pool, Policy::default(), &SelectorOptions::BARE).with_counters(Counters::default());
        Self { selector, model, catalogues: HashMap::new() }
    }

    /// The sha256 of what `selection` gives now.
    async fn sha256(&mut self, Selection { record, weights, catalogue }: &Selection) -> String {
        let policy = record.made_with.policy(weights, self.model.dimension).unwrap();
        let built = || Arc::new(replay::catalogue(catalogue.as_ref().unwrap(), &self.model.id, self.model.dimension));
        let catalogue = self.catalogues.entry(record.catalogue.sha256.clone().unwrap()).or_insert_with(built);
        let again = replay::again(record, true);
        run_again(record, &self.selector.ranking_by(policy), catalogue, &again).await.unwrap().sha256
    }
}

fn sha256(answer: &SelectToolsResponse) -> String {
    Sha256::digest(cleared(answer.clone()).encode_to_vec()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn id(answer: &SelectToolsResponse) -> String {
    answer.meta.as_ref().unwrap().selection_id.clone()
}

async fn client(router: &TestRouter) -> Client {
    let address = format!("http://{}", router.grpc);
    let options = ClientOptions { address, ca_file: None, token_file: None, timeout: Duration::from_secs(10) };
    Client::connect(&options).await.unwrap()
}

/// The one selection of that id.
async fn selection(client: &mut Client, id: &str) -> Selection {
    let file = client.replay(id).await.unwrap().expect("it is kept");
    let mut case = Case::read(file.as_slice()).unwrap();
    assert_eq!(case.selections.len(), 1);
    case.selections.pop().unwrap()
}

fn recorded_sha256(record: &Record) -> String {
    match &record.outcome {
        Outcome::Answer { sha256, .. } => sha256.clone(),
        Outcome::Error { code, .. } => panic!("an answer was recorded, not {code}"),
    }
}

fn turns(texts: &[&str]) -> Input {
    let turn = |text: &&str| Turn { role: Role::User.into(), text: (*text).into(), tool_calls: Vec::new() };
    let call = ToolRef { source: "filesystem".into(), tool: "read_file".into() };
    let mut turns: Vec<Turn> = texts.iter().map(turn).collect();
    turns.insert(1, Turn { role: Role::Assistant.into(), text: "Done.".into(), tool_calls: vec![call] });
    Input::Conversation(Conversation { turns })
}

/// Requests of every kind, over the bundled catalogue.
fn every_kind(previous: &SelectToolsResponse) -> Vec<SelectToolsRequest> {
    let mut all: Vec<SelectToolsRequest> = bundled::queries().iter().map(|query| kept(&query.text)).collect();
    let reference = |tool: &SelectedTool| ToolRef { source: tool.source.clone(), tool: tool.tool.clone() };
    let some: Vec<ToolRef> = previous.tools.iter().map(reference).collect();
    let base = || {
        kept("send the report to the team and put a meeting into the calendar for next Monday morning, then tell me the weather")
    };
    for format in [Format::OpenaiResponses, Format::Anthropic, Format::Gemini, Format::Mcp] {
        let include = [Include::Prompt, Include::Definitions, Include::Directory].map(Into::into).to_vec();
        all.push(SelectToolsRequest { output: Some(Output { format: format.into(), include, ..Default::default() }), ..base() });
    }
    for profile in [SchemaProfile::Lean, SchemaProfile::OpenaiStrict, SchemaProfile::Gemini] {
        all.push(SelectToolsRequest { output: Some(Output { schema_profile: profile.into(), ..Default::default() }), ..base() });
    }
    for (max_tokens, max_tools, tokenizer) in [(1, 1, None), (90, 3, None), (400, 200, Some("cl100k_base")), (100_000, 50, None)]
    {
        let tokenizer = tokenizer.map(str::to_owned);
        let budget = Budget { max_tokens: Some(max_tokens), max_tools: Some(max_tools), tokenizer, min_tools: Some(1) };
        all.push(SelectToolsRequest { budget: Some(budget), ..base() });
    }
    let scopes = [
        Scope { sources: vec![some[0].source.clone()], ..Default::default() },
        Scope { deny: some.clone(), ..Default::default() },
        Scope { allow: some.clone(), ..Default::default() },
        Scope { sources: vec!["nobody".into()], ..Default::default() },
    ];
    all.extend(scopes.map(|scope| SelectToolsRequest { scope: Some(scope), ..base() }));
    let absent = ToolRef { source: "no".into(), tool: "where".into() };
    let pinned = some.iter().cloned().chain([absent.clone()]).collect();
    all.push(SelectToolsRequest { pinned, explain: true, explain_tools: vec![some[0].clone(), absent], ..base() });
    all.push(SelectToolsRequest { min_confidence: Some(0.1 + 0.2), relative_margin: Some(1.0 / 3.0), ..base() });
    let previous_tools = previous.tools.iter().map(|tool| PreviousTool {
        source: tool.source.clone(),
        tool: tool.tool.clone(),
        fidelity: tool.fidelity,
        definition_hash: "of another text".into(),
    });
    let continuity = Continuity { previous_tools: previous_tools.collect(), session_id: "a".into() };
    all.push(SelectToolsRequest { continuity: Some(continuity), ..base() });
    for texts in [["read the notes file", "and that one too"].as_slice(), &["what is the weather in Oslo", "the same for Bergen"]]
    {
        all.push(SelectToolsRequest { input: Some(turns(texts)), ..base() });
    }
    all.extend(["zxqv wvut", "날씨 알려줘", "天気", "ok", &"a long request about files. ".repeat(300)].map(kept));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_selection_replays_to_equal_bytes() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let first = router.select("read a file").await;
    let requests = every_kind(&first);
    let mut answers = Vec::new();
    for round in 0..2 {
        for request in &requests {
            answers.push(router.router.select_tools(request.clone()).await.unwrap().into_inner());
        }
        if round == 0 {
            // The rest is selected from another catalogue.
            router.register("late", vec![tool("read_a_file", "Reads a file."), tool("weather", "The weather.")]).await;
        }
    }
    // Known from before.
    answers.push(router.router.select_tools(requests[0].clone()).await.unwrap().into_inner());
    assert_eq!(answers.last().unwrap().meta.as_ref().unwrap().cache, "answer");
    let (mut client, mut rerun) = (client(&router).await, Rerun::new());
    for answer in &answers {
        let selection = selection(&mut client, &id(answer)).await;
        assert_eq!(selection.record.reason, Reason::Asked);
        assert_eq!(recorded_sha256(&selection.record), sha256(answer));
        let request = selection.record.request.as_ref().unwrap();
        assert_eq!(rerun.sha256(&selection).await, sha256(answer), "{request}");
    }
    assert_eq!(rerun.catalogues.len(), 2);
    // A conversation whose earlier turns came too late is run again without them.
    let conversed = answers.iter().find(|answer| answer.condensed.starts_with("the same for Bergen")).unwrap();
    let mut late = selection(&mut client, &id(conversed)).await;
    late.record.moment.late = Some(Late { earlier: 0, expanded: false });
    assert_ne!(rerun.sha256(&late).await, "");
    assert!(client.replay(&"0".repeat(32)).await.unwrap().is_none());
    let wrong = client.replay("nonsense").await.unwrap_err().to_string();
    assert!(wrong.contains("trace_id: is \"nonsense\", it must be 32 hex digits"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_graph_proposed_is_compared_again() {
    let with_graph = |config: &mut Config| {
        config.index.engine = Engine::Hnsw;
        config.index.shadow_every = 0;
    };
    let mut router = TestRouter::start_with(with_graph).await;
    let verbs = ["reads", "writes", "lists", "deletes", "copies", "checks", "prints"];
    let things =
        ["invoice", "letter", "photo", "ticket", "route", "forecast", "contract", "playlist", "recipe", "meeting", "parcel"];
    let many = |range: std::ops::Range<usize>| -> Vec<ToolDefinition> {
        let name = |i: usize| format!("{}_{}_{i}", verbs[i % verbs.len()], things[i % things.len()]);
        let text = |i: usize| {
            format!("{} one {} of shelf {} in room {}.", verbs[i % verbs.len()], things[i % things.len()], i % 23, i % 31)
        };
        range.map(|i| tool(&name(i), &text(i))).collect()
    };
    for start in (0..900).step_by(300) {
        router.register("shelves", many(start..start + 300)).await;
    }
    let has_graph = async || {
        let text = http_get(router.http, "/metrics").await.1;
        let line = text.lines().find(|line| line.starts_with("toolrouter_index_graph_tools") && !line.starts_with('#'));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0) >= 600.0
    };
    for _ in 0..18_000 {
        if has_graph().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    router.register("late", [vec![tool("polish_gemstone", "Polishes a gemstone.")], many(3..4)].concat()).await;
    let gone = UnregisterToolsRequest { source: "shelves".into(), tools: vec!["reads_photo_112".into()], ..Default::default() };
    router.catalog.unregister_tools(gone).await.unwrap();
    let (mut client, mut rerun) = (client(&router).await, Rerun::new());
    let queries =
        ["copies the playlist", "a letter of shelf 3", "print my recipe please", "room 30", "polish the gemstone", "photo_112"];
    for query in queries {
        for round in 0..2 {
            let answer = router.router.select_tools(kept(query)).await.unwrap().into_inner();
            let selection = selection(&mut client, &id(&answer)).await;
            assert_eq!(selection.record.engine, if round == 0 { "hnsw" } else { "" }, "then it is known");
            let proposed = selection.record.proposed.as_ref().unwrap().len();
            assert!((100..899).contains(&proposed), "{proposed}");
            assert_eq!(rerun.sha256(&selection).await, sha256(&answer), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_by_words_is_kept_and_so_are_errors() {
    let mut router = TestRouter::start_with(|config| config.server.default_deadline_ms = 1).await;
    bundled::register(&mut router).await;
    let (mut client, mut rerun) = (client(&router).await, Rerun::new());
    for query in ["read a file", "what is the weather", "send a mail"] {
        let answer = router.select(query).await;
        assert_eq!(answer.mode(), Mode::Lexical);
        let selection = selection(&mut client, &id(&answer)).await;
        assert_eq!(selection.record.reason, Reason::Degraded);
        assert!(selection.record.moment.by_words.is_some());
        assert_eq!(rerun.sha256(&selection).await, sha256(&answer), "{query}");
    }
    // One that cannot be answered yet.
    let (epoch, number) = router.version().await.split_once('.').map(|(a, b)| (a.to_owned(), b.parse::<u64>().unwrap())).unwrap();
    let ahead =
        SelectToolsRequest { min_catalog_version: Some(format!("{epoch}.{}", number + 5)), ..query_request("read a file") };
    let status = router.router.select_tools(ahead).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    client.replay(&"0".repeat(32)).await.unwrap();
    let (config, folder) = router.stop().await;
    let ring = config.replay.path(&config.store.path);
    let text = String::from_utf8_lossy(&std::fs::read(&ring).unwrap()).into_owned();
    let at = text.find("\"code\":\"UNAVAILABLE\"").expect("it is kept");
    let record = &text[text[..at].rfind("{\"format\":1").unwrap()..];
    let selection_id = record.split("\"selection_id\":\"").nth(1).unwrap()[..32].to_owned();
    let said = ok(replay_command(&[&selection_id, "--ring", ring.to_str().unwrap()]).await);
    assert!(said.contains("recorded: UNAVAILABLE: ") && said.contains("the same request gives now "), "{said}");
    drop(folder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_queue_turned_away_is_kept_and_can_be_asked_again() {
    let mut router = TestRouter::start_with(|config| config.embedder.queue_limit = 1).await;
    bundled::register(&mut router).await;
    // Long queries, all different, keep the one worker busy.
    let long = "words upon words ".repeat(1_900);
    let calls: Vec<_> = (1..=64)
        .map(|i| {
            let mut request = tonic::Request::new(query_request(&format!("{i} {long}")));
            request.metadata_mut().insert("traceparent", format!("00-{i:032x}-00f067aa0ba902b7-00").parse().unwrap());
            let mut client = router.router.clone();
            (format!("{i:032x}"), tokio::spawn(async move { client.select_tools(request).await }))
        })
        .collect();
    let mut shed = Vec::new();
    for (trace_id, call) in calls {
        if call.await.unwrap().is_err_and(|status| status.code() == Code::ResourceExhausted) {
            shed.push(trace_id);
        }
    }
    assert!(!shed.is_empty(), "64 calls went through a queue of one");
    let mut client = client(&router).await;
    for trace_id in &shed {
        let record = selection(&mut client, trace_id).await.record;
        assert_eq!((record.reason, record.trace_id.as_str()), (Reason::Shed, trace_id.as_str()));
        assert!(matches!(&record.outcome, Outcome::Error { code, .. } if code == "RESOURCE_EXHAUSTED"), "{:?}", record.outcome);
    }
    let address = format!("http://{}", router.grpc);
    let said = ok(replay_command(&[&shed[0], "--address", &address]).await);
    for words in ["recorded: RESOURCE_EXHAUSTED: ", "the limit is 1", "the same request gives now "] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

async fn replay_command(arguments: &[&str]) -> process::Output {
    let arguments: Vec<String> =
        ["replay", "--embedder", "hashing"].iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
    let work = move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn ok(output: process::Output) -> String {
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command said that found a difference, or a fault.
fn not_ok(output: &process::Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_verifies_exports_and_says_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("router.db");
    let program = tokio::task::spawn_blocking({
        let store = store.clone();
        move || Program::start(&store)
    });
    let program = program.await.unwrap();
    let channel = tonic::transport::Channel::from_shared(program.address.clone()).unwrap().connect().await.unwrap();
    let mut catalog = tool_catalog_client::ToolCatalogClient::new(channel.clone());
    let tools =
        vec![tool("read_file", "Reads a file."), tool("write_file", "Writes a file."), tool("send_mail", "Sends a mail.")];
    let register = |tools| RegisterToolsRequest { source: "files".into(), tools, ..Default::default() };
    catalog.register_tools(register(tools)).await.unwrap();
    let mut router = tool_router_client::ToolRouterClient::new(channel);
    // Two turns of one trace.
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for query in ["read the file", "write the file"] {
        let mut request = tonic::Request::new(kept(query));
        request.metadata_mut().insert("traceparent", format!("00-{trace}-00f067aa0ba902b7-01").parse().unwrap());
        let answer = router.select_tools(request).await.unwrap().into_inner();
        assert_eq!(answer.meta.unwrap().trace_id, trace);
    }
    let at = |more: &[&str]| -> Vec<String> {
        let address = ["--address", program.address.as_str()];
        [trace].iter().chain(&address).chain(more).map(|argument| (*argument).to_owned()).collect()
    };
    let command = async |arguments: Vec<String>| replay_command(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let file = folder.path().join("case.jsonl");
    let said = ok(command(at(&["--export", file.to_str().unwrap()])).await);
    assert_eq!(said.matches("equal: 3 tools, sha256 ").count(), 2, "{said}");
    assert!(said.contains(&format!("of trace {trace}, ")) && said.contains("wrote 2 selections to "), "{said}");
    assert!(ok(command(at(&["--today"])).await).contains("equal: 3 tools"), "nothing changed yet");
    // The catalogue of today says something else.
    catalog
        .register_tools(register(vec![tool("read_file", "Opens a document for reading."), tool("file", "The file.")]))
        .await
        .unwrap();
    let gone = UnregisterToolsRequest { source: "files".into(), tools: vec!["send_mail".into()], ..Default::default() };
    catalog.unregister_tools(gone).await.unwrap();
    assert!(ok(command(at(&[])).await).contains("equal: 3 tools"), "the recorded definitions are as they were");
    let said = not_ok(&command(at(&["--today"])).await);
    for words in
        ["different: 3 tools then, 3 now", "+ files/file, in place", "- files/send_mail, in place", "its definition is another"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = not_ok(&command(at(&["--today", "--json"])).await);
    let line: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((&line["equal"], &line["trace_id"]), (&false.into(), &trace.into()));
    assert!(line["differences"].as_array().unwrap().len() > 2 && line["now"]["answer"]["tools"].is_array());
    // A case needs neither router nor store; a damaged one says where.
    let case = file.to_str().unwrap();
    assert!(ok(replay_command(&[case]).await).contains("equal: 3 tools"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("Reads a file.", "Reads a fyle.", 1)).unwrap();
    assert!(not_ok(&replay_command(&[case]).await).contains("its lines do not hash to what its last line says"));
    std::fs::write(&file, text.replacen("{\"tool\":", "{\"tuul\":", 1)).unwrap();
    assert!(not_ok(&replay_command(&[case]).await).contains("line 4: is none of a replay case"));
    std::fs::write(&file, text.replace("\"numerics\":\"", "\"numerics\":\"other-")).unwrap();
    assert!(not_ok(&replay_command(&[case]).await).contains("its lines do not hash"), "nobody edits a case");
    let none = not_ok(&replay_command(&["/nowhere/case"]).await);
    assert!(none.contains("give a trace id of 32 hex digits, or a file"), "{none}");
    // Without a router the ring is read.
    let address = program.address.clone();
    tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, format!("[store]\npath = {store:?}\n")).unwrap();
    let config = config.to_str().unwrap();
    assert!(ok(replay_command(&[trace, "--address", &address, "--config", config]).await).contains("equal: 3 tools"));
    let said = not_ok(&replay_command(&[trace, "--address", &address, "--config", config, "--today"]).await);
    assert!(said.contains("+ files/file, in place"), "the store's tools: {said}");
    let said = not_ok(&replay_command(&[&"1".repeat(32), "--ring", ring_of(&store).to_str().unwrap()]).await);
    assert!(said.contains("no selection of 1111"), "{said}");
}

fn ring_of(store: &Path) -> std::path::PathBuf {
    Config::default().replay.path(store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_was_left_out_is_nowhere_in_the_ring() {
    let mut router = TestRouter::start_with(|config| config.replay.redact = Redact::Text).await;
    bundled::register(&mut router).await;
    let secret = "hunter2 my own mother's maiden name";
    let asked = SelectToolsRequest { input: Some(turns(&[secret, "and read that file too"])), ..kept("x") };
    let answer = router.router.select_tools(asked).await.unwrap().into_inner();
    assert!(answer.condensed.contains("hunter2"), "the conversation is in the answer");
    let selection = selection(&mut client(&router).await, &id(&answer)).await;
    assert!(selection.record.request.is_none());
    assert_eq!(recorded_sha256(&selection.record), sha256(&answer), "of the whole answer");
    let said = ok(replay_command(&[&id(&answer), "--address", &format!("http://{}", router.grpc)]).await);
    assert!(
        said.contains("not run again: its request was left out (replay.redact)") && said.contains("the decision was "),
        "{said}"
    );
    let (_, folder) = router.stop().await;
    for entry in std::fs::read_dir(folder.unwrap().path()).unwrap() {
        let path = entry.unwrap().path();
        assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("hunter2"), "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_ring_makes_way_and_stops_no_router() {
    let mut router = TestRouter::start().await;
    router.register("files", vec![tool("read_file", "Reads a file.")]).await;
    let answer = router.router.select_tools(kept("read")).await.unwrap().into_inner();
    selection(&mut client(&router).await, &id(&answer)).await;
    let (config, folder) = router.stop().await;
    let ring = ring_of(&config.store.path);
    let mut bytes = std::fs::read(&ring).unwrap();
    let middle = bytes.len() / 2;
    bytes[100..middle].fill(0x5a);
    std::fs::write(&ring, bytes).unwrap();
    let mut router = TestRouter::start_with(|new| new.store.path = config.store.path.clone()).await;
    let again = router.router.select_tools(kept("read")).await.unwrap().into_inner();
    let mut client = client(&router).await;
    selection(&mut client, &id(&again)).await;
    assert!(client.replay(&id(&answer)).await.unwrap().is_none(), "what was in it is lost");
    assert!(folder.unwrap().path().join("replay.db.aside-1").exists());
    // A router that keeps nothing says so.
    let mut router = TestRouter::start_with(|config| config.replay.enabled = false).await;
    let answer = router.router.select_tools(kept("read")).await.unwrap().into_inner();
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", router.grpc)).unwrap();
    let mut operations = operations_client::OperationsClient::new(channel.connect().await.unwrap());
    let status = operations.get_replay(GetReplayRequest { trace_id: id(&answer) }).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::NotFound, "this router keeps no selections: replay.enabled is false"));
}
