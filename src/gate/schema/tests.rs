use super::*;
use crate::gate::verdict::{Finding, Verdict};
use crate::tool::MAX_SCHEMA_DEPTH;

fn findings(schema: &str) -> Vec<Finding> {
    let json = Json::parse(schema, MAX_SCHEMA_DEPTH).unwrap();
    let mut findings = Findings::default();
    check_root_type("input_schema", &json, &mut findings);
    check("input_schema", &json, &mut findings);
    findings.finish().1
}

#[track_caller]
fn allowed(schema: &str) {
    assert_eq!(findings(schema), [], "{schema}");
}

#[track_caller]
fn refused(schema: &str, rule: Rule, field: &str, description: &str) {
    let expected = Finding { rule, field: field.into(), description: description.into() };
    assert_eq!(findings(schema), [expected], "{schema}");
}

#[test]
fn arguments_are_an_object() {
    allowed("{}");
    allowed(r#"{"type":"object"}"#);
    allowed(r#"{"type":["object","null"]}"#);
    refused(
        r#"{"type":"array","items":{}}"#,
        Rule::RootType,
        "input_schema.type",
        r#"is "array", and the arguments of a tool are an "object""#,
    );
    refused(r#"{"type":7}"#, Rule::RootType, "input_schema.type", r#"is 7, and the arguments of a tool are an "object""#);
}

#[test]
fn references_stay_inside() {
    let remote = |text: &str| format!(r##"refers to "{text}": remote references are not fetched, only "#..." is followed"##);
    refused(
        r#"{"properties":{"a":{"$ref":"https://example.com/a.json#/x"}}}"#,
        Rule::RemoteReference,
        "input_schema.properties.a.$ref",
        &remote("https://example.com/a.json#/x"),
    );
    refused(r#"{"$ref":"other.json"}"#, Rule::RemoteReference, "input_schema.$ref", &remote("other.json"));
    refused(
        r#"{"x-more":{"deep":[{"$ref":"file:///etc/passwd"}]}}"#,
        Rule::RemoteReference,
        "input_schema.x-more.deep[0].$ref",
        &remote("file:///etc/passwd"),
    );
    // Data and names, not references.
    allowed(r#"{"default":{"$ref":"https://example.com"},"enum":[{"$ref":"x"}]}"#);
    allowed(r#"{"properties":{"$ref":{"type":"string"},"default":{"type":"string"}}}"#);
    refused(
        r#"{"properties":{"default":{"$ref":"x.json"}}}"#,
        Rule::RemoteReference,
        "input_schema.properties.default.$ref",
        &remote("x.json"),
    );
}

#[test]
fn references_lead_somewhere() {
    allowed(r##"{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}}}"##);
    allowed(r##"{"properties":{"x":{"anyOf":[{"type":"string"}]},"y":{"$ref":"#/properties/x/anyOf/0"}}}"##);
    allowed(r##"{"$defs":{"a/b c%":{}},"items":[{"$ref":"#/$defs/a~1b%20c%25"},{"$ref":"#/$defs/a~1b c%"}]}"##);
    allowed(r##"{"$defs":{"a":{"$anchor":"here"}},"properties":{"x":{"$ref":"#here"}}}"##);
    allowed(r##"{"$defs":{"a":{"$id":"https://x/a","$defs":{"b":true},"items":{"$ref":"#/$defs/b"}}}}"##);
    for (reference, schema) in [
        ("#/$defs/b", r##"{"$defs":{"a":{}},"properties":{"x":{"$ref":"#/$defs/b"}}}"##),
        ("#nowhere", r##"{"properties":{"x":{"$ref":"#nowhere"}}}"##),
        ("#/properties/x/$ref", r##"{"properties":{"x":{"$ref":"#/properties/x/$ref"}}}"##),
    ] {
        let description = format!("refers to \"{reference}\", which is no schema of this document");
        refused(schema, Rule::DanglingReference, "input_schema.properties.x.$ref", &description);
    }
}

#[test]
fn recursive_schemas_that_consume_are_allowed() {
    allowed(r##"{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#"}}}}"##);
    allowed(
        r##"{"$ref":"#/$defs/node","$defs":{"node":{"properties":{"left":{"$ref":"#/$defs/node"},"right":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}}}}}"##,
    );
    allowed(
        r##"{"$defs":{"json":{"anyOf":[{"type":"string"},{"items":{"$ref":"#/$defs/json"}},{"additionalProperties":{"$ref":"#/$defs/json"}}]}},"properties":{"x":{"$ref":"#/$defs/json"}}}"##,
    );
    // Two ways to one place are no circle.
    allowed(r##"{"$defs":{"a":{}},"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}"##);
}

#[test]
fn circles_are_refused() {
    let circle = |texts: &str| format!("refers in a circle with no property or item between: {texts}");
    refused(r##"{"$ref":"#"}"##, Rule::CyclicReference, "input_schema.$ref", &circle(r##""#""##));
    refused(
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"properties":{"x":{"$ref":"#/$defs/a"}}}"##,
        Rule::CyclicReference,
        "input_schema.$defs.a.$ref",
        &circle(r##""#/$defs/b", "#/$defs/a""##),
    );
    refused(
        r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"}]}}}"##,
        Rule::CyclicReference,
        "input_schema.$defs.a.allOf[0].$ref",
        &circle(r##""#/$defs/a""##),
    );
    refused(r##"{"not":{"$ref":"#"}}"##, Rule::CyclicReference, "input_schema.not.$ref", &circle(r##""#""##));
}

#[test]
fn a_long_chain_of_references_does_not_end_the_thread() {
    let chain = |last: &str| {
        let links: Vec<_> = (0..499).map(|i| format!(r##""{i}":{{"$ref":"#/$defs/{}"}}"##, i + 1)).collect();
        format!(r#"{{"$defs":{{{},"499":{last}}}}}"#, links.join(","))
    };
    allowed(&chain("{}"));
    let circle = r##"refers in a circle with no property or item between: "#/$defs/1", "#/$defs/2", "#/$defs/3", "#/$defs/4" and 496 more"##;
    refused(&chain(r##"{"$ref":"#/$defs/0"}"##), Rule::CyclicReference, "input_schema.$defs.0.$ref", circle);
}

#[test]
fn size_has_limits() {
    let properties: Vec<_> = (0..=MAX_PROPERTIES).map(|i| format!(r#""p{i}":true"#)).collect();
    let many = format!(r#"{{"properties":{{{}}}}}"#, properties.join(","));
    refused(&many, Rule::TooLarge, "input_schema", "has 5001 properties, the limit is 5000");
    let values = format!(r#"{{"enum":[{}0]}}"#, "0,".repeat(MAX_NODES));
    refused(&values, Rule::TooLarge, "input_schema", "has 100003 values, the limit is 100000");
    let references = format!(r##"{{"items":[{}{{}}]}}"##, r##"{"$ref":"#/items/501"},"##.repeat(MAX_REFERENCES + 1));
    refused(&references, Rule::TooLarge, "input_schema", "has 501 references, the limit is 500");
    assert_eq!(Findings::default().finish().0, Verdict::Allow);
}
