//! `eval packing` and `eval continuity`, over the bundled catalogue.

use serde_json::Value;

use crate::support::bundled;

/// What `command` prints, a JSON object a line.
fn lines(command: &str, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    bundled::write_set(folder.path());
    let data = folder.path().to_str().unwrap();
    let arguments: Vec<&str> =
        ["eval", command, "--data", data, "--set", "bundled", "--json"].iter().chain(more).copied().collect();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(arguments)
        .env("TOOL_ROUTER__EMBEDDER__KIND", "hashing")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn packers_are_measured_side_by_side() {
    let lines = lines("packing", &["--max-tokens", "500"]);
    let packers: Vec<&str> = lines.iter().map(|line| line["packer"].as_str().unwrap()).collect();
    assert_eq!(packers, ["greedy full", "greedy lean", "router, no directory", "router"]);
    for line in &lines {
        let number = |key: &str| line[key].as_f64().unwrap();
        assert!(number("tokens_mean") <= 500.0 && 0.0 < number("tokens_mean"), "{line}");
        assert!((0.0..=1.0).contains(&number("covered")) && number("callable") <= 1.0, "{line}");
        assert_eq!(line["covered_over_greedy"].is_null(), line["packer"].as_str().unwrap().starts_with("greedy"), "{line}");
    }
    let covered = |packer: usize| lines[packer]["covered"].as_f64().unwrap();
    assert!(covered(0).max(covered(1)) < covered(3), "{lines:?}");
    assert!(0.0 < lines[3]["lines_mean"].as_f64().unwrap());
}

#[test]
fn a_cap_below_everything_covers_nothing() {
    for line in lines("packing", &["--max-tokens", "3", "--max-tools", "1"]) {
        assert_eq!((line["covered"].as_f64(), line["tokens_mean"].as_f64()), (Some(0.0), Some(0.0)), "{line}");
    }
}

#[test]
fn sessions_are_the_same_for_the_same_seed() {
    let run = || lines("continuity", &["--sessions", "5", "--turns", "4", "--seed", "3"]);
    let first = run();
    assert_eq!(first, run());
    assert_eq!(first.len(), 2);
    for line in &first {
        assert_eq!((line["sessions"].as_u64(), line["turns"].as_u64()), (Some(5), Some(15)), "{line}");
        assert!(line["uncached_mean"].as_f64().unwrap() <= line["tokens_mean"].as_f64().unwrap(), "{line}");
    }
    let appended = |line: usize| first[line]["appended"].as_f64().unwrap();
    assert!(appended(0) <= appended(1));
}
