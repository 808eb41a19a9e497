//! The texts that tools are embedded by, for whoever trains a model on them.

use serde_json::{Value, json};

use crate::support::program::run;

#[test]
fn texts_are_told_in_the_order_of_the_tools() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tools.jsonl");
    let tools = [
        json!({"id": "b/1", "name": "sendMail", "description": "Sends a letter. Takes no files.", "input_schema": {}, "server": "post"}),
        json!({"id": "a", "name": "clock", "description": null, "input_schema": null, "server": null}),
    ];
    std::fs::write(&path, tools.map(|tool| tool.to_string()).join("\n")).unwrap();
    let output = run(&["texts", "--tools", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let whole = "post send Mail: Sends a letter. Takes no files.";
    assert_eq!(
        lines,
        [
            json!({"id": "b/1", "views": ["post send Mail", "post send Mail: Sends a letter.", whole]}),
            json!({"id": "a", "views": ["clock", "clock: ", "clock: "]}),
        ]
    );

    std::fs::write(&path, "{\"id\":\"a\"}").unwrap();
    let output = run(&["texts", "--tools", path.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 1"), "{}", String::from_utf8_lossy(&output.stderr));
}
