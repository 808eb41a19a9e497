//! `eval growth`: the table over sets written here, and a language model's choices from an API that behaves on demand.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tool_router::compact::{Costs, Fidelity, Format, Tokenizer};
use tool_router::eval::growth::{Growth, GrowthRow};
use tool_router::tool::{Document, ModelName, Tool, ToolId};

use crate::support::llm::{Llm, Mode};
use crate::support::program::run;

/// What tools are about; each set takes some.
const THINGS: [&str; 9] = ["letter", "invoice", "meeting", "ticket", "photo", "route", "recipe", "song", "contract"];
const DEEDS: [&str; 5] = ["create", "delete", "rename", "print", "archive"];
/// Tools in both sets and the distractors.
const ALL: usize = THINGS.len() * DEEDS.len();

/// Folders of a data directory: two sets and distractors.
struct Data {
    folder: tempfile::TempDir,
    /// Needed tools by text.
    needed: HashMap<String, Vec<String>>,
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"number": {"type": "integer", "description": "Its number"}}, "required": ["number"]})
}

fn tool(deed: &str, thing: &str) -> (String, String) {
    (format!("{deed}_{thing}"), format!("Will {deed} one {thing} of the office, with all that belongs to it."))
}

impl Data {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut needed = HashMap::new();
        for (set, things) in [("paper", &THINGS[..2]), ("desk", &THINGS[2..4]), ("rest", &THINGS[4..])] {
            let mut tools = Vec::new();
            let mut queries = Vec::new();
            for thing in things {
                for deed in DEEDS {
                    let (name, description) = tool(deed, thing);
                    let line =
                        json!({"id": name, "name": name, "description": description, "input_schema": schema(), "server": thing});
                    tools.push(line.to_string());
                    let text = format!("{deed} the {thing} now");
                    queries.push(json!({"id": text, "text": text, "relevant": [name]}).to_string());
                    needed.insert(text, vec![name]);
                }
                // Two tools at once, and one that no word leads to.
                let (two, one) = (format!("make a new {thing} and put the old one away"), format!("{} krz {thing:.1}", "xq"));
                let pair = vec![format!("create_{thing}"), format!("archive_{thing}")];
                for (text, names) in [(two, pair), (one, vec![format!("print_{thing}")])] {
                    queries.push(json!({"id": text, "text": text, "relevant": names}).to_string());
                    needed.insert(text, names);
                }
            }
            let of_set = folder.path().join(set);
            std::fs::create_dir(&of_set).unwrap();
            std::fs::write(of_set.join("tools.jsonl"), tools.join("\n")).unwrap();
            if set != "rest" {
                std::fs::write(of_set.join("queries.jsonl"), queries.join("\n")).unwrap();
            }
        }
        std::fs::write(folder.path().join("config.toml"), "[embedder]\nkind = \"hashing\"\n").unwrap();
        Self { folder, needed }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs `eval growth` over everything.
    async fn output(&self, more: &[&str]) -> Output {
        let (data, config, rest) = (self.path(""), self.path("config.toml"), self.path("rest"));
        let all =
            ["eval", "growth", "--config", &config, "--data", &data, "--set", "paper", "--set", "desk", "--distractors", &rest];
        let words: Vec<String> = all.iter().chain(more).map(ToString::to_string).collect();
        tokio::task::spawn_blocking(move || run(&words.iter().map(String::as_str).collect::<Vec<_>>())).await.unwrap()
    }

    async fn ok(&self, more: &[&str]) -> String {
        let output = self.output(more).await;
        assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn rows(&self, more: &[&str]) -> Vec<GrowthRow> {
        let more: Vec<&str> = more.iter().copied().chain(["--json"]).collect();
        self.ok(&more).await.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The complaint of a run that fails; it prints nothing.
    async fn fails(&self, more: &[&str]) -> String {
        let output = self.output(more).await;
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{more:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// What a row says apart from time.
fn timeless(rows: &[GrowthRow]) -> Vec<GrowthRow> {
    rows.iter().map(|row| GrowthRow { added_ms_p50: 0.0, embed_ms_p50: 0.0, rest_ms_p50: 0.0, ..row.clone() }).collect()
}

#[tokio::test]
async fn tokens_grow_with_the_tools_and_the_routers_list_does_not() {
    let data = Data::new();
    let rows = data.rows(&["--sizes", "40,2,6,6"]).await;
    assert_eq!(rows.iter().map(|row| row.tools).collect::<Vec<_>>(), [2, 6, 40], "sizes in order, each once");
    for row in &rows {
        assert_eq!(row.queries, 28, "every query of both sets");
        assert!(0.0 < row.tokens_returned && row.tokens_returned <= 1_500.0 && row.tools_returned <= 20.0, "{row:?}");
        assert!(row.complete <= row.recall && (0.0..=1.0).contains(&row.recall) && row.chosen_of_all.is_none(), "{row:?}");
        assert!(0.0 < row.added_ms_p50 && row.engine == "exact", "{row:?}");
    }
    assert!(rows.windows(2).all(|pair| pair[0].tokens_all < pair[1].tokens_all && pair[1].complete <= pair[0].complete));
    assert!(rows[2].complete < 1.0, "no word leads to some of the tools");

    assert_eq!(timeless(&rows), timeless(&data.rows(&["--sizes", "2,6,40"]).await), "the same seed, the same table");
    assert_ne!(timeless(&rows), timeless(&data.rows(&["--sizes", "2,6,40", "--seed", "1"]).await));
    assert_eq!(data.rows(&["--sizes", "2", "--queries", "5"]).await[0].queries, 5);
}

#[tokio::test]
async fn all_tools_cost_what_counting_each_by_itself_gives() {
    let data = Data::new();
    let row = data.rows(&["--sizes", &ALL.to_string()]).await.remove(0);
    let cost = |deed: &str, thing: &str| {
        let (name, description) = tool(deed, thing);
        let tool = Tool::new(ToolId::new(thing, &name).unwrap(), description, Document::parse(&schema().to_string()).unwrap());
        Costs::of(&tool, &ModelName::parse(&name).unwrap()).get(Format::OpenAiChat, Fidelity::Full, Tokenizer::O200kBase).0
    };
    let sum: u32 = THINGS.iter().flat_map(|thing| DEEDS.map(|deed| cost(deed, thing))).sum();
    assert_eq!(row.tokens_all, f64::from(sum));
}

#[tokio::test]
async fn sizes_that_cannot_be_had_are_told() {
    let data = Data::new();
    let error = data.fails(&["--sizes", "2,500"]).await;
    assert!(error.contains("500 tools cannot be made: the pool has 45 different ones"), "{error}");
    let output = data.output(&["--queries", "3"]).await;
    let (table, notes) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(table.contains("all needed in list") && table.contains("45 different tools in the pool, seed 0"), "{table}");
    for size in ["100", "500", "2000", "10000"] {
        assert!(notes.contains(&format!("left out: a catalogue of {size} tools")), "{notes}");
    }
    for (flags, words) in [
        (vec!["--sizes", "0"], "--sizes"),
        (vec!["--queries", "0"], "--queries"),
        (vec!["--llm", "http://h"], "--llm-model"),
        (vec!["--llm-queries", "3"], "--llm"),
    ] {
        let output = data.output(&flags).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{flags:?}");
    }
}

#[test]
fn eval_without_a_command_is_as_it_was() {
    let data = Data::new();
    let (folder, config) = (data.path(""), data.path("config.toml"));
    let output = run(&["eval", "--config", &config, "--data", &folder, "--set", "paper", "--json"]);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["set"].as_str(), lines[0]["ranker"].as_str(), lines.len()), (Some("paper"), Some("router"), 2));
    let missing = run(&["eval", "--data", &folder]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("--set"));
    let both = run(&["eval", "--data", &folder, "growth", "--data", &folder, "--set", "paper"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_table_can_be_written_and_read_again() {
    let row = |of_all| GrowthRow {
        tools: 2,
        queries: 1,
        needed_mean: 1.0,
        tokens_all: 240.0,
        tokens_returned: 100.5,
        tools_returned: 2.0,
        complete: 1.0,
        recall: 1.0,
        covered: 0.9,
        covered_with_directory: 0.95,
        added_ms_p50: 2.5,
        embed_ms_p50: 2.0,
        rest_ms_p50: 0.5,
        engine: "exact".into(),
        chosen_of_all: of_all,
        chosen_of_list: None,
    };
    let growth = Growth {
        rows: vec![row(None), row(Some(Default::default()))],
        embedder: "e".into(),
        model: None,
        pool_tools: 2,
        seed: 1,
        skipped: vec!["why".into()],
    };
    assert_eq!(serde_json::from_str::<Growth>(&serde_json::to_string(&growth).unwrap()).unwrap(), growth);
}

/// A row at 6 and one at 40 tools, with a model that behaves as `mode`; 24 tools are the most that is sent at once.
async fn with_model(mode: Mode) -> (Vec<GrowthRow>, Llm) {
    let data = Data::new();
    let llm = Llm::start(mode, data.needed.clone()).await;
    let rows = data.rows(&["--sizes", "6,40", "--llm", &llm.url, "--llm-model", "stub", "--llm-max-tools", "24"]).await;
    (rows, llm)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_calls_what_is_needed_is_right_as_often_as_the_list_holds_it() {
    let (rows, llm) = with_model(Mode::Right).await;
    let of_all = rows[0].chosen_of_all.as_ref().unwrap();
    assert_eq!((of_all.queries, of_all.right, of_all.all_needed, of_all.failed), (28, 28, 28, 0));
    assert!(rows[1].chosen_of_all.is_none(), "40 tools are too many to send");
    for row in &rows {
        let of_list = row.chosen_of_list.as_ref().unwrap();
        // The router says how often its list is complete; the model, which got the list's text, comes to the same number.
        assert_eq!(of_list.all_needed as f64, (row.complete * row.queries as f64).round());
        assert!(of_list.right + of_list.none == of_list.queries && of_list.all_needed <= of_list.right, "{of_list:?}");
    }
    assert!(rows[1].complete < 1.0);
    for seen in llm.seen() {
        let names = seen.offered();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        let settings = (&seen.body["model"], &seen.body["tool_choice"], &seen.body["temperature"]);
        assert_eq!(settings, (&json!("stub"), &json!("auto"), &json!(0)));
        assert_eq!((seen.body["messages"].as_array().unwrap().len(), seen.authorization.as_str()), (1, ""));
    }
    let with_all = llm.seen().iter().filter(|seen| seen.offered().len() == 6).count();
    assert!(28 <= with_all, "{with_all} requests held all 6 tools");
    let first = &llm.seen()[0].body["tools"][0];
    assert_eq!((&first["type"], &first["function"]["parameters"]), (&json!("function"), &schema()), "as its publisher wrote it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_calls_is_counted_for_what_it_is() {
    let (rows, _) = with_model(Mode::Many).await;
    let choices = rows[0].chosen_of_all.clone().unwrap();
    assert_eq!(
        (choices.right, choices.all_needed, choices.wrong, choices.invented),
        (28, 24, 0, 0),
        "four queries need two tools"
    );
    let (rows, _) = with_model(Mode::Wrong).await;
    let choices = rows[0].chosen_of_all.clone().unwrap();
    assert_eq!((choices.right, choices.wrong, choices.none, choices.invented), (0, 28, 0, 0));
    let (rows, _) = with_model(Mode::Invented).await;
    let choices = rows[0].chosen_of_all.clone().unwrap();
    assert_eq!((choices.right, choices.wrong, choices.none, choices.invented), (0, 28, 0, 28));
    let (rows, _) = with_model(Mode::Words).await;
    let choices = rows[0].chosen_of_all.clone().unwrap();
    assert_eq!((choices.right, choices.wrong, choices.none, choices.invented), (0, 0, 28, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_away_ends_the_run_without_a_table() {
    let data = Data::new();
    let check = async |mode, words: &[&str], requests| {
        let llm = Llm::start(mode, data.needed.clone()).await;
        let error =
            data.fails(&["--sizes", "2", "--llm", &llm.url, "--llm-model", "stub", "--llm-timeout-s", "1", "--json"]).await;
        assert!(words.iter().all(|word| error.contains(word)), "{mode:?}: {error}");
        assert_eq!((llm.seen().len(), error.lines().count()), (requests, 1), "{mode:?}: {error}");
    };
    check(Mode::Silent, &["the last 3 requests to stub at http://127.0.0.1:", "did not answer within 1 s"], 3).await;
    check(Mode::Status(500, "the   model\n is down"), &["answers HTTP 500: the model is down"], 3).await;
    check(Mode::Page, &["does not answer as chat completions do", "<!doctype html>"], 3).await;
    let error = data.fails(&["--sizes", "2", "--llm", "http://127.0.0.1:1", "--llm-model", "stub"]).await;
    assert!(error.contains("cannot be reached: Connection refused"), "{error}");
    // Too few requests to fail three times in a row, and none answered.
    let llm = Llm::start(Mode::Page, HashMap::new()).await;
    let error = data.fails(&["--sizes", "2", "--queries", "1", "--llm", &llm.url, "--llm-model", "stub"]).await;
    assert!(error.contains("answered none of 1 queries at 2 tools"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_fail_now_and_then_are_told_beside_the_table() {
    let data = Data::new();
    let llm = Llm::start(Mode::Flaky, data.needed.clone()).await;
    // All tools, then the list: the second of each pair fails but for the third size, whose long list is not sent.
    let flags = ["--sizes", "6,40", "--llm", &llm.url, "--llm-model", "stub", "--llm-max-tools", "24", "--llm-queries", "1"];
    let error = data.fails(&flags).await;
    assert!(error.contains("answered none of 1 queries at 6 tools"), "{error}");
    let table = data
        .ok(&["--sizes", "40", "--llm", &llm.url, "--llm-model", "stub", "--llm-max-tools", "24", "--llm-queries", "4"])
        .await;
    assert!(table.contains("incomplete: 2 of 4 requests with the router's list at 40 tools failed"), "{table}");
    assert!(table.contains("right, router") && table.contains("–"), "{table}");
}

/// Asks once.
async fn ask(llm: &Llm) -> Result<Vec<String>, String> {
    let tools = r#"[{"type":"function","function":{"name":"a","parameters":{}}}]"#;
    llm.client(Duration::from_millis(500)).choose("use a", tools).await.map_err(|e| e.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_model_is_asked_again_but_not_for_ever() {
    let needed: HashMap<_, _> = [("use a".to_owned(), vec!["a".to_owned()])].into();
    let check = async |mode| {
        let llm = Llm::start(mode, needed.clone()).await;
        (ask(&llm).await, llm.seen().len())
    };
    assert_eq!(check(Mode::Busy(2, "0")).await, (Ok(vec!["a".to_owned()]), 3));
    let (error, requests) = check(Mode::Busy(99, "0")).await;
    assert!(error.unwrap_err().contains("busy 5 times in a row, the last time with HTTP 429: slow down") && requests == 5);
    let (error, requests) = check(Mode::Busy(99, "3600")).await;
    assert_eq!((error.unwrap_err().as_str(), requests), ("asks to wait 3600 s, 60 s is the limit", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_have_a_time_and_a_size() {
    let check = async |mode, words: &str| {
        let llm = Llm::start(mode, HashMap::new()).await;
        let error = ask(&llm).await.unwrap_err();
        assert!(error.contains(words), "{mode:?}: {error}");
    };
    check(Mode::Silent, "did not answer within 0.5 s").await;
    check(Mode::Stuck, "did not answer within 0.5 s").await;
    check(Mode::Endless, "answers with more than 4194304 bytes").await;
    check(Mode::Status(404, ""), "answers HTTP 404: (nothing)").await;
    check(Mode::Status(307, "elsewhere"), "answers HTTP 307: elsewhere").await;
    check(Mode::Status(200, r#"{"error":{"message":"no credit"}}"#), "no credit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_sent_and_never_shown() {
    let data = Data::new();
    let key = data.path("key");
    std::fs::write(Path::new(&key), "sk-hush-hush\n").unwrap();
    let llm = Llm::start(Mode::Telltale, HashMap::new()).await;
    let flags = ["--sizes", "2", "--llm", &llm.url, "--llm-model", "stub", "--llm-key-file", &key];
    let error = data.fails(&flags).await;
    assert!(error.contains("answers HTTP 401: no such key: Bearer (key)") && !error.contains("hush"), "{error}");
    assert!(llm.seen().iter().all(|seen| seen.authorization == "Bearer sk-hush-hush"));
    let missing = data.fails(&["--llm", &llm.url, "--llm-model", "stub", "--llm-key-file", "/nowhere/key"]).await;
    assert!(missing.contains("/nowhere/key: "), "{missing}");
}
