//! The commands a user types, against a running router.

use std::process::Output;

use crate::support::TestRouter;
use crate::support::program::run;
use crate::support::repository;

struct Shell {
    address: String,
    _router: TestRouter,
}

impl Shell {
    async fn new() -> Self {
        let router = TestRouter::start().await;
        Self { address: format!("http://{}", router.grpc), _router: router }
    }

    async fn output(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<String> =
            arguments.iter().map(ToString::to_string).chain(["--address".into(), self.address.clone()]).collect();
        tokio::task::spawn_blocking(move || run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await.unwrap()
    }

    /// Runs a command that should succeed; gives its standard output.
    async fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that should fail; gives its standard error.
    async fn fails(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn json(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.ok(&arguments).await.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn example(name: &str) -> String {
    repository().join("examples/catalogue").join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn from_import_to_removal() {
    let shell = Shell::new().await;
    assert!(shell.ok(&["health"]).await.contains("SERVING"));
    let (files, mail) = (example("files.json"), example("mail.json"));
    let dry = shell.json(&["import", "file", &files, "--dry-run"]).await;
    assert_eq!((dry[0]["source"].as_str(), dry[0]["added"].as_array().unwrap().len()), (Some("files"), 7));
    let table = shell.ok(&["import", "file", &files, &mail]).await;
    assert!(table.contains("13 added, 0 changed, 0 removed were written; 0 unchanged"), "{table}");
    assert!(shell.ok(&["import", "file", &files]).await.contains("7 unchanged"));

    let selected = shell.ok(&["select", "read a file from disk", "--max-tools", "3", "--explain"]).await;
    assert!(selected.contains("files/read_file") && selected.contains("saved") && selected.contains("words:"), "{selected}");
    let answer = &shell.json(&["select", "read a file from disk", "--max-tokens", "400", "--format", "anthropic"]).await[0];
    assert!(answer["usage"]["returned_tokens"].as_u64().unwrap() <= 400);
    assert!(answer["prompt"].as_str().unwrap().contains("input_schema"));
    let prompt = shell.ok(&["select", "read a file from disk", "--prompt", "--source", "files"]).await;
    assert!(serde_json::from_str::<serde_json::Value>(&prompt).unwrap().is_array());
    let why = shell.ok(&["select", "read a file", "--max-tools", "1", "--why", "mail/search"]).await;
    assert!(why.contains("mail/search (rank"), "{why}");

    let described = shell.ok(&["describe", "files/read_file", "search"]).await;
    assert!(described.contains("files/read_file") && described.contains("mail/search") && described.contains("input schema:"));
    assert!(shell.fails(&["describe", "files/nothing"]).await.contains("files/nothing is not registered"));

    let listed = shell.ok(&["tools", "list"]).await;
    assert!(listed.contains("files/read_file") && listed.contains("13 tools, catalogue version"), "{listed}");
    assert_eq!(shell.json(&["tools", "list", "--source", "mail"]).await.len(), 6);
    assert!(shell.ok(&["tools", "disable", "mail/search", "files/read_file"]).await.contains("mail: 1 disabled, 0 already were"));
    assert_eq!(shell.json(&["tools", "list", "--disabled"]).await.len(), 2);
    assert!(shell.ok(&["tools", "get", "mail/search"]).await.contains("state: disabled"));
    assert!(shell.ok(&["tools", "enable", "mail/search"]).await.contains("1 enabled"));
    assert!(shell.ok(&["tools", "remove", "--source", "mail", "--dry-run"]).await.contains("6 would be removed"));
    assert!(shell.ok(&["tools", "remove", "mail/search"]).await.contains("1 removed"));
    assert!(shell.fails(&["tools", "remove", "mail/search"]).await.contains("not found: search"));
}

#[tokio::test]
async fn a_whole_list_removes_and_a_mass_removal_is_held() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.json");
    let write = |n: usize| {
        let tools: Vec<_> =
            (0..n).map(|i| serde_json::json!({"name": format!("tool_{i}"), "inputSchema": {"type": "object"}})).collect();
        std::fs::write(&path, serde_json::json!({ "tools": tools }).to_string()).unwrap();
    };
    let file = path.to_str().unwrap();
    write(12);
    shell.ok(&["import", "file", file, "--whole-list"]).await;
    write(10);
    assert!(shell.ok(&["import", "file", file, "--whole-list"]).await.contains("2 removed"));
    write(1);
    let held = shell.fails(&["import", "file", file, "--whole-list"]).await;
    assert!(held.contains("would lose 9 of its 10 tools"), "{held}");
    assert!(shell.ok(&["import", "file", file, "--whole-list", "--allow-mass-removal"]).await.contains("9 removed"));
}

#[tokio::test]
async fn an_openapi_document_becomes_tools() {
    let shell = Shell::new().await;
    let file = repository().join("tests/data/import/library.yaml").to_str().unwrap().to_owned();
    assert!(shell.ok(&["import", "openapi", &file]).await.contains("3 added"));
    assert!(shell.ok(&["import", "openapi", &file]).await.contains("3 unchanged"));
    let described = shell.ok(&["describe", "Town library/lendBook"]).await;
    assert!(described.contains("Number on the card."), "{described}");
    let selected = shell.ok(&["select", "lend a book to a reader", "--max-tools", "1"]).await;
    assert!(selected.contains("lendBook"), "{selected}");
    // Without an operationId: method and path.
    assert!(shell.ok(&["tools", "list"]).await.contains("delete_readers_id"));
    let old = shell.fails(&["import", "openapi", &example("files.json")]).await;
    assert!(old.contains("has no member openapi; wanted an OpenAPI 3.0 or 3.1 document"), "{old}");
}

#[tokio::test]
async fn refused_tools_can_be_left_out_by_name() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tools.json");
    let mut tools: Vec<_> =
        (0..120).map(|i| serde_json::json!({"name": format!("t{i}"), "inputSchema": {"type": "object"}})).collect();
    tools[70] = serde_json::json!({"name": "hidden", "inputSchema": {"type": "object", "properties": {"date\t": {}}}});
    tools[119] = serde_json::json!({"name": "also", "description": "a\u{200b}b", "inputSchema": {"type": "object"}});
    std::fs::write(&path, serde_json::to_string(&tools).unwrap()).unwrap();
    let path = path.to_str().unwrap();
    assert!(shell.fails(&["import", "file", path]).await.contains("tools[20].input_schema"));
    let output = shell.output(&["import", "file", path, "--skip-refused"]).await;
    let (out, words) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && out.contains("118 added"), "{out}{words}");
    let again = shell.json(&["import", "file", path, "--skip-refused"]).await;
    assert_eq!((again[0]["unchanged"].as_u64(), again[0]["refused"].clone()), (Some(118), serde_json::json!(["hidden", "also"])));
    for word in ["left out", "hidden", "date\\u{9}", "also", "2 refused tools were left out"] {
        assert!(words.contains(word), "{word} is missing in {words}");
    }
}

#[tokio::test]
async fn a_bad_tool_in_a_late_batch_leaves_no_half_import() {
    let shell = Shell::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.json");
    let bad = |i: usize| if i == 111 { "Has hidden \u{202e} text." } else { "Fine." };
    let tools: Vec<_> = (0..120).map(|i| serde_json::json!({"name": format!("tool_{i}"), "description": bad(i)})).collect();
    std::fs::write(&path, serde_json::json!({ "tools": tools }).to_string()).unwrap();
    let line = shell.fails(&["import", "file", path.to_str().unwrap()]).await;
    for words in ["many.json, source many, tools 101 (tool_100) to 120 (tool_119)", "tools[11].description", "U+202E"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    assert!(shell.ok(&["tools", "list"]).await.contains("0 tools"));
}

#[tokio::test]
async fn an_empty_whole_list_empties_the_source_it_is_for() {
    let shell = Shell::new().await;
    shell.ok(&["import", "file", &example("weather.json")]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weather.json");
    std::fs::write(&path, "{\"tools\":[]}").unwrap();
    let file = path.to_str().unwrap();
    assert!(shell.fails(&["import", "file", file, "--whole-list"]).await.contains("give --source"));
    assert!(shell.ok(&["import", "file", file, "--whole-list", "--source", "weather"]).await.contains("3 removed"));
}

#[test]
fn an_evaluation_prints_every_figure_and_names_a_bad_line() {
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("mine");
    std::fs::create_dir(&set).unwrap();
    let tool = |name: &str, text: &str| format!(r#"{{"id":"s/{name}","name":"{name}","description":"{text}","server":"s"}}"#);
    let tools =
        [tool("read_file", "Reads a file."), tool("send_mail", "Sends a mail."), tool("get_weather", "Tells the weather.")];
    std::fs::write(set.join("tools.jsonl"), tools.join("\n")).unwrap();
    let query = |id: &str, text: &str, tool: &str| format!(r#"{{"id":"{id}","text":"{text}","relevant":["s/{tool}"]}}"#);
    let queries = [query("1", "read my file", "read_file"), query("2", "what is the weather", "get_weather")];
    std::fs::write(set.join("queries.jsonl"), queries.join("\n")).unwrap();
    let eval = |more: &[&str]| {
        let data = folder.path().to_str().unwrap().to_owned();
        std::process::Command::new(env!("CARGO_BIN_EXE_tool-router"))
            .args(["eval", "--data", &data, "--set", "mine"])
            .args(more)
            .env("TOOL_ROUTER__EMBEDDER__KIND", "hashing")
            .output()
            .unwrap()
    };
    let output = eval(&["--json", "--ranker", "bm25", "--ranker", "cosine", "--ranker", "router"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6, "{text}");
    for line in &lines[..3] {
        for key in
            ["set", "split", "tools", "queries", "embed_us_p50", "rest_us_p50", "tokens_mean", "engine", "model", "mrr", "comp@5"]
        {
            assert!(line.get(key).is_some(), "{key} is missing in {line}");
        }
        assert_eq!((line["recall@1"].as_f64(), line["ndcg@10"].as_f64()), (Some(1.0), Some(1.0)), "{line}");
    }
    let table = String::from_utf8(eval(&[]).stdout).unwrap();
    assert!(table.contains("macro mean") && table.contains("model hashing-256@1"), "{table}");
    std::fs::write(set.join("queries.jsonl"), query("1", "x", "nobody")).unwrap();
    let complaint = String::from_utf8(eval(&[]).stderr).unwrap();
    assert!(complaint.contains("queries.jsonl, line 1: relevant tool \"s/nobody\" is not in tools.jsonl"), "{complaint}");
}

#[test]
fn bad_configuration_exits_64_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let check = |text: &str, words: &str| {
        std::fs::write(&path, text).unwrap();
        for command in ["check-config", "serve"] {
            let output = run(&[command, "--config", path.to_str().unwrap()]);
            let line = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(64), "{line}");
            assert!(line.contains(words) && line.trim_end().lines().count() == 1, "{line}");
        }
    };
    check("[server]\ngrpc_adress = \"127.0.0.1:1\"", "grpc_adress");
    check("[server]\ngrpc_address = \"0.0.0.0:7431\"", "--insecure");
    check("[access]\nselect_token_file = \"/nowhere\"\nadmin_token_file = \"/nowhere\"", "/nowhere");
    let sample = repository().join("config.sample.toml");
    let output = run(&["check-config", "--config", sample.to_str().unwrap()]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("usable"));
}

#[test]
fn nobody_there_is_said_plainly() {
    let output = run(&["select", "x", "--address", "http://127.0.0.1:1"]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(line.contains("no router answers at http://127.0.0.1:1") && line.contains("tool-router serve"), "{line}");
}

#[test]
fn a_port_in_use_is_said_before_anything_is_loaded() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["serve", "--grpc-address", &address, "--http-address", "127.0.0.1:0", "--embedder", "hashing"]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("server.grpc_address") && line.contains(&address), "{line}");
}
