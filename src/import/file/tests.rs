use std::path::PathBuf;

use super::*;
use crate::error::Kind;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(file)
}

#[track_caller]
fn good(file: &str) -> Imported {
    read(&path(file), None).unwrap()
}

/// The error's words, with the directory left out.
#[track_caller]
fn words(error: &ImportError) -> String {
    error.to_string().replace(&format!("{}/", path("").display().to_string().trim_end_matches('/')), "")
}

#[track_caller]
fn bad(file: &str) -> String {
    let error = read(&path(file), None).unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    words(&error)
}

#[track_caller]
fn bad_text(text: &str) -> String {
    words(&parse(text, "x.json", SourceOf::Unnamed("x")).unwrap_err())
}

fn ids(imported: &Imported) -> Vec<String> {
    imported.tools.iter().map(|t| t.id.to_string()).collect()
}

fn extra(tool: &Tool) -> Option<&str> {
    tool.extra.as_ref().map(crate::tool::Document::text)
}

#[test]
fn mcp_lists_are_verbatim() {
    let imported = good("mcp_tools_list.json");
    assert_eq!(imported.format, FileFormat::McpToolsList);
    assert_eq!(ids(&imported), ["mcp_tools_list/create_event", "mcp_tools_list/list_events"]);
    assert_eq!(imported.sources, ["mcp_tools_list"]);
    let tool = &imported.tools[0];
    assert_eq!(tool.title.as_deref(), Some("Create an event"));
    assert_eq!(
        tool.input_schema.text(),
        r#"{ "type": "object",  "properties": {"start": {"type": "string", "minLength": 1.0}}, "required": ["start"] }"#
    );
    assert_eq!(tool.output_schema.as_ref().unwrap().text(), r#"{"type": "object"}"#);
    assert_eq!(tool.annotations.as_ref().unwrap().text(), r#"{"readOnlyHint": false}"#);
    assert_eq!(extra(tool), Some(r#"{"_meta":{"rank": 12345678901234567890.10, "a": [1,  2]}}"#));
    assert_eq!((imported.tools[1].description.as_str(), extra(&imported.tools[1])), ("", None));
    assert!(!imported.has_more_pages);
}

#[test]
fn mcp_answers_and_arrays_are_the_same_list() {
    let answer = good("mcp_answer.json");
    let array = good("mcp_array.json");
    assert_eq!((answer.format, array.format), (FileFormat::McpToolsList, FileFormat::McpToolsList));
    assert!(answer.has_more_pages && !array.has_more_pages);
    assert_eq!(ids(&answer), ["mcp_answer/read_file"]);
    assert_eq!(answer.tools[0].input_schema, array.tools[0].input_schema);
}

#[test]
fn openai_arrays_of_both_apis() {
    let chat = good("openai_chat.json");
    assert_eq!(
        (chat.format, ids(&chat)),
        (FileFormat::OpenAiTools, vec!["openai_chat/get_weather".into(), "openai_chat/ping".into()])
    );
    assert_eq!(chat.tools[0].description, "Weather now.");
    assert_eq!(chat.tools[0].input_schema.text(), r#"{"type":"object","properties":{"city":{"type":"string"}}}"#);
    assert_eq!(extra(&chat.tools[0]), Some(r#"{"strict":true}"#));
    assert_eq!(chat.tools[1].input_schema.text(), r#"{"type":"object","properties":{}}"#);
    assert_eq!(chat.skipped[0].to_string(), "[2]: is a tool of type \"web_search\", not a function with a schema");

    let responses = good("openai_responses.json");
    assert_eq!((responses.format, ids(&responses)), (FileFormat::OpenAiTools, vec!["openai_responses/get_weather".into()]));
    assert_eq!(responses.tools[0].input_schema.text(), r#"{"type":"object","properties":{}}"#);
    assert_eq!(extra(&responses.tools[0]), Some(r#"{"strict":null}"#));
    assert_eq!(responses.skipped[0].field, "tools[1]");
}

#[test]
fn anthropic_arrays() {
    let imported = good("anthropic.json");
    assert_eq!(imported.format, FileFormat::AnthropicTools);
    assert_eq!(ids(&imported), ["anthropic/get_weather", "anthropic/send"]);
    assert_eq!(extra(&imported.tools[0]), Some(r#"{"cache_control":{"type": "ephemeral"}}"#));
    assert_eq!(imported.skipped.len(), 1);
}

#[test]
fn lines_name_their_sources() {
    let imported = good("lines.jsonl");
    assert_eq!(imported.format, FileFormat::JsonLines);
    assert_eq!(ids(&imported), ["files/read", "lines/ping", "mail/send", "lines/write"]);
    assert_eq!(imported.sources, ["files", "lines", "mail"]);
    let tool = &imported.tools[0];
    assert_eq!(
        (tool.domain.as_deref(), &tool.tags[..], &tool.examples[..]),
        (Some("files"), &["io".to_owned()][..], &["show me the notes".to_owned()][..])
    );
    assert_eq!(extra(tool), None);
    assert_eq!(extra(&imported.tools[2]), Some(r#"{"tags":{"theirs": true}}"#));

    let renamed = read(&path("lines.jsonl"), Some("all")).unwrap();
    assert_eq!((renamed.sources, extra(&renamed.tools[2])), (vec!["all".to_owned()], extra(&imported.tools[2])));
    let error = read(&path("lines.jsonl"), Some("")).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::Invalid, "source: is empty"));
}

#[test]
fn a_source_is_named_without_blanks_around_it() {
    let imported = parse(r#"{"name":"read","server":" Quotes API "}"#, "x.json", SourceOf::Unnamed("x")).unwrap();
    assert_eq!(imported.sources, ["Quotes API"]);
    insta::assert_snapshot!(bad_text(r#"{"name":"read","server":" "}"#), @"x.json: line 1: source: is empty");
}

#[test]
fn one_tool_and_no_tool() {
    let one = parse("\n{\n \"name\": \"read\"\n}\n", "x.json", SourceOf::Unnamed("x")).unwrap();
    assert_eq!((one.format, ids(&one)), (FileFormat::JsonLines, vec!["x/read".into()]));
    for empty in ["[]", r#"{"tools":[]}"#] {
        let none = parse(empty, "x.json", SourceOf::Unnamed("x")).unwrap();
        assert_eq!((none.format, none.tools.len()), (FileFormat::McpToolsList, 0));
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(ids(&good("bom.json")), ["bom/read"]);
}

#[test]
fn broken_files_say_where() {
    insta::assert_snapshot!(bad("not_utf8.json"), @"not_utf8.json: is not UTF-8 from byte 36 on; save it as UTF-8");
    insta::assert_snapshot!(bad("truncated.json"), @"truncated.json: ends in the middle of a JSON value, at line 2 column 47; was it copied whole?");
    insta::assert_snapshot!(bad("truncated.jsonl"), @"truncated.jsonl: line 2: ends in the middle of a JSON value, at column 23");
    insta::assert_snapshot!(bad("duplicates.json"), @r#"duplicates.json: [2]: is "duplicates/read" again, as in [0]; keep one"#);
    insta::assert_snapshot!(bad_text("[1,]"), @"x.json: is not valid JSON at line 1 column 4: expected value");
    insta::assert_snapshot!(bad_text("[] []"), @"x.json: is not valid JSON at line 1 column 4: trailing characters");
    insta::assert_snapshot!(bad_text(" \n\t"), @"x.json: is empty");
    insta::assert_snapshot!(bad_text("<html>"), @"x.json: is not valid JSON at line 1 column 1: expected value");
    insta::assert_snapshot!(bad_text("7"), @"x.json: is a number, not an object; wanted an MCP tools/list answer, an OpenAI or Anthropic tools array, or JSON Lines with a tool per line");
    insta::assert_snapshot!(bad_text(r#"{"result":{}}"#), @"x.json: has no result.tools; wanted an MCP tools/list answer, an OpenAI or Anthropic tools array, or JSON Lines with a tool per line");
    insta::assert_snapshot!(bad_text(r#"{"tools":{}}"#), @"x.json: tools is an object, not an array; wanted an MCP tools/list answer, an OpenAI or Anthropic tools array, or JSON Lines with a tool per line");
    insta::assert_snapshot!(bad_text(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}"#), @r#"x.json: holds a JSON-RPC error, not an answer: {"code":-32601}; wanted an MCP tools/list answer, an OpenAI or Anthropic tools array, or JSON Lines with a tool per line"#);
}

#[test]
fn unreadable_files() {
    let error = read(&path("none.json"), None).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(words(&error).starts_with("none.json: cannot be read: No such file"), "{error}");
    assert_eq!(read(&path(""), None).unwrap_err().kind(), Kind::Unavailable);
    let error = read_at_most(10, &path("mcp_array.json"), None).unwrap_err();
    assert_eq!(words(&error), "mcp_array.json: is larger than the limit of 10 bytes; split it");
}

#[test]
fn all_problems_at_once() {
    insta::assert_snapshot!(bad("many_problems.json"), @r#"
    many_problems.json: 13 problems, nothing was imported
      tools[0]: is a number, not an object
      tools[1].name: is missing
      tools[2].name: is a number, not a string
      tools[3].inputSchema: is an array, not an object
      tools[4].inputSchema: key "x" appears twice in one object; keep one
      tools[5].parameters: stands beside inputSchema; keep one
      tools[6].title: is a number, not a string
      tools[6].description: is an array, not a string
      tools[7].name: " e" begins or ends with a blank
      tools[8].function.parameters: is a string, not an object
      tools[9].server: is an object, not the name of a source; give one for the whole file
      tools[10].description: is not valid JSON: unexpected end of hex escape
      tools[11]: key "name" appears twice in one object; keep one
    "#);
}

#[test]
fn problems_are_told_up_to_a_limit() {
    let error = parse(&format!("[{}1]", "1,".repeat(49)), "x.json", SourceOf::Unnamed("x")).unwrap_err();
    let ImportError::Entries { problems, more, .. } = &error else { panic!("{error}") };
    assert_eq!((problems.len(), *more), (MAX_PROBLEMS, 30));
    assert!(error.to_string().ends_with("\n  and 30 more"), "{error}");
}

#[test]
fn depth_and_length_have_limits() {
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(999), "]".repeat(999));
    insta::assert_snapshot!(bad_text(&format!(r#"[{{"name":"a","inputSchema":{deep}}}]"#)), @"x.json: [0].inputSchema: is nested 1000 levels deep, the limit is 64; flatten it");
    insta::assert_snapshot!(bad_text(&format!(r#"[{{"name":"a","icons":{deep}}}]"#)), @"x.json: [0].icons: is nested 1000 levels deep, the limit is 63; flatten it");
    insta::assert_snapshot!(bad_text(&format!("{{\"name\":\"a\"}}\n{{\"name\":\"{}\"}}", "b".repeat(MAX_LINE_BYTES))), @"x.json: line 2: has 1048587 bytes, the limit is 1048576");
    let bottomless = "[".repeat(1_000_000);
    insta::assert_snapshot!(bad_text(&bottomless), @"x.json: ends in the middle of a JSON value, at line 1 column 1000000; was it copied whole?");
    let closed = format!(r#"[{{"name":"a","inputSchema":{bottomless}{}}}]"#, "]".repeat(1_000_000));
    insta::assert_snapshot!(bad_text(&closed), @"x.json: [0].inputSchema: is nested 1000000 levels deep, the limit is 64; flatten it");
}

mod any {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text, "x", SourceOf::Unnamed("x"));
        }

        #[test]
        fn cut_files_are_read_or_refused(at in 0_usize..2_000, which in 0_usize..4) {
            let files = ["mcp_tools_list.json", "openai_chat.json", "lines.jsonl", "many_problems.json"];
            let text = std::fs::read_to_string(path(files[which])).unwrap();
            let _ = parse(text.get(..at).unwrap_or(&text), "x", SourceOf::Unnamed("x"));
        }
    }
}
