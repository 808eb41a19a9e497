use proptest::prelude::*;

use super::*;
use crate::json::write_string;
use crate::tool::{Document, ToolId};

fn tool(description: &str, schema: &str) -> Tool {
    Tool::new(ToolId::new("files", "read").unwrap(), description.to_owned(), Document::parse(schema).unwrap())
}

fn rich() -> Tool {
    let document = |text| Some(Document::parse(text).unwrap());
    Tool {
        title: Some("Read".into()),
        output_schema: document(r#"{ "type": "object" }"#),
        annotations: document(r#"{"readOnlyHint": true}"#),
        extra: document(
            r#"{"strict": true, "_meta": {"a": 1.0}, "title": "other", "inputSchema": {}, "cache_control": {"type": "ephemeral"}}"#,
        ),
        ..tool(
            "Reads  a file.\n",
            "{\n  \"type\": \"object\", \"title\": \"T\",\n  \"properties\": {\"path\": {\"type\": \"string\", \"description\": \"Where\"}}\n}",
        )
    }
}

fn model_name() -> ModelName {
    ModelName::parse("read").unwrap()
}

fn render(tool: &Tool, model_name: &ModelName, format: Format, fidelity: Fidelity) -> String {
    Forms::of(tool).render(tool, model_name, format, fidelity)
}

#[track_caller]
fn check(tool: &Tool, format: Format, fidelity: Fidelity, expected: &str) {
    assert_eq!(render(tool, &model_name(), format, fidelity), expected);
}

#[test]
fn full_is_the_publishers_text() {
    let schema = rich().input_schema.text().to_owned();
    let rest = r#""description":"Reads  a file.\n""#;
    check(
        &rich(),
        Format::OpenAiChat,
        Fidelity::Full,
        &format!(r#"{{"type":"function","function":{{"name":"read",{rest},"parameters":{schema},"strict":true}}}}"#),
    );
    check(&rich(), Format::Anthropic, Fidelity::Full, &format!(r#"{{"name":"read",{rest},"input_schema":{schema}}}"#));
    let output = r#"{ "type": "object" }"#;
    check(
        &rich(),
        Format::OpenAiResponses,
        Fidelity::Full,
        &format!(r#"{{"type":"function","name":"read",{rest},"parameters":{schema},"strict":true,"output_schema":{output}}}"#),
    );
    check(
        &rich(),
        Format::Gemini,
        Fidelity::Full,
        &format!(r#"{{"name":"read",{rest},"parametersJsonSchema":{schema},"responseJsonSchema":{output}}}"#),
    );
    check(
        &rich(),
        Format::Mcp,
        Fidelity::Full,
        &format!(
            r#"{{"name":"read","title":"Read",{rest},"inputSchema":{schema},"outputSchema":{{ "type": "object" }},"annotations":{{"readOnlyHint": true}},"strict":true,"_meta":{{"a":1.0}},"cache_control":{{"type":"ephemeral"}}}}"#
        ),
    );
}

#[test]
fn lean_and_skeleton_are_minified() {
    let lean = r#"{"type":"object","properties":{"path":{"type":"string","description":"Where"}}}"#;
    let skeleton = r#"{"type":"object","properties":{"path":{"type":"string"}}}"#;
    let described = r#""name":"read","description":"Reads a file.""#;
    check(&rich(), Format::Mcp, Fidelity::Lean, &format!(r#"{{{described},"inputSchema":{lean}}}"#));
    check(&rich(), Format::Anthropic, Fidelity::Lean, &format!(r#"{{{described},"input_schema":{lean}}}"#));
    check(
        &rich(),
        Format::OpenAiChat,
        Fidelity::Lean,
        &format!(r#"{{"type":"function","function":{{{described},"parameters":{lean}}}}}"#),
    );
    check(
        &rich(),
        Format::OpenAiChat,
        Fidelity::Skeleton,
        &format!(r#"{{"type":"function","function":{{"name":"read","parameters":{skeleton}}}}}"#),
    );
}

#[test]
fn what_the_publisher_adds_is_shown_where_it_has_a_place() {
    let with = |extra: &str| Tool { extra: Some(Document::parse(extra).unwrap()), ..tool("", "{}") };
    let examples = r#"{"input_examples":[{"a":1.0}],"strict":"yes","cache_control":{"type":"ephemeral"}}"#;
    check(
        &with(examples),
        Format::Anthropic,
        Fidelity::Full,
        r#"{"name":"read","input_schema":{},"input_examples":[{"a":1.0}]}"#,
    );
    check(&with(r#"{"input_examples":"none"}"#), Format::Anthropic, Fidelity::Full, r#"{"name":"read","input_schema":{}}"#);
    check(
        &with(examples),
        Format::OpenAiChat,
        Fidelity::Full,
        r#"{"type":"function","function":{"name":"read","parameters":{}}}"#,
    );
    // Left out, Responses would take it for `true`.
    for (extra, strict) in [(r#"{"strict":true}"#, true), (r#"{"strict":null}"#, false), (examples, false)] {
        check(
            &with(extra),
            Format::OpenAiResponses,
            Fidelity::Full,
            &format!(r#"{{"type":"function","name":"read","parameters":{{}},"strict":{strict}}}"#),
        );
    }
    check(
        &with(r#"{"strict":true}"#),
        Format::OpenAiResponses,
        Fidelity::Skeleton,
        r#"{"type":"function","name":"read","parameters":{"type":"object","properties":{}},"strict":false}"#,
    );
}

#[test]
fn a_schema_that_says_nothing_becomes_one_of_an_object() {
    check(&tool("", "{}"), Format::Anthropic, Fidelity::Full, r#"{"name":"read","input_schema":{}}"#);
    check(
        &tool(" \n", "{}"),
        Format::Anthropic,
        Fidelity::Lean,
        r#"{"name":"read","input_schema":{"type":"object","properties":{}}}"#,
    );
    let anchored = tool("", r##"{"$ref":"#/$defs/a","$defs":{"a":{}}}"##);
    let expected = r#"{"name":"read","inputSchema":{"type":"object","properties":{}}}"#;
    check(&anchored, Format::Mcp, Fidelity::Skeleton, expected);
}

#[test]
fn names_read_back() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("openai"), None);
    assert!(Fidelity::ALL.is_sorted());
}

#[test]
fn a_prompt_is_a_json_array_or_nothing() {
    assert_eq!(prompt([]), "");
    assert_eq!(prompt(["{}"]), "[\n{}\n]");
    assert_eq!(prompt(["{}", "{\"a\":1}"]), "[\n{},\n{\"a\":1}\n]");
}

/// Objects as no publisher would write them, inside and at their ends.
fn any_item() -> impl Strategy<Value = String> {
    let nasty = prop_oneof![
        Just("\\n"),
        Just("\n"),
        Just("\n\n  "),
        Just("\r\n"),
        Just("/"),
        Just("//\n"),
        Just("'s"),
        Just(" "),
        Just("\u{a0}"),
        Just("🛠️"),
        Just("搜索"),
        Just("검색"),
        Just("e\u{301}"),
        Just("\u{301}"),
        Just("\""),
        Just("}"),
        Just("}}"),
        Just("]"),
        Just("{"),
        Just(","),
        Just("a"),
        Just("Ab"),
        Just("1234"),
        Just(":"),
        Just("\\u0000"),
    ];
    prop_oneof![
        prop::collection::vec(nasty, 0..12).prop_map(|parts| format!("{{{}}}", parts.concat())),
        "(\\PC|[\\n ]){0,20}".prop_map(|inner| format!("{{{inner}}}")),
        ("\\PC{0,12}", "[a-z ]{0,8}[\n ]{0,3}").prop_map(|(description, name)| {
            render(
                &tool(&description, &format!("{{ \"x\":\n {}}}", Json::String(name))),
                &model_name(),
                Format::Mcp,
                Fidelity::Full,
            )
        }),
    ]
}

proptest! {
    #[test]
    fn a_prompt_counts_as_its_lines_do(items in prop::collection::vec(any_item(), 0..6)) {
        for tokenizer in Tokenizer::ALL {
            let text = prompt(items.iter().map(String::as_str));
            let mut lines = TokenCount(0);
            let mut costs = frame(tokenizer);
            for (i, item) in items.iter().enumerate() {
                lines = lines + tokenizer.count(&format!("{item}{}", if i + 1 == items.len() { "\n" } else { ",\n" }));
                costs = costs + cost(item, tokenizer);
            }
            if !items.is_empty() {
                prop_assert_eq!(tokenizer.count(&text), frame(tokenizer) + lines);
            }
            let counted: Vec<_> = items.iter().map(|item| line_tokens(item, tokenizer)).collect();
            prop_assert_eq!(list_tokens(&counted, tokenizer), tokenizer.count(&text));
            prop_assert!(tokenizer.count(&text) <= costs);
        }
    }

    #[test]
    fn a_cost_is_the_dearer_of_its_two_endings(item in any_item()) {
        for tokenizer in Tokenizer::ALL {
            let with = |end| tokenizer.count(&format!("{item}{end}"));
            prop_assert_eq!(cost(&item, tokenizer), with(",\n").max(with("\n")));
        }
    }

    #[test]
    fn what_is_rendered_is_json_that_names_the_tool(description in "\\PC{0,20}", key in "\\PC{0,6}") {
        let mut schema = String::new();
        write_string(&key, &mut schema);
        let tool = tool(&description, &format!("{{\"properties\":{{{schema}:{{}}}}}}"));
        for format in Format::ALL {
            for fidelity in Fidelity::ALL {
                let object = Json::parse_object(&render(&tool, &model_name(), format, fidelity), 64).unwrap();
                let object = object.get("function").unwrap_or(&object);
                prop_assert_eq!(object.get("name").and_then(Json::as_str), Some("read"));
                let schema = ["parameters", "input_schema", "inputSchema", "parametersJsonSchema"].into_iter().find_map(|k| object.get(k)).unwrap();
                prop_assert!(schema.get("properties").unwrap().get(&key).is_some());
            }
        }
    }
}
