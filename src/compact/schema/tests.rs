use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn json(text: &str) -> Json {
    Json::parse(text, 64).unwrap()
}

#[track_caller]
fn check_lean(schema: &str, expected: &str) {
    assert_eq!(lean(&json(schema)).to_string(), expected);
}

#[track_caller]
fn check_skeleton(schema: &str, expected: &str) {
    assert_eq!(skeleton(&json(schema)).to_string(), expected);
}

#[test]
fn lean_drops_what_says_nothing() {
    check_lean(
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"urn:x","title":"Args","type":"object","$comment":"c","x-order":[1],
            "properties":{"repo_name":{"type":"string","title":"Repo Name","description":"Repo name.","examples":["a"]}},"required":[],"$defs":{}}"#,
        r#"{"type":"object","properties":{"repo_name":{"type":"string"}}}"#,
    );
    check_lean(
        r#"{"description":" a  b\n\n\n\n  - c\t d \r\n  - e ","default":" x  y"}"#,
        r#"{"description":"a b\n- c d\n- e","default":" x  y"}"#,
    );
    check_lean(r#"{"description":"  "}"#, "{}");
}

#[test]
fn keywords_are_keywords_in_schema_position_only() {
    let names = r#"{"properties":{"title":{"type":"string"},"examples":{"items":{}},"x-foo":{},"$id":{},"description":{},"required":{"enum":[]}}}"#;
    check_lean(names, names);
    check_skeleton(names, names);
    let data = r#"{"enum":[{"title":"t","examples":[],"x-a":1}],"const":{"title":"t"}}"#;
    check_lean(data, data);
    check_skeleton(data, data);
    check_lean(r#"{"default":{"title":"t","required":[]}}"#, r#"{"default":{"title":"t","required":[]}}"#);
    check_lean(
        r#"{"patternProperties":{"x-.*":{"title":"t"}},"$defs":{"title":{"title":"t"}}}"#,
        r#"{"patternProperties":{"x-.*":{}}}"#,
    );
    // Not annotations: these are properties that somebody forgot to wrap.
    check_lean(
        r#"{"title":{"type":"string"},"examples":{"type":"array"}}"#,
        r#"{"title":{"type":"string"},"examples":{"type":"array"}}"#,
    );
}

#[test]
fn empty_lists_that_mean_something_stay() {
    let schema = r#"{"enum":[],"anyOf":[],"items":[],"type":[],"properties":{},"not":{}}"#;
    check_lean(schema, schema);
}

#[test]
fn skeleton_keeps_what_a_call_is_made_of() {
    check_skeleton(
        r##"{"type":"object","description":"d","additionalProperties":false,"required":["a"],"properties":{
            "a":{"type":"string","description":"d","pattern":"^x","format":"uri","minLength":1,"default":"x"},
            "b":{"type":["array","null"],"maxItems":3,"items":{"$ref":"#/$defs/B"}},
            "c":{"type":"object","additionalProperties":{"type":"number","minimum":0}},
            "d":{"not":{"const":1},"if":{"type":"string"},"then":{"minLength":2},"enum":[1,"1"],"nullable":true}},
            "$defs":{"B":{"const":{"title":1},"title":"B"}}}"##,
        r##"{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":["array","null"],"items":{"const":{"title":1}}},"c":{"type":"object","additionalProperties":{"type":"number"}},"d":{"enum":[1,"1"],"nullable":true}}}"##,
    );
}

#[test]
fn skeleton_shows_one_of_as_any_of() {
    check_skeleton(
        r#"{"oneOf":[{"type":"string","format":"date"},{"type":"string"}]}"#,
        r#"{"anyOf":[{"type":"string"},{"type":"string"}]}"#,
    );
    check_skeleton(
        r#"{"anyOf":[{"type":"string"}],"oneOf":[{"const":1}]}"#,
        r#"{"anyOf":[{"type":"string"}],"allOf":[{"const":1}]}"#,
    );
    check_skeleton(
        r#"{"allOf":[true],"anyOf":[{"type":"string"}],"oneOf":[{"const":1}]}"#,
        r#"{"allOf":[true,{"const":1}],"anyOf":[{"type":"string"}]}"#,
    );
    check_skeleton(r#"{"allOf":1,"anyOf":[],"oneOf":[]}"#, r#"{"allOf":1,"anyOf":[]}"#);
}

#[test]
fn references_never_lose_their_target() {
    let whole = |schema: &str| {
        check_lean(schema, schema);
        check_skeleton(schema, schema);
    };
    whole(r#"{"$id":"https://x.org/a","title":"t","items":{"$ref":"b.json"}}"#);
    whole(r##"{"title":"t","items":{"$ref":"#/x-types/A"},"x-types":{"A":{"type":"string"}}}"##);
    whole(r##"{"title":"t","items":{"$ref":"#name"},"$defs":{"a":{"$anchor":"name"}}}"##);
    whole(r##"{"title":"t","$dynamicRef":"#x"}"##);
    whole(r##"{"title":"t","oneOf":[{}],"items":{"$ref":"#/oneOf/0"}}"##);
    whole(r##"{"title":"t","items":{"$ref":"#/$defs"}}"##);
    whole(r##"{"$defs":{"a":{"$id":"urn:a","$ref":"#/$defs/b","$defs":{"b":{}}}}}"##);
    // A cycle is nothing to follow.
    check_lean(
        r##"{"title":"t","$id":"urn:a","properties":{"a":{"$ref":"#"},"b":{"$ref":"#/properties/b/items/0"},"c":{"$ref":"#/$defs/title"}}}"##,
        r##"{"properties":{"a":{"$ref":"#"},"b":{"$ref":"#/properties/b/items/0"},"c":{"$ref":"#/$defs/title"}}}"##,
    );
    // A reference to nothing finds nothing afterwards either, which the definition written in place would give it.
    whole(r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/properties/b","properties":{"b":{"type":"string"}}}}}"##);
    // Definitions of a definition never become a second list of the root's.
    whole(
        r##"{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"},"additionalProperties":{"$ref":"#/$defs/b"},"$defs":{"c":{"type":"null"}}},"b":{"type":"string"}}}"##,
    );
    // Names and data that look like references are none.
    check_lean(
        r#"{"title":"t","properties":{"$ref":{}},"default":{"$ref":"b.json"}}"#,
        r#"{"properties":{"$ref":{}},"default":{"$ref":"b.json"}}"#,
    );
}

#[test]
fn odd_schemas_pass_through() {
    for schema in ["true", "[]", "{}", r#"{"properties":[1],"items":"x","allOf":1,"required":true,"anyOf":[[{"title":"t"}],1]}"#]
    {
        check_lean(schema, schema);
        check_skeleton(schema, schema);
    }
}

#[test]
fn definitions_of_one_use_stand_where_they_are_used() {
    check_lean(
        r##"{"properties":{"a":{"$ref":"#/$defs/A","description":"Where to look"}},"$defs":{"A":{"type":"object","properties":{"b":{"$ref":"#/$defs/B"}}},"B":{"type":"string"},"C":{"type":"null"}}}"##,
        r##"{"properties":{"a":{"type":"object","properties":{"b":{"type":"string"}},"description":"Where to look"}}}"##,
    );
    // Two uses, two descriptions, a constraint beside the reference (which old drafts pass over), a cycle.
    for stays in [
        r##"{"properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"object"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/$defs/A","description":"One thing"}},"$defs":{"A":{"type":"object","description":"Other thing"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/$defs/A","minProperties":2}},"$defs":{"A":{"type":"object"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"properties":{"next":{"$ref":"#/$defs/A"}}}}}"##,
        r##"{"properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/$defs/A/properties/c"}},"$defs":{"A":{"properties":{"c":{"type":"string"}}}}}"##,
    ] {
        check_lean(stays, stays);
    }
    // Unreachable cycles go.
    check_lean(
        r##"{"type":"object","$defs":{"A":{"items":{"$ref":"#/$defs/B"}},"B":{"items":{"$ref":"#/$defs/A"}}}}"##,
        r#"{"type":"object"}"#,
    );
}

#[test]
fn choices_are_written_shortly() {
    check_lean(
        r#"{"anyOf":[{"const":"a"},{"const":"b"}],"description":"Which one"}"#,
        r#"{"description":"Which one","enum":["a","b"]}"#,
    );
    check_lean(
        r#"{"oneOf":[{"type":"number","const":0,"description":"All"},{"type":"number","const":1,"title":"Music."}],"description":"Board"}"#,
        r#"{"type":"number","description":"Board\nValues: 0 = All; 1 = Music.","enum":[0,1]}"#,
    );
    check_lean(
        r#"{"anyOf":[{"type":"string","minLength":2},{"type":"null"}],"default":null,"title":"X"}"#,
        r#"{"type":["string","null"],"minLength":2}"#,
    );
    check_lean(
        r#"{"anyOf":[{"not":{}},{"type":"array","items":{"type":"string"}}]}"#,
        r#"{"type":"array","items":{"type":"string"}}"#,
    );
    for stays in [
        r#"{"oneOf":[{"const":"a"},{"const":"a"}]}"#,
        r#"{"anyOf":[{"type":"integer"},{"type":"number"}]}"#,
        r#"{"anyOf":[{"type":"string","enum":["a"]},{"type":"null"}]}"#,
        r#"{"anyOf":[{"type":"object","additionalProperties":{"type":"string"}},{"type":"null"}],"properties":{"a":{}}}"#,
        r#"{"anyOf":[{"type":"string","description":"A name"},{"type":"number","description":"A number"}]}"#,
    ] {
        check_lean(stays, stays);
    }
}

#[test]
fn limits_and_defaults_that_say_nothing_go() {
    check_lean(
        r#"{"properties":{"a":{"type":"integer","minimum":-9007199254740991,"maximum":100,"format":"int64"},"b":{"type":"string","minLength":1,"pattern":"^a","description":"Begins with a"},
            "c":{"type":"string","pattern":"^a"},"d":{"type":"string","format":"date-time","default":""},"e":{"default":10,"description":"Rows (default: 10)"},"f":{"default":1,"description":"Rows (default: 10)"}},"additionalProperties":false}"#,
        r#"{"properties":{"a":{"type":"integer","maximum":100},"b":{"type":"string","description":"Begins with a"},"c":{"type":"string","pattern":"^a"},"d":{"type":"string","format":"date-time"},"e":{"description":"Rows (default: 10)"},"f":{"default":1,"description":"Rows (default: 10)"}}}"#,
    );
    // Where weakening a part would strengthen the whole, nothing is weakened.
    let exact =
        r#"{"not":{"additionalProperties":false},"oneOf":[{"required":["a"],"additionalProperties":false},{"format":"int64"}]}"#;
    check_lean(exact, exact);
    // Flags of draft 4 stand with their numbers.
    let old = r#"{"minimum":9007199254740991,"exclusiveMinimum":true}"#;
    check_lean(old, old);
}

#[test]
fn hostile_schemas_take_no_time() {
    let started = std::time::Instant::now();
    let many = |one: &dyn Fn(usize) -> String, count: usize| (0..count).map(one).collect::<Vec<_>>().join(",");
    let properties = many(&|i| format!(r#""p{i}":{{"type":"string","description":"Number {i}. Must be set."}}"#), 5_000);
    let required = many(&|i| format!(r#""p{}""#, i % 2_500), 5_000);
    let aliases = many(&|i| format!(r##""d{i}":{{"$ref":"#/$defs/d{}"}}"##, i + 1), 3_000);
    let nested = many(&|i| format!(r##""d{i}":{{"items":{{"$ref":"#/$defs/d{}"}}}}"##, i + 1), 3_000);
    let circle = many(&|i| format!(r##""d{i}":{{"$ref":"#/$defs/d{}"}}"##, (i + 1) % 100), 100);
    for schema in [
        format!(r#"{{"properties":{{{properties}}},"required":[{required}]}}"#),
        format!(r#"{{"enum":[{}]}}"#, many(&|i| format!(r#""v{i}""#), 10_000)),
        format!(r#"{{"anyOf":[{}]}}"#, many(&|i| format!(r#"{{"const":{i}}}"#), 10_000)),
        format!(r##"{{"properties":{{"a":{{"$ref":"#/$defs/d0"}}}},"$defs":{{{aliases}}}}}"##),
        format!(r##"{{"properties":{{"a":{{"$ref":"#/$defs/d0"}}}},"$defs":{{{nested}}}}}"##),
        format!(r##"{{"properties":{{"a":{{"$ref":"#/$defs/d0"}}}},"$defs":{{{circle}}}}}"##),
        format!(r##"{{"anyOf":[{0}],"properties":{{"a":{{"anyOf":[{0}]}}}}}}"##, many(&|_| r##"{"$ref":"#"}"##.to_owned(), 100)),
        format!(r#"{{"not":{}}}"#, r#"{"items":"#.repeat(60) + "true" + &"}".repeat(60)),
        r##"{"id":"http://x.org/a#","definitions":{"a":{"id":"#b","minimum":1,"exclusiveMinimum":true}},"items":[{"$ref":"#/definitions/a"},true],"required":true}"##.to_owned(),
    ] {
        let schema = json(&schema);
        let (lean, skeleton) = (lean(&schema), skeleton(&schema));
        assert!(Json::parse(&lean.to_string(), 80).is_ok() && Json::parse(&skeleton.to_string(), 80).is_ok());
        let tool = crate::tool::Tool::new(crate::tool::ToolId::new("s", "t").unwrap(), String::new(), crate::tool::Document::parse(&schema.to_string()).unwrap());
        let line = crate::compact::signature(&tool, &crate::tool::ModelName::parse("t").unwrap());
        assert!(!line.contains('\n'));
    }
    // Quadratic time would be minutes in an unoptimised build.
    assert!(started.elapsed() < std::time::Duration::from_secs(60), "took {:?}", started.elapsed());
}

const NAMES: [&str; 8] = ["a", "repo_name", "title", "examples", "x-foo", "$id", "required", "description"];

fn any_data() -> impl Strategy<Value = Json> {
    let leaf = select(vec!["1", "2.0", "null", "true", r#""a""#, r#""title""#, "[]", "{}"]).prop_map(json);
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::Array),
            prop::collection::btree_map(select(&NAMES[..]).prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn any_schema() -> BoxedStrategy<Json> {
    let plain = vec![
        ("type", r#""object""#),
        ("type", r#""string""#),
        ("type", r#"["array","integer"]"#),
        ("title", r#""T""#),
        ("$id", r#""urn:a""#),
        ("$comment", r#""c""#),
        ("$schema", r#""https://json-schema.org/draft/2020-12/schema""#),
        ("description", r#"" Repo  name\n\n\n. ""#),
        ("examples", r#"[{"$ref":"x"}]"#),
        ("x-foo", r#"{"type":"string"}"#),
        ("required", r#"["title","a"]"#),
        ("required", "[]"),
        ("minimum", "2"),
        ("maxLength", "1"),
        ("minItems", "1"),
        ("minProperties", "1"),
        ("additionalProperties", "false"),
        ("unevaluatedProperties", "false"),
        ("dependentRequired", r#"{"a":["title"]}"#),
        ("dependentRequired", "{}"),
        ("format", r#""int64""#),
        ("pattern", r#""^a""#),
        ("minLength", "1"),
        ("maximum", "4294967296"),
        ("propertyNames", r#"{"type":"string"}"#),
        ("anyOf", r#"[{"const":"a"},{"const":1,"description":"One. More"},{"enum":[null]}]"#),
        ("oneOf", r#"[{"type":"string","const":"a","title":"First"},{"type":"string","const":"title"}]"#),
        ("anyOf", r#"[{"type":"string","minLength":2},{"type":"null","description":"None"}]"#),
        ("oneOf", r#"[{"type":["object","null"],"required":["a"],"additionalProperties":false},{"type":"array"}]"#),
        ("anyOf", r#"[{"not":{}},{"type":"number","minimum":2,"description":"Default is 2."}]"#),
        ("anyOf", r##"[{"$ref":"#/$defs/once"},{"type":"null"}]"##),
        ("description", r#""First sentence here. Second. Default is 1. Must be short.""#),
    ];
    // Not every root has `#/properties/title`.
    let references = select(vec!["#/$defs/title", "#", "#/$defs/once", "#/properties/title"])
        .prop_map(|target| ("$ref".to_owned(), Json::String(target.to_owned())));
    let member = prop_oneof![
        6 => select(plain).prop_map(|(keyword, value)| (keyword.to_owned(), json(value))),
        1 => any_data().prop_map(|value| ("const".to_owned(), value)),
        1 => prop::collection::vec(any_data(), 1..3).prop_map(|values| ("enum".to_owned(), Json::Array(values))),
        1 => any_data().prop_map(|value| ("default".to_owned(), value)),
        1 => references,
    ];
    let object =
        |members: Vec<(String, Json)>| Json::Object(std::collections::BTreeMap::from_iter(members).into_iter().collect());
    let leaf = prop::collection::vec(member.clone(), 0..4).prop_map(object).boxed();
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let single = select(vec!["items", "additionalProperties", "propertyNames", "not", "if", "then", "contains"]);
        let list = select(vec!["anyOf", "oneOf", "allOf", "prefixItems"]);
        let named = select(vec!["properties", "patternProperties", "dependentSchemas"]);
        let name = || select(&NAMES[1..]).prop_map(str::to_owned);
        let nested = prop_oneof![
            1 => (single, inner.clone()).prop_map(|(keyword, schema)| (keyword.to_owned(), schema)),
            1 => (list, prop::collection::vec(inner.clone(), 1..3)).prop_map(|(keyword, list)| (keyword.to_owned(), Json::Array(list))),
            4 => (named, prop::collection::btree_map(name(), inner, 0..4))
                .prop_map(|(keyword, named)| (keyword.to_owned(), Json::Object(named.into_iter().collect()))),
        ];
        (prop::collection::vec(member.clone(), 0..4), prop::collection::vec(nested, 0..3))
            .prop_map(move |(plain, nested)| object(plain.into_iter().chain(nested).collect()))
            .boxed()
    })
    .boxed()
}

/// A schema whose `#/$defs/title` exists.
fn any_document() -> impl Strategy<Value = Json> {
    (any_schema(), any_schema(), any_schema()).prop_map(|(mut root, definition, once)| {
        if let Json::Object(members) = &mut root {
            let named = vec![("title".to_owned(), definition), ("once".to_owned(), once)];
            members.push(("$defs".to_owned(), Json::Object(named)));
        }
        root
    })
}

/// `None` for references that never arrive, which no validator takes.
fn validator(schema: &Json) -> Option<jsonschema::Validator> {
    jsonschema::draft202012::new(&serde_json::from_str(&schema.to_string()).unwrap()).ok()
}

/// Whether what a reference accepts comes to depend on itself without going down into the value: such a schema has no meaning to keep.
fn goes_round(root: &Json) -> bool {
    fn visit<'a>(root: &'a Json, at: &'a Json, path: &mut Vec<&'a Json>) -> bool {
        if path.iter().any(|before| std::ptr::eq(*before, at)) {
            return true;
        }
        path.push(at);
        let round = at.as_object().unwrap_or_default().iter().any(|(keyword, value)| match (keyword.as_str(), value) {
            ("$ref", Json::String(target)) => {
                let found = target.split('/').skip(1).try_fold(root, |at, step| at.get(step));
                found.is_some_and(|found| visit(root, found, path))
            }
            ("not" | "if" | "then", one) => visit(root, one, path),
            ("allOf" | "anyOf" | "oneOf", Json::Array(all)) => all.iter().any(|one| visit(root, one, path)),
            ("dependentSchemas", Json::Object(all)) => all.iter().any(|(_, one)| visit(root, one, path)),
            _ => false,
        });
        path.pop();
        round
    }
    fn anywhere<'a>(root: &'a Json, at: &'a Json) -> bool {
        let within = |value: &'a Json| match value {
            Json::Object(members) => members.iter().any(|(_, value)| anywhere(root, value)),
            Json::Array(elements) => elements.iter().any(|value| anywhere(root, value)),
            _ => false,
        };
        visit(root, at, &mut Vec::new()) || within(at)
    }
    anywhere(root, root)
}

fn accepts(validator: &jsonschema::Validator, instance: &Json) -> bool {
    validator.is_valid(&serde_json::from_str(&instance.to_string()).unwrap())
}

/// All names, types, values and required members by their path, in the parts of a schema that SKELETON keeps. References are followed and
/// choices stand for their branches, so that it says the same however a schema spells it.
fn essence(root: &Json, value: &Json, path: &str, hops: usize, out: &mut std::collections::BTreeSet<String>) {
    if 3 < path.matches('/').count() || 5 < hops {
        return;
    }
    let mut say = |what: &str, value: &Json| out.insert(format!("{path} {what} {}", value.canonical()));
    for (keyword, value) in value.as_object().unwrap_or_default() {
        match (keyword.as_str(), value) {
            ("type" | "required" | "enum", Json::Array(several)) => several.iter().for_each(|one| {
                say(keyword, one);
            }),
            ("const", value) => {
                say("enum", value);
            }
            ("type", value) => {
                say("type", value);
            }
            _ => {}
        }
    }
    for (keyword, value) in value.as_object().unwrap_or_default() {
        let list = value.as_array().unwrap_or_default();
        match keyword.as_str() {
            "$ref" => {
                let target = value.as_str().unwrap_or_default();
                let found = target.split('/').skip(1).try_fold(root, |at, step| at.get(step));
                if let Some(found) = found {
                    essence(root, found, path, hops + 1, out);
                }
            }
            "properties" | "patternProperties" => {
                for (name, schema) in value.as_object().unwrap_or_default() {
                    out.insert(format!("{path}/{name}"));
                    essence(root, schema, &format!("{path}/{name}"), 0, out);
                }
            }
            "items" | "additionalProperties" => essence(root, value, &format!("{path}/{keyword}"), 0, out),
            "anyOf" | "oneOf" | "allOf" => list.iter().for_each(|schema| essence(root, schema, path, hops, out)),
            "prefixItems" => {
                for (place, schema) in list.iter().enumerate() {
                    essence(root, schema, &format!("{path}/{place}"), 0, out);
                }
            }
            _ => {}
        }
    }
}

fn whole_essence(schema: &Json) -> std::collections::BTreeSet<String> {
    let mut out = std::collections::BTreeSet::new();
    essence(schema, schema, "", 0, &mut out);
    out
}

/// One generated schema in ten is none; the number of cases is the environment's to say.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { max_global_rejects: config.cases.max(1_024) * 2, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_keep_names_types_required_and_enums(schema in any_document()) {
        prop_assert_eq!(whole_essence(&lean(&schema)), whole_essence(&schema));
        prop_assert_eq!(whole_essence(&skeleton(&schema)), whole_essence(&schema));
    }

    #[test]
    fn twice_is_once_and_skeleton_does_not_need_lean(schema in any_document()) {
        prop_assert_eq!(lean(&lean(&schema)), lean(&schema));
        prop_assert_eq!(skeleton(&skeleton(&schema)), skeleton(&schema));
        prop_assert_eq!(skeleton(&lean(&schema)).canonical(), skeleton(&schema).canonical());
        prop_assert_eq!(lean(&skeleton(&schema)), skeleton(&schema));
    }

    #[test]
    fn both_accept_at_least_the_same(
        schema in any_document(),
        instances in prop::collection::vec(any_data(), 1..16),
    ) {
        let Some(raw) = validator(&schema).filter(|_| !goes_round(&schema)) else {
            return Err(TestCaseError::reject("no schema"));
        };
        let shorter = [lean(&schema), skeleton(&schema)].map(|schema| validator(&schema));
        let [Some(lean), Some(skeleton)] = shorter else { return Err(TestCaseError::fail("shortened to no schema")) };
        for instance in &instances {
            let accepted = accepts(&raw, instance);
            prop_assert!(!accepted || accepts(&lean, instance), "{} under LEAN", instance);
            prop_assert!(!accepted || accepts(&skeleton, instance), "{} under SKELETON", instance);
        }
    }
}
