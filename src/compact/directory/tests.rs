use proptest::prelude::*;

use super::*;
use crate::json::{Json, write_string};
use crate::tool::{Document, ToolId};

fn tool(description: &str, schema: &str) -> Tool {
    Tool::new(ToolId::new("files", "find").unwrap(), description.to_owned(), Document::parse(schema).unwrap())
}

fn name() -> ModelName {
    ModelName::parse("find").unwrap()
}

#[track_caller]
fn check(schema: &str, expected: &str) {
    assert_eq!(signature(&tool("", schema), &name()), format!("find({expected})"));
}

#[test]
fn a_line_says_what_a_tool_does_and_takes() {
    let schema = r#"{"properties":{"depth":{"type":"integer"},"path":{"type":"string"},"sort":{"enum":["name","date"]}},"required":["path","sort"]}"#;
    let tool = tool("Finds files, e.g. by name. Slow.\nfind2: Other", schema);
    assert_eq!(
        signature(&tool, &name()),
        r#"find(path: string, sort: "name"|"date", depth?: integer): Finds files, e.g. by name."#
    );
    assert_eq!(name_line(&tool, &name()), "find: Finds files, e.g. by name.");
    let long = Tool { description: "word ".repeat(40), ..tool };
    assert_eq!(name_line(&long, &name()), format!("find: {}…", "word ".repeat(18).trim_end()));
    assert_eq!(name_line(&Tool { description: String::new(), ..long }, &name()), "find");
}

#[test]
fn types_are_those_of_typescript() {
    check("{}", "");
    check(r#"{"properties":{"a":{"type":"array","items":{"type":["string","null"]}}}}"#, "a?: (string|null)[]");
    check(r#"{"properties":{"a":{"enum":[1,2,3,4,5,6,7]},"b":{"const":"x"}}}"#, "a?: 1|2|…(7), b?: \"x\"");
    check(
        r#"{"properties":{"a":{"properties":{"x":{"type":"number"},"y":{"properties":{"z":{}}}},"required":["x"]}}}"#,
        "a?: {x: number, y?: {…}}",
    );
    check(
        r#"{"properties":{"a":true,"b":{"type":"object"},"c":{"$ref":"http://x.org"}},"required":["z","a","a"]}"#,
        "a: any, z: any, b?: object, c?: {…}",
    );
    check(r##"{"$ref":"#/$defs/A","$defs":{"A":{"properties":{"a":{"$ref":"#/$defs/A"}}}}}"##, "a?: {a?: {…}}");
    check(r#"{"properties":{"a b":{},"c\nd":{}}}"#, "\"a b\"?: any, \"c\\nd\"?: any");
    check(r#"{"anyOf":[{"properties":{"a":{}},"required":["a","b"]},{"required":["b"]}]}"#, "b: any, a?: any");
}

#[test]
fn required_parameters_are_never_left_out() {
    let named = |count: usize| (0..count).map(|i| format!(r#""p{i}":{{"type":"string"}}"#)).collect::<Vec<_>>().join(",");
    let required = (0..30).map(|i| format!(r#""p{i}""#)).collect::<Vec<_>>().join(",");
    let line = signature(&tool("", &format!(r#"{{"properties":{{{}}},"required":[{required}]}}"#, named(40))), &name());
    assert!((0..30).all(|i| line.contains(&format!("p{i}: string"))));
    assert!(line.ends_with(", …+10 optional)"), "{line}");
}

#[test]
fn no_lines_are_no_directory() {
    assert_eq!(directory([]), "");
    assert_eq!(directory(["a", "b"]), format!("{DIRECTORY_HEADER}\na\nb\n"));
}

fn any_tool() -> impl Strategy<Value = (String, String, bool)> {
    let nasty = prop::sample::select(vec![
        "\n", "\r\n", "\u{2028}", "\u{85}", ".", "。", "/", "//", " ", "a", "Ab", "1", ":", "'s", "_", "-", "\u{301}", "🛠️",
        "검색", "\u{0}", "\u{b}", "\"",
    ]);
    let text = prop_oneof![prop::collection::vec(nasty, 0..12).prop_map(|parts| parts.concat()), "(\\PC|[\\n ]){0,30}"];
    (text.clone(), text, any::<bool>())
}

proptest! {
    #[test]
    fn a_directory_counts_as_its_lines_do(tools in prop::collection::vec(any_tool(), 0..5), names in prop::collection::vec("[A-Za-z0-9_-]{1,6}", 5)) {
        let lines: Vec<String> = tools.iter().zip(&names).map(|((description, parameter, required), name)| {
            let mut key = String::new();
            write_string(parameter, &mut key);
            let schema = format!(r#"{{"properties":{{{key}:{{"enum":[{key}]}}}},"required":[{}]}}"#, if *required { key.as_str() } else { "" });
            let tool = tool(description, &schema);
            let line = if *required { Line::Signature } else { Line::Name };
            line.text(&tool, &ModelName::parse(name).unwrap())
        }).collect();
        for line in &lines {
            prop_assert!(!line.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) && line.trim() == line, "{line:?}");
        }
        let text = directory(lines.iter().map(String::as_str));
        prop_assert_eq!(text.lines().count(), if lines.is_empty() { 0 } else { lines.len() + 1 });
        for tokenizer in Tokenizer::ALL {
            let frame = if lines.is_empty() { TokenCount(0) } else { directory_frame(tokenizer) };
            let sum = lines.iter().fold(frame, |sum, line| sum + directory_line_tokens(line, tokenizer));
            prop_assert_eq!(tokenizer.count(&text), sum);
        }
    }

    #[test]
    fn every_required_parameter_is_shown(names in prop::collection::btree_set("[a-z_]{1,8}", 0..40), every in 1_usize..4) {
        let properties = names.iter().map(|name| (name.clone(), Json::Object(Vec::new()))).collect();
        let required: Vec<&String> = names.iter().step_by(every).collect();
        let list = Json::Array(required.iter().map(|name| Json::String((*name).clone())).collect());
        let schema = Json::Object(vec![("properties".to_owned(), Json::Object(properties)), ("required".to_owned(), list)]);
        let line = signature(&tool("", &schema.to_string()), &name());
        let inside = line.strip_prefix("find(").unwrap();
        let shown: std::collections::HashSet<&str> = inside.split(", ").filter_map(|one| one.split_once(": ").map(|(name, _)| name)).collect();
        prop_assert!(required.iter().all(|name| shown.contains(name.as_str())), "{line}");
    }
}
