//! `fit` and `calibrate`: weights files from sets written here, and what they refuse without leaving half a file.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::program::run;

const DEEDS: [&str; 6] = ["create", "delete", "rename", "print", "archive", "translate"];
const THINGS: [&str; 8] = ["letter", "invoice", "meeting", "ticket", "photo", "route", "recipe", "song"];

/// Two sets over different things, a configuration, and requests that need nothing.
fn data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (set, things) in [("paper", &THINGS[..4]), ("desk", &THINGS[4..])] {
        let (mut tools, mut queries) = (Vec::new(), Vec::new());
        for thing in things {
            for deed in DEEDS {
                let name = format!("{deed}_{thing}");
                let description = format!("Will {deed} one {thing} of the office, with all that belongs to it.");
                let schema = json!({"type": "object"});
                let tool = json!({"id": name, "name": name, "description": description, "input_schema": schema, "server": thing});
                tools.push(tool.to_string());
                let text = format!("please {deed} the {thing} that came today");
                queries.push(json!({"id": name, "text": text, "relevant": [name]}).to_string());
            }
        }
        let none: Vec<String> = (0..30)
            .map(|i| json!({"id": format!("n{i}"), "text": format!("why is blue number {i} nice?"), "relevant": []}).to_string())
            .collect();
        let of_set = folder.path().join(set);
        std::fs::create_dir(&of_set).unwrap();
        std::fs::write(of_set.join("tools.jsonl"), tools.join("\n")).unwrap();
        std::fs::write(of_set.join("queries.jsonl"), queries.join("\n")).unwrap();
        std::fs::write(of_set.join("queries.few.jsonl"), queries[..5].join("\n")).unwrap();
        std::fs::write(of_set.join("queries.none.jsonl"), none.join("\n")).unwrap();
        std::fs::write(of_set.join("queries.fewnone.jsonl"), none[..5].join("\n")).unwrap();
    }
    std::fs::write(folder.path().join("config.toml"), "[embedder]\nkind = \"hashing\"\n").unwrap();
    folder
}

/// Runs a command with the folder's configuration and data.
fn command(folder: &Path, config: &str, name: &str, arguments: &[&str]) -> Output {
    let (config, data) = (folder.join(config), folder.to_str().unwrap());
    let mut all = vec![name, "--config", config.to_str().unwrap()];
    let with_data = arguments.contains(&"--set");
    if with_data {
        all.extend(["--data", data]);
    }
    all.extend(arguments);
    run(&all)
}

#[track_caller]
fn refused(output: &Output, words: &str, file: &Path) {
    let line = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && line.contains(words), "{line}");
    assert!(!file.exists(), "{} was written", file.display());
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn weights_are_fitted_used_and_calibrated() {
    let folder = data();
    let file = |name: &str| folder.path().join(name);
    let fitted = file("ranking.json");
    let path = fitted.to_str().unwrap();
    let output = command(folder.path(), "config.toml", "fit", &["--set", "paper", "--set", "desk", "--out", path]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("fitted on the others") && table.contains("paper") && table.contains("desk"), "{table}");
    let weights = read(&fitted);
    assert_eq!((weights["format"].as_u64(), weights["model"].as_str()), (Some(1), Some("hashing-256@1")));
    let confidence = &weights["confidence"];
    // Nearness speaks for a tool, and one that is behind the best is less likely.
    assert!(0.0 < confidence["nearest"].as_f64().unwrap() && 0.0 < confidence["tool"]["behind"].as_f64().unwrap());
    assert_eq!(confidence["talk"].as_array().map(Vec::len), Some(256));
    let again = file("again.json");
    let output =
        command(folder.path(), "config.toml", "fit", &["--set", "paper", "--set", "desk", "--out", again.to_str().unwrap()]);
    assert!(
        output.status.success() && std::fs::read(&again).unwrap() == std::fs::read(&fitted).unwrap(),
        "equal sets, equal file"
    );

    let among = file("among.json");
    let desk = file("desk");
    let flags = ["--set", "paper", "--distractors", desk.to_str().unwrap(), "--out", among.to_str().unwrap()];
    let output = command(folder.path(), "config.toml", "fit", &flags);
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let sizes: Vec<&str> = table.lines().filter(|l| l.contains(" paper ")).filter_map(|l| l.split_whitespace().nth(1)).collect();
    assert_eq!(sizes, ["24", "48"], "alone and among distractors: {table}");

    std::fs::write(file("fitted.toml"), format!("[embedder]\nkind = \"hashing\"\n[ranking]\nweights_file = {path:?}\n")).unwrap();
    let results = file("results.json");
    let flags = ["--set", "paper", "--none", "paper:none", "--out", results.to_str().unwrap()];
    let output = command(folder.path(), "fitted.toml", "eval", &flags);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results = read(&results);
    let abstention = &results["abstentions"][0];
    assert_eq!((abstention["none"].as_array().unwrap().len(), abstention["some"].as_array().unwrap().len()), (30, 24));
    assert!(results["runs"][0]["queries"].as_array().unwrap().iter().all(|query| query["confidence"].is_number()));

    let tools = file("paper/tools.jsonl");
    let own = file("own.json");
    let flags = ["--tools", tools.to_str().unwrap(), "--out", own.to_str().unwrap()];
    let output = command(folder.path(), "fitted.toml", "calibrate", &flags);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let own = read(&own);
    assert_ne!(own["confidence"]["bias"], confidence["bias"], "the catalogue's own bias");
    assert_eq!((&own["fusion"], &own["confidence"]["talk"]), (&weights["fusion"], &confidence["talk"]));

    let labelled = file("labelled.json");
    let flags = ["--set", "desk", "--none", "none", "--out", labelled.to_str().unwrap()];
    let output = command(folder.path(), "fitted.toml", "calibrate", &flags);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(0.0 < read(&labelled)["confidence"]["slope"].as_f64().unwrap());
}

#[test]
fn what_says_too_little_is_refused_and_nothing_is_written() {
    let folder = data();
    let out = folder.path().join("out.json");
    let path = out.to_str().unwrap();
    let run = |config: &str, name: &str, flags: &[&str]| {
        let all: Vec<&str> = flags.iter().copied().chain(["--out", path]).collect();
        command(folder.path(), config, name, &all)
    };
    let few = run("config.toml", "fit", &["--set", "paper:few"]);
    refused(&few, "paper has 5 requests that need tools, at least 20 are needed", &out);
    refused(&run("config.toml", "fit", &["--set", "nowhere"]), "nowhere/tools.jsonl cannot be read", &out);
    std::fs::write(folder.path().join("paper/queries.broken.jsonl"), "{\"id\": \"1\"").unwrap();
    refused(&run("config.toml", "fit", &["--set", "paper:broken"]), "queries.broken.jsonl, line 1", &out);
    refused(&run("config.toml", "calibrate", &["--set", "paper"]), "have no confidence to calibrate", &out);

    let fitted = folder.path().join("ranking.json");
    let flags = ["--set", "paper", "--set", "desk", "--out", fitted.to_str().unwrap()];
    assert!(command(folder.path(), "config.toml", "fit", &flags).status.success());
    let config = format!("[embedder]\nkind = \"hashing\"\n[ranking]\nweights_file = {fitted:?}\n");
    std::fs::write(folder.path().join("fitted.toml"), config).unwrap();
    let few = run("fitted.toml", "calibrate", &["--set", "paper:few"]);
    refused(&few, "there are 5 requests that need tools, at least 20 are needed", &out);
    let few = run("fitted.toml", "calibrate", &["--set", "paper", "--none", "fewnone"]);
    refused(&few, "there are 5 requests that need none, at least 20 are needed", &out);
    // One class only: every request of the file needs a tool.
    let one_class = run("fitted.toml", "calibrate", &["--set", "paper", "--none", "few"]);
    refused(&one_class, "no query that needs no tool", &out);
    let tool = r#"{"id":"a","name":"a","description":"","input_schema":{"type":"object"},"server":"s"}"#;
    let tools = folder.path().join("silent.jsonl");
    std::fs::write(&tools, tool).unwrap();
    let silent = run("fitted.toml", "calibrate", &["--tools", tools.to_str().unwrap()]);
    refused(&silent, "there are 0 tools whose description makes a request", &out);
}
