//! `eval compare`, as it is typed.

use std::path::{Path, PathBuf};

use tool_router::eval::results::{Asked, FORMAT, Results, Run};

use crate::support::program::run;

fn ranked(set: &str, ranker: &str, place: usize) -> Run {
    let queries = (0..20).map(|i| Asked { id: format!("q{i}"), needed: 1, places: vec![place], confidence: None });
    Run {
        set: set.into(),
        split: "test".into(),
        ranker: ranker.into(),
        without: String::new(),
        tools: 50,
        distractors: 0,
        tokens_mean: None,
        embed_us_p50: None,
        rest_us_p50: 1.0,
        engine: String::new(),
        queries: queries.collect(),
        worst: Vec::new(),
    }
}

fn write(folder: &Path, name: &str, model: &str, runs: Vec<Run>) -> String {
    let path: PathBuf = folder.join(name);
    Results { format: FORMAT, model: model.into(), runs, abstentions: Vec::new() }.write(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn fails(arguments: &[&str], expected: &str) {
    let output = run(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
    assert!(error.contains(expected) && error.trim_end().lines().count() == 1, "{error}");
}

#[test]
fn two_files_and_two_rankers() {
    let folder = tempfile::tempdir().unwrap();
    let a =
        write(folder.path(), "a.json", "old", vec![ranked("x", "router", 7), ranked("y", "router", 1), ranked("x", "bm25", 9)]);
    let b = write(folder.path(), "b.json", "new", vec![ranked("x", "router", 2), ranked("y", "router", 1)]);

    let output = run(&["eval", "compare", &a, &b]);
    let (table, notes) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{notes}");
    let line = |start: &str| table.lines().find(|line| line.trim().starts_with(start)).unwrap_or_else(|| panic!("{table}"));
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(line("x:test")), "x:test router 20 recall@5 0.000 1.000 +1.000 [+1.000, +1.000] better");
    assert_eq!(words(line("y:test")), "y:test router 20 recall@5 1.000 1.000 0.000 [0.000, 0.000]");
    assert_eq!(words(line("macro mean")), "macro mean of 2 sets router 40 recall@5 0.500 1.000 +0.500 [+0.500, +0.500] better");
    assert!(table.contains("model A old, B new"), "{table}");
    assert!(notes.contains("only in A, not compared: bm25 of x:test"), "{notes}");

    let output = run(&["eval", "compare", &a, "--rankers", "bm25,router", "--json"]);
    let lines: Vec<serde_json::Value> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["ranker"].as_str()), (2, Some("bm25 → router")));
    let ndcg = &lines[0]["ndcg@10"];
    assert!(
        0.0 < ndcg["difference"].as_f64().unwrap() && ndcg["significant"] == true && lines[0]["recall@5"]["significant"] == false
    );
}

#[test]
fn what_cannot_be_compared_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let a = write(folder.path(), "a.json", "m", vec![ranked("x", "router", 1)]);
    let mut fewer = ranked("x", "router", 1);
    fewer.queries.truncate(18);
    let fewer = write(folder.path(), "fewer.json", "m", vec![fewer]);
    fails(&["eval", "compare", &a, &fewer], r#"router of x:test: the queries are not the same: only the first has "q18", "q19""#);
    let mut larger = ranked("x", "router", 1);
    larger.tools = 60;
    let larger = write(folder.path(), "larger.json", "m", vec![larger]);
    fails(&["eval", "compare", &a, &larger], "the first searched 50 tools, the second 60");
    let other = write(folder.path(), "other.json", "m", vec![ranked("y", "router", 1)]);
    fails(&["eval", "compare", &a, &other], "no run is in both");
    fails(&["eval", "compare", &a, "--rankers", "router,cosine"], r#"no run of ranker "cosine""#);
    fails(&["eval", "compare", &a, "--rankers", "router"], "--rankers takes two");

    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{\"format\": 1, \"model\"").unwrap();
    fails(&["eval", "compare", &a, broken.to_str().unwrap()], "broken.json is no results file of `eval --out`");
    std::fs::write(&broken, "{\"format\": 9}").unwrap();
    fails(&["eval", "compare", &a, broken.to_str().unwrap()], "format is 9, this build reads 1");
    fails(&["eval", "compare", &a, "/does/not/exist.json"], "results file /does/not/exist.json: No such file");

    let usage = |arguments: &[&str]| assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    usage(&["eval", "compare", &a]);
    usage(&["eval", "compare", &a, &a, "--rankers", "a,b"]);
    usage(&["eval", "compare", &a, &a, "--resamples", "5"]);
    usage(&["eval", "--data", "."]);
    usage(&["eval"]);
}
