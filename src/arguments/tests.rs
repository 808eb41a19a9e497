use super::*;

fn checked(schema: &str, arguments: &str, made_for: Profile) -> Checked {
    check(&Document::parse(schema).unwrap(), arguments, made_for)
}

#[track_caller]
fn errors(schema: &str, arguments: &str) -> Vec<String> {
    match checked(schema, arguments, Profile::Raw).verdict {
        Verdict::Valid => Vec::new(),
        Verdict::Invalid(errors) => errors.into_iter().map(|error| format!("{}: {}", error.path, error.description)).collect(),
        Verdict::Unchecked(why) => panic!("{why}"),
    }
}

#[track_caller]
fn unchecked(schema: &str, arguments: &str, words: &str) {
    match checked(schema, arguments, Profile::Raw).verdict {
        Verdict::Unchecked(why) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

const MAIL: &str = r#"{"type":"object","properties":{"to":{"type":"array","items":{"type":"string","pattern":"@"},"minItems":1},
    "priority":{"enum":["low","high"]},"retries":{"type":"integer","minimum":0,"maximum":9},"when":{"anyOf":[{"type":"string"},{"type":"object","properties":{"in":{"type":"number"}},"required":["in"]}]}},
    "required":["to"],"additionalProperties":false}"#;

#[test]
fn errors_name_the_place_what_is_wrong_and_what_is_allowed() {
    assert_eq!(errors(MAIL, r#"{"to":["a@b"],"retries":3.0}"#), Vec::<String>::new());
    let mut found =
        errors(MAIL, r#"{"to":["a@b","nobody"],"priority":"urgent","retries":10,"subject":"Hi","when":{"in":"a while"}}"#);
    found.sort();
    assert_eq!(
        found,
        [
            r#"/priority: is "urgent"; allowed are "low", "high""#,
            r#"/retries: is 10, the most is 9"#,
            r#"/to/1: is "nobody", it must match @"#,
            r#"/when: is an object of 1, which is none of its 2 forms; by the nearest, /when is an object of 1, it must be of the type string"#,
            r#": has "subject", which is not there; there are "priority", "retries", "to", "when""#,
        ]
    );
    assert_eq!(errors(MAIL, ""), [r#": lacks "to""#]);
    assert_eq!(errors(MAIL, r#"{"to":"a@b"}"#), [r#"/to: is "a@b", it must be of the type array"#]);
    assert_eq!(errors(MAIL, r#"{"to":[]}"#), ["/to: has 0 elements, the least is 1"]);
    assert_eq!(errors("{}", "[1]"), [": is an array, not an object"]);
    assert!(errors("{}", "{").first().unwrap().starts_with(": not valid JSON: "));
    assert_eq!(errors("{}", &"[".repeat(70)).len(), 1);
    assert!(errors("{}", &" ".repeat(300_000)).first().unwrap().contains("has 300000 bytes, the limit is 262144"));
}

#[test]
fn no_more_than_twenty_errors_are_told() {
    let schema = r#"{"type":"object","additionalProperties":{"type":"string"}}"#;
    let members = (0..1_000).map(|i| format!("\"a{i}\":{i}")).collect::<Vec<_>>().join(",");
    assert_eq!(errors(schema, &format!("{{{members}}}")).len(), MAX_ERRORS);
}

#[test]
fn what_was_made_for_strict_is_turned_back_and_then_checked() {
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","minLength":2}},"required":["a"]}"#;
    let strict = checked(schema, r#"{"a":"x","b":null}"#, Profile::OpenAiStrict);
    assert_eq!(strict, Checked { verdict: Verdict::Valid, arguments: r#"{"a":"x"}"#.into() });
    let raw = checked(schema, r#"{"a":"x","b":null}"#, Profile::Raw);
    assert!(matches!(raw.verdict, Verdict::Invalid(_)) && raw.arguments == r#"{"a":"x","b":null}"#);
    // The API does not enforce `minLength`, so it is found here.
    let short = checked(schema, r#"{"a":"x","b":"y"}"#, Profile::OpenAiStrict);
    assert!(matches!(short.verdict, Verdict::Invalid(errors) if errors[0].path == "/b"));
    // Untouched, arguments keep every byte.
    assert_eq!(checked(schema, r#" { "a": "x" , "n": 1.10 } "#, Profile::OpenAiStrict).arguments, r#"{ "a": "x" , "n": 1.10 }"#);
}

#[test]
fn nothing_is_fetched() {
    unchecked(r#"{"properties":{"a":{"$ref":"https://example.com/a.json"}}}"#, r#"{"a":1}"#, "https://example.com/a.json");
    unchecked(r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#, r#"{"a":1}"#, "file:///etc/passwd");
    assert_eq!(
        errors(r#"{"$schema":"https://example.com/own","properties":{"a":{"type":"string"}}}"#, r#"{"a":1}"#),
        ["/a: is 1, it must be of the type string"]
    );
}

#[test]
fn a_schema_that_would_never_end_is_not_begun() {
    // Every level is looked at twice as often as the one above.
    let schema = r##"{"properties":{"v":{"$ref":"#/$defs/n"}},"$defs":{"n":{"anyOf":[
        {"properties":{"a":{"$ref":"#/$defs/n"}},"required":["x"]},{"properties":{"a":{"$ref":"#/$defs/n"}},"required":["y"]}]}}}"##;
    let mut value = "1".to_owned();
    for _ in 0..60 {
        value = format!(r#"{{"a":{value}}}"#);
    }
    unchecked(schema, &format!("{{\"v\":{value}}}"), "too intricate");
    unchecked(r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}"##, "{}", "too intricate");
    // And one that only looks so.
    let tree = r##"{"properties":{"v":{"$ref":"#/$defs/n"}},"$defs":{"n":{"properties":{"a":{"$ref":"#/$defs/n"}}}}}"##;
    assert_eq!(errors(tree, &format!("{{\"v\":{value}}}")), Vec::<String>::new());
    let long = format!("{{\"v\":[{}]}}", vec!["{\"a\":1,\"b\":\"x\"}"; 10_000].join(","));
    let list = r#"{"properties":{"v":{"type":"array","items":{"properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}}}}"#;
    assert_eq!(errors(list, &long), Vec::<String>::new());
}

#[test]
fn a_long_chain_of_references_does_not_overflow() {
    let links = (0..500).map(|i| format!("\"d{i}\":{{\"$ref\":\"#/$defs/d{}\"}}", i + 1)).collect::<Vec<_>>().join(",");
    let schema = format!(
        "{{\"properties\":{{\"v\":{{\"$ref\":\"#/$defs/d0\"}}}},\"$defs\":{{{links},\"d500\":{{\"type\":\"string\"}}}}}}"
    );
    assert_eq!(errors(&schema, r#"{"v":"x"}"#), Vec::<String>::new());
    assert_eq!(errors(&schema, r#"{"v":1}"#), ["/v: is 1, it must be of the type string"]);
}

#[test]
fn regular_expressions_are_bounded() {
    let with = |pattern: &str| format!("{{\"properties\":{{\"a\":{{\"pattern\":\"{pattern}\"}}}}}}");
    let arguments = format!("{{\"a\":\"{}!\"}}", "a".repeat(5_000));
    // Needs a group that looks back, so it is matched by going back and forth.
    assert!(errors(&with(r"^(?=(a+)+$)(a|aa)+\\1$"), &arguments).first().unwrap().starts_with("/a: is "));
    unchecked(&with("((a{200}){200}){200}"), &arguments, "cannot be used");
    let many = (0..101).map(|i| format!("\"a{i}\":{{\"pattern\":\"a\"}}")).collect::<Vec<_>>().join(",");
    unchecked(&format!("{{\"properties\":{{{many}}}}}"), "{}", "has 101 regular expressions, the limit is 100");
}
