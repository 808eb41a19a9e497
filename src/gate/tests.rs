use proptest::prelude::*;

use super::findings::MAX_FINDINGS;
use super::*;
use crate::error::Violation;
use crate::tool::ToolId;

fn plain() -> Tool {
    Tool {
        id: ToolId::new("files", "read").unwrap(),
        title: Some("Read".into()),
        description: "Reads a file.".into(),
        input_schema: document(r#"{"type":"object","properties":{"path":{"type":"string"}}}"#),
        output_schema: Some(document(r#"{"type":"object"}"#)),
        annotations: Some(document(r#"{"readOnlyHint":true}"#)),
        extra: Some(document(r#"{"_meta":{"a":"b"}}"#)),
        domain: Some("files".into()),
        tags: vec!["io".into()],
        examples: vec!["show me the notes".into()],
    }
}

fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

/// Where hidden text can stand: each field kind with `text` put into it, and the name the finding must give.
fn every_place(text: &str) -> Vec<(Tool, String)> {
    let quoted = serde_json::to_string(text).unwrap();
    let schema = |json: String| document(&json.replace("TEXT", &quoted));
    let shown = unicode::shown(text);
    let key = |of: &str| format!("{of}: key \"{shown}\"");
    vec![
        (Tool { id: ToolId::new(text, "read").unwrap(), ..plain() }, "source".into()),
        (Tool { id: ToolId::new("files", text).unwrap(), ..plain() }, "name".into()),
        (Tool { title: Some(text.into()), ..plain() }, "title".into()),
        (Tool { description: text.into(), ..plain() }, "description".into()),
        (Tool { domain: Some(text.into()), ..plain() }, "domain".into()),
        (Tool { tags: vec!["io".into(), text.into()], ..plain() }, "tags[1]".into()),
        (Tool { examples: vec![text.into()], ..plain() }, "examples[0]".into()),
        (
            Tool { input_schema: schema(r#"{"properties":{"path":{"description":TEXT}}}"#.into()), ..plain() },
            "input_schema.properties.path.description".into(),
        ),
        (
            Tool { input_schema: schema(r#"{"properties":{"path":{"enum":["a",TEXT]}}}"#.into()), ..plain() },
            "input_schema.properties.path.enum[1]".into(),
        ),
        (
            Tool { input_schema: schema(r#"{"properties":{"path":{"default":TEXT}}}"#.into()), ..plain() },
            "input_schema.properties.path.default".into(),
        ),
        (Tool { input_schema: schema(r#"{"properties":{TEXT:{}}}"#.into()), ..plain() }, key("input_schema.properties")),
        (Tool { output_schema: Some(schema(r#"{"title":TEXT}"#.into())), ..plain() }, "output_schema.title".into()),
        (Tool { annotations: Some(schema(r#"{"title":TEXT}"#.into())), ..plain() }, "annotations.title".into()),
        (Tool { extra: Some(schema(r#"{"_meta":{"a":[TEXT]}}"#.into())), ..plain() }, "extra._meta.a[0]".into()),
        (Tool { extra: Some(schema(r#"{TEXT:1}"#.into())), ..plain() }, key("extra")),
    ]
}

#[test]
fn every_field_is_read_and_named() {
    for hostile in
        ["pa\u{200b}th", "x\u{202e}y", "a\u{e0041}b", "e\u{1b}[0m", "a\u{e000}b", "a\u{ad}b", "a\u{fe0f}b", "a\u{fdd0}b"]
    {
        for (tool, field) in every_place(hostile) {
            let (verdict, findings) = scan(&tool);
            assert_eq!(verdict, Verdict::Refuse, "{hostile:?} in {field}");
            assert_eq!(findings.len(), 1, "{hostile:?} in {field}: {findings:?}");
            assert_eq!((findings[0].field.as_str(), findings[0].rule.code()), (field.as_str(), "unicode.hidden"));
        }
    }
    assert_eq!(scan(&plain()), (Verdict::Allow, Vec::new()));
}

#[test]
fn findings_become_violations() {
    let tool = Tool { input_schema: document(r#"{"properties":{"pa\u200bth":{}}}"#), ..plain() };
    let (_, findings) = scan(&tool);
    let violations: Vec<Violation> = findings.into_iter().map(Violation::from).collect();
    insta::assert_snapshot!(violations[0], @r#"input_schema.properties: key "pa\u{200b}th": has hidden U+200B (zero-width character) at character offset 2 (unicode.hidden)"#);
}

#[test]
fn a_hostile_tool_gets_a_short_answer() {
    let (verdict, findings) = scan(&Tool { description: "a\u{200b}".repeat(80_000), ..plain() });
    assert_eq!((verdict, findings.len()), (Verdict::Refuse, MAX_FINDINGS + 1));
    assert_eq!(findings[MAX_FINDINGS].description, "79984 more findings from here on; 16 are told");
    let long_key = format!("{{\"{}\u{200b}\":1}}", "k".repeat(100_000));
    let (_, findings) = scan(&Tool { extra: Some(document(&long_key)), ..plain() });
    assert!(findings[0].field.len() < 120, "{}", findings[0].field);
}

#[test]
fn schemas_are_checked_too() {
    let tool = Tool {
        input_schema: document(r#"{"type":"array","items":{"$ref":"https://example.com/s.json"}}"#),
        output_schema: Some(document(r##"{"$ref":"#"}"##)),
        ..plain()
    };
    let (verdict, findings) = scan(&tool);
    let rules: Vec<_> = findings.iter().map(|f| (f.field.as_str(), f.rule.code())).collect();
    assert_eq!(verdict, Verdict::Refuse);
    assert_eq!(
        rules,
        [
            ("input_schema.type", "schema.root_type"),
            ("input_schema.items.$ref", "schema.remote_ref"),
            ("output_schema.$ref", "schema.cyclic_ref"),
        ]
    );
}

proptest! {
    #[test]
    fn any_text_gets_a_verdict(text in any::<String>(), key in any::<String>()) {
        let json = format!("{{{}:{}}}", serde_json::to_string(&key).unwrap(), serde_json::to_string(&text).unwrap());
        let tool = Tool { description: text, input_schema: document(&json), ..plain() };
        let (verdict, findings) = scan(&tool);
        prop_assert_eq!(verdict == Verdict::Allow, findings.is_empty());
        prop_assert!(findings.len() <= MAX_FINDINGS + 1);
    }

    #[test]
    fn clean_ascii_passes(text in "[ -~\\t\\n\\r]{0,80}", name in "[!-~]{1,40}") {
        let tool = Tool { id: ToolId::new(&name, &name).unwrap(), title: Some(text.clone()), description: text, tags: vec![name], ..plain() };
        prop_assert_eq!(scan(&tool), (Verdict::Allow, Vec::new()));
    }

    #[test]
    fn what_a_finding_says_can_be_printed(text in "[a\u{1b}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{fe00}-\u{fe0f}\u{e0000}-\u{e01ef}\u{feff}]{0,40}") {
        let json = format!("{{{}:1}}", serde_json::to_string(&text).unwrap());
        let (_, findings) = scan(&Tool { description: text, extra: Some(document(&json)), ..plain() });
        for finding in findings {
            for said in [finding.field, finding.description] {
                let mut hidden = 0;
                unicode::find(&said, Place::Name, |_| hidden += 1);
                prop_assert_eq!(hidden, 0, "{:?}", said);
            }
        }
    }
}
