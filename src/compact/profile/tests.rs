use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::tool::{Document, ToolId};

fn json(text: &str) -> Json {
    Json::parse(text, 64).unwrap()
}

fn validator(schema: &Json) -> Option<jsonschema::Validator> {
    jsonschema::draft202012::new(&serde_json::from_str(&schema.to_string()).unwrap()).ok()
}

fn is_valid(validator: &jsonschema::Validator, instance: &Json) -> bool {
    validator.is_valid(&serde_json::from_str(&instance.to_string()).unwrap())
}

#[track_caller]
fn strict_of(schema: &str, expected: &str, losses: &str) {
    let made = openai_strict(&json(schema)).unwrap();
    assert_eq!((made.schema.to_string().as_str(), made.losses.as_str()), (expected, losses));
}

#[track_caller]
fn gemini_of(schema: &str, expected: &str, losses: &str) {
    let made = gemini(&json(schema)).unwrap();
    assert_eq!((made.schema.to_string().as_str(), made.losses.as_str()), (expected, losses));
}

#[track_caller]
fn refused(made: Result<InProfile, String>, words: &str) {
    let why = made.unwrap_err();
    assert!(why.contains(words), "{why}");
}

#[test]
fn strict_requires_everything_and_closes_every_object() {
    strict_of(
        r#"{"properties":{"a":{"type":"string","description":" x  y","minLength":1},"b":{"type":"integer","default":5},
            "c":{"type":"object","properties":{"d":{"enum":["p","q"]}}}},"required":["a"]}"#,
        r#"{"type":"object","properties":{"a":{"type":"string","description":"x y"},"b":{"type":["integer","null"],"description":"Default: 5."},"c":{"anyOf":[{"type":"object","properties":{"d":{"type":["string","null"],"enum":["p","q",null]}},"required":["d"],"additionalProperties":false},{"type":"null"}]}},"required":["a","b","c"],"additionalProperties":false}"#,
        "not checked by the API: a.minLength",
    );
    strict_of("{}", r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#, "");
}

#[test]
fn strict_writes_references_out_and_keeps_what_contains_itself() {
    strict_of(
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/leaf"},"t":{"$ref":"#/$defs/tree"}},"required":["a","t"],
            "$defs":{"leaf":{"type":"string"},"tree":{"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}}}"##,
        r##"{"type":"object","properties":{"a":{"type":"string"},"t":{"$ref":"#/$defs/tree"}},"required":["a","t"],"additionalProperties":false,"$defs":{"tree":{"type":"object","properties":{"kids":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/tree"}},{"type":"null"}]}},"required":["kids"],"additionalProperties":false}}}"##,
        "",
    );
    strict_of(
        r##"{"type":"object","properties":{"next":{"$ref":"#"}}}"##,
        r##"{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"],"additionalProperties":false}"##,
        "",
    );
}

#[test]
fn parts_are_joined() {
    let joined = r#"{"allOf":[{"type":"object","properties":{"a":{"type":["string","null"]}}},{"properties":{"a":{"type":"string"},"b":{"type":"number"}},"required":["a","b"]}]}"#;
    let expected = r#"{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}},"required":["a","b"],"additionalProperties":false}"#;
    strict_of(joined, expected, "");
    refused(
        openai_strict(&json(
            r#"{"allOf":[{"properties":{"a":{"type":"string"}},"additionalProperties":false},{"properties":{"b":{"type":"string"}}}]}"#,
        )),
        "none of the other's members",
    );
}

#[test]
fn what_cannot_be_said_is_refused_with_its_place() {
    let property = |schema: &str| json(&format!(r#"{{"type":"object","properties":{{"a":{schema}}}}}"#));
    for (schema, words) in [
        (r#"{"type":"object"}"#, "a takes members of any name"),
        (r#"{"type":"object","additionalProperties":{"type":"string"}}"#, "a takes members of any name"),
        (r#"{"description":"x"}"#, "a takes values of any kind"),
        ("true", "a takes values of any kind"),
        (r#"{"type":"array"}"#, "a takes elements of any kind"),
        (
            r#"{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"string"}}"#,
            "a describes its elements by their place",
        ),
        (
            r#"{"type":"object","properties":{"b":{"type":"string"}},"required":["c"]}"#,
            "a requires \"c\", which it does not describe",
        ),
        (r#"{"type":"array","items":{"enum":[{}]}}"#, "a[] lists whole objects or lists"),
        (r##"{"$ref":"#/$defs/none"}"##, "a refers to \"#/$defs/none\", which is not there"),
        (r#"{"$ref":"https://example.com/a.json"}"#, "a refers to \"https://example.com/a.json\""),
        (r##"{"$ref":"#/properties/a"}"##, "refers in a circle"),
    ] {
        refused(openai_strict(&property(schema)), words);
        refused(gemini(&property(schema)), words);
    }
    let circle = r##"{"properties":{"v":{"$ref":"#/$defs/q"}},"$defs":{"p":{"anyOf":[{"$ref":"#/$defs/q"},{"type":"string"}]},
        "q":{"anyOf":[{"type":"object","properties":{"y":{"$ref":"#/$defs/p"}}},{"$ref":"#/$defs/p"}]}}}"##;
    refused(openai_strict(&json(circle)), "refers in a circle");
    refused(
        openai_strict(&json(r#"{"anyOf":[{"properties":{"a":{"type":"string"}}},{"properties":{"b":{"type":"string"}}}]}"#)),
        "the whole is a choice of objects (anyOf)",
    );
    let mut deep = r#"{"type":"string"}"#.to_owned();
    for _ in 0..10 {
        deep = format!(r#"{{"type":"object","properties":{{"a":{deep}}},"required":["a"]}}"#);
    }
    assert!(openai_strict(&json(&deep)).is_ok());
    refused(openai_strict(&property(&deep)), "is on level 11, the limit is 10");
    let values = (0..1_001).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(",");
    refused(openai_strict(&property(&format!("{{\"enum\":[{values}]}}"))), "enum values, the limit is 1000");
    let long = (0..251).map(|i| format!("\"{i:060}\"")).collect::<Vec<_>>().join(",");
    refused(openai_strict(&property(&format!("{{\"enum\":[{long}]}}"))), "the limit is 15000");
}

#[test]
fn a_few_lines_are_not_written_out_to_millions() {
    let mut definitions = vec![r#""d0":{"type":"string"}"#.to_owned()];
    for i in 1..40 {
        let before = i - 1;
        definitions.push(format!(
            r##""d{i}":{{"type":"object","properties":{{"a":{{"$ref":"#/$defs/d{before}"}},"b":{{"$ref":"#/$defs/d{before}"}}}}}}"##
        ));
    }
    let schema = json(&format!(
        r##"{{"type":"object","properties":{{"a":{{"$ref":"#/$defs/d39"}}}},"$defs":{{{}}}}}"##,
        definitions.join(",")
    ));
    refused(openai_strict(&schema), "has more than 10000 parts");
    let joins = json(r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"allOf":[{"$ref":"#/$defs/a"}]}"##);
    refused(openai_strict(&joins), "without end");
}

#[test]
fn gemini_takes_the_subset() {
    gemini_of(
        r##"{"type":"object","properties":{"a":{"type":["string","null"],"format":"email","maxLength":9},"n":{"type":"integer","enum":[1,2],"description":"How many."},
            "c":{"description":"Either.","anyOf":[{"type":"string","enum":["x"]},{"type":"number","exclusiveMinimum":0}]},
            "t":{"$ref":"#/$defs/tree"}},"required":["a"],"additionalProperties":false,
            "$defs":{"tree":{"type":"object","properties":{"name":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}}}"##,
        r#"{"type":"object","properties":{"a":{"type":"string","maxLength":9,"nullable":true},"n":{"type":"integer","description":"How many. One of 1, 2."},"c":{"anyOf":[{"type":"string","format":"enum","enum":["x"],"description":"Either."},{"type":"number"}]},"t":{"type":"object","properties":{"name":{"type":"string"}}}},"required":["a"]}"#,
        "not checked by the API: a.format, n.enum, c.exclusiveMinimum; cannot be given: t.kids[]: another level of tree",
    );
    refused(gemini(&json(r#"{"properties":{"a-b":{"type":"string"}}}"#)), "a-b is no name for a parameter");
    refused(
        gemini(&json(r##"{"properties":{"a":{"$ref":"#"},"b":{"type":"string"}},"required":["a"]}"##)),
        "the whole contains itself",
    );
}

#[test]
fn arguments_are_restored() {
    let restored = |schema: &str, arguments: &str| restore_arguments(&json(schema), &json(arguments)).unwrap().to_string();
    let schema = r#"{"type":"object","properties":{"a":{"type":["string","null"]},"b":{"type":"object","properties":{"c":{"type":"string"},"d":{"type":"number"}},"required":["c"]},"l":{"type":"array","items":{"type":"object","properties":{"e":{"type":"string"}}}}},"required":["a"]}"#;
    assert_eq!(
        restored(schema, r#"{"a":null,"b":{"c":"x","d":null},"l":[{"e":null},{"e":"y"}],"z":null}"#),
        r#"{"a":null,"b":{"c":"x"},"l":[{},{"e":"y"}],"z":null}"#
    );
    assert_eq!(restored(schema, r#"{"a":null,"b":null,"l":null}"#), r#"{"a":null}"#);
    let choice = r#"{"properties":{"v":{"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"x":{"type":["string","null"]}},"required":["k","x"]},{"type":"object","properties":{"k":{"const":"b"},"x":{"type":"string"}},"required":["k"]}]}},"required":["v"]}"#;
    assert_eq!(restored(choice, r#"{"v":{"k":"a","x":null}}"#), r#"{"v":{"k":"a","x":null}}"#);
    assert_eq!(restored(choice, r#"{"v":{"k":"b","x":null}}"#), r#"{"v":{"k":"b"}}"#);
    assert_eq!(restored(r#"{"type":"object","additionalProperties":true}"#, r#"{"a":null}"#), r#"{"a":null}"#);
}

#[test]
fn a_value_that_can_be_read_in_too_many_ways_is_an_error() {
    let schema = r##"{"properties":{"v":{"$ref":"#/$defs/n"}},"required":["v"],"$defs":{"n":{"anyOf":[
        {"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"x":{"type":"string"}},"required":["a"]},
        {"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"y":{"type":"string"}},"required":["a"]},{"type":"string"}]}}}"##;
    let mut value = "1".to_owned();
    for _ in 0..50 {
        value = format!(r#"{{"a":{value}}}"#);
    }
    let why = restore_arguments(&json(schema), &json(&format!("{{\"v\":{value}}}"))).unwrap_err();
    assert!(why.contains("too many ways"), "{why}");
}

fn written(schema: &str, style: Style) -> Written {
    let tool = Tool {
        extra: Some(Document::parse(r#"{"strict":true}"#).unwrap()),
        ..Tool::new(ToolId::new("files", "read").unwrap(), "Reads  it.".into(), Document::parse(schema).unwrap())
    };
    Written::of(&tool, &Forms::of(&tool), &ModelName::parse("read").unwrap(), style, Tokenizer::O200kBase)
}

#[test]
fn a_definition_is_marked_where_its_schema_is_made_for_it() {
    let style = |format, profile| Style { format, profile, deferred: false };
    let good = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
    let strict = written(good, style(Format::OpenAiChat, Profile::OpenAiStrict));
    assert!(
        strict.text(Fidelity::Full).ends_with(r#""additionalProperties":false},"strict":true}}"#),
        "{}",
        strict.text(Fidelity::Full)
    );
    assert!(strict.text(Fidelity::Skeleton).ends_with(r#""strict":true}}"#));
    assert_eq!((strict.profile, strict.is_lossy, strict.detail.as_str()), (Profile::OpenAiStrict, false, ""));
    let map = r#"{ "type":"object","additionalProperties":true, "title":"T"}"#;
    let refused = written(map, style(Format::OpenAiResponses, Profile::OpenAiStrict));
    assert_eq!(
        refused.text(Fidelity::Full),
        r#"{"type":"function","name":"read","description":"Reads  it.","parameters":{"type":"object","additionalProperties":true,"properties":{}},"strict":false}"#
    );
    assert_eq!(refused.profile, Profile::Lean);
    assert_eq!(refused.detail, "shown as lean, it cannot be openai_strict: the whole takes members of any name");
    let gemini = written(good, style(Format::Gemini, Profile::Gemini));
    assert_eq!(
        gemini.text(Fidelity::Skeleton),
        r#"{"name":"read","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}"#
    );
    assert_eq!(
        written("{}", style(Format::Gemini, Profile::Gemini)).text(Fidelity::Lean),
        r#"{"name":"read","description":"Reads it."}"#
    );
    let lean = written(map, style(Format::Gemini, Profile::Gemini));
    assert!(lean.text(Fidelity::Full).contains(r#""parametersJsonSchema":{"type":"object","additionalProperties":true"#));
    let raw = written(map, Style { format: Format::Anthropic, profile: Profile::Raw, deferred: true });
    assert!(raw.text(Fidelity::Full).ends_with(&format!(r#""input_schema":{map},"defer_loading":true}}"#)));
    let tool = Tool::new(ToolId::new("files", "read").unwrap(), "Reads  it.".into(), Document::parse(good).unwrap());
    let (forms, name) = (Forms::of(&tool), ModelName::parse("read").unwrap());
    for format in Format::ALL {
        let same = Written::of(&tool, &forms, &name, style(format, Profile::Raw), Tokenizer::Cl100kBase);
        for fidelity in Fidelity::ALL {
            assert_eq!(same.text(fidelity), forms.render(&tool, &name, format, fidelity));
            assert_eq!(same.cost(fidelity), super::super::cost(same.text(fidelity), Tokenizer::Cl100kBase));
        }
    }
}

/// Schemas as publishers write them and as they should not, with two definitions to refer to.
fn any_schema() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        4 => select(vec!["string", "integer", "number", "boolean", "null"]).prop_map(|name| format!(r#"{{"type":"{name}"}}"#)),
        1 => select(vec![
            r#"{"type":["string","null"],"description":"Maybe."}"#, r#"{"enum":["a","b",1,null]}"#, r#"{"const":"a"}"#, r#"{"const":2}"#,
            r#"{"type":"integer","minimum":0,"maximum":9}"#, r#"{"type":"string","minLength":2,"pattern":"^a"}"#, r#"{"type":"string","nullable":true}"#,
            r#"{"type":["integer","string"],"default":null}"#, r#"{"type":"string","enum":["","x"],"default":"x"}"#, "{}", "true", "false",
            r##"{"$ref":"#/$defs/p"}"##, r##"{"$ref":"#/$defs/q"}"##, r##"{"$ref":"#"}"##, r##"{"$ref":"#/$defs/p","description":"P."}"##,
        ]).prop_map(str::to_owned),
    ];
    let schema = leaf.prop_recursive(4, 24, 4, |inner| {
        let object = (
            prop::collection::btree_map("[a-c]", (inner.clone(), any::<bool>()), 0..4),
            select(vec!["", r#","additionalProperties":false"#, r#","additionalProperties":true"#, r#","minProperties":1"#]),
        )
            .prop_map(|(members, more)| {
                let named =
                    members.iter().map(|(name, (schema, _))| format!("\"{name}\":{schema}")).collect::<Vec<_>>().join(",");
                let required = members
                    .iter()
                    .filter(|(_, (_, is))| *is)
                    .map(|(name, _)| format!("\"{name}\""))
                    .collect::<Vec<_>>()
                    .join(",");
                format!(r#"{{"type":"object","properties":{{{named}}},"required":[{required}]{more}}}"#)
            });
        let list = |key: &'static str, inner: BoxedStrategy<String>| {
            prop::collection::vec(inner, 1..4).prop_map(move |all| format!(r#"{{"{key}":[{}]}}"#, all.join(",")))
        };
        prop_oneof![
            4 => object,
            1 => inner.clone().prop_map(|items| format!(r#"{{"type":"array","items":{items},"minItems":1}}"#)),
            1 => list("anyOf", inner.clone().boxed()),
            1 => list("oneOf", inner.clone().boxed()),
            1 => list("allOf", inner.clone().boxed()),
        ]
    });
    (schema.clone(), schema.clone(), schema.clone(), schema, any::<bool>()).prop_map(|(a, b, p, q, is_plain)| {
        let required = if is_plain { r#","required":["a"]"# } else { "" };
        json(&format!(r#"{{"type":"object","properties":{{"a":{a},"b":{b}}}{required},"$defs":{{"p":{p},"q":{q}}}}}"#))
    })
}

/// A value that `schema`, as OPENAI_STRICT writes it, takes; `seeds` decide what is left open. Nothing when it would not end.
fn instance(root: &Json, schema: &Json, seeds: &mut impl Iterator<Item = u8>, depth: usize) -> Option<Json> {
    let seed = usize::from(seeds.next().unwrap_or(0));
    if 24 < depth {
        return None;
    }
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = match reference.strip_prefix("#/$defs/") {
            Some(name) => root.get("$defs").unwrap().get(name).unwrap(),
            None => root,
        };
        return instance(root, target, seeds, depth + 1);
    }
    if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
        // Deep down the last one, which is `null` where that is one.
        let pick = if 12 < depth { choices.len() - 1 } else { seed % choices.len() };
        return instance(root, &choices[pick], seeds, depth + 1);
    }
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return Some(values[seed % values.len()].clone());
    }
    let name = match schema.get("type").unwrap() {
        Json::Array(names) => names[seed % names.len()].as_str().unwrap(),
        name => name.as_str().unwrap(),
    };
    Some(match name {
        "object" => {
            let members = schema.get("properties").unwrap().as_object().unwrap().iter();
            let members = members.map(|(name, schema)| Some((name.clone(), instance(root, schema, seeds, depth + 1)?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
        "array" => {
            let items = schema.get("items").unwrap();
            Json::Array((0..1 + seed % 2).map(|_| instance(root, items, seeds, depth + 1)).collect::<Option<_>>()?)
        }
        "string" => Json::String(["", "a", "abc", "x"][seed % 4].to_owned()),
        "integer" => Json::Number(["0", "5", "12", "1.0"][seed % 4].into()),
        "number" => Json::Number(["0", "2.5", "-7"][seed % 3].into()),
        "boolean" => Json::Bool(seed % 2 == 0),
        "null" => Json::Null,
        other => panic!("{other}"),
    })
}

proptest! {
    #[test]
    fn what_is_strict_obeys_the_rules_and_its_arguments_come_back_valid(
        schema in any_schema(), seeds in prop::collection::vec(prop::collection::vec(any::<u8>(), 40), 8)
    ) {
        let Ok(made) = openai_strict(&schema) else { return Ok(()) };
        prop_assert_eq!(check_openai_strict(&made.schema), Ok(()));
        prop_assert_eq!(check_openai_strict(&made.bare), Ok(()));
        let (Some(strict), Some(raw)) = (validator(&made.schema), validator(&schema)) else { return Ok(()) };
        for seeds in seeds {
            let Some(arguments) = instance(&made.schema, &made.schema, &mut seeds.into_iter(), 0) else { continue };
            if !is_valid(&strict, &arguments) {
                continue;
            }
            prop_assert!(is_valid(&validator(&made.bare).unwrap(), &arguments), "{} {}", made.bare, arguments);
            let restored = restore_arguments(&schema, &arguments).unwrap();
            prop_assert!(made.is_weaker || is_valid(&raw, &restored), "{}\n{}\n{}\n{}", schema, made.schema, arguments, restored);
            // What is restored stays as it is.
            if !made.is_weaker {
                prop_assert_eq!(restore_arguments(&schema, &restored).unwrap(), restored);
            }
        }
    }

    #[test]
    fn what_is_for_gemini_obeys_the_rules(schema in any_schema()) {
        if let Ok(made) = gemini(&schema) {
            prop_assert_eq!(check_gemini(&made.schema), Ok(()));
            prop_assert_eq!(check_gemini(&made.bare), Ok(()));
        }
    }

    #[test]
    fn no_document_is_too_odd(text in "[a-z\\[\\]{}:,\"$#/]{0,40}", keyword in select(vec!["type", "items", "properties", "required", "enum", "anyOf", "allOf", "$ref", "additionalProperties", "$defs"]), value in select(vec!["null", "1", "\"x\"", "[]", "[1]", "{}", "{\"a\":1}", "true", "[null]", "\"#/a~\""])) {
        let odd = json(&format!(r#"{{"properties":{{"a":{{"{keyword}":{value}}},"b":{{"items":{{"{keyword}":{value}}}}}}},"{keyword}_":0}}"#));
        let root = json(&format!(r#"{{"{keyword}":{value}}}"#));
        for schema in [&odd, &root] {
            let _ = (openai_strict(schema), gemini(schema), restore_arguments(schema, &Json::String(text.clone())));
            let _ = (check_openai_strict(schema), check_gemini(schema));
        }
    }
}
