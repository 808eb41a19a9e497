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
        r#"{"description":"a b\n\n - c d\n - e","default":" x  y"}"#,
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
        r#"{"patternProperties":{"x-.*":{}},"$defs":{"title":{}}}"#,
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
        r##"{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{"type":["array","null"],"items":{"$ref":"#/$defs/B"}},"c":{"type":"object","additionalProperties":{"type":"number"}},"d":{"enum":[1,"1"],"nullable":true}},"$defs":{"B":{"const":{"title":1}}}}"##,
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
        r#"{"anyOf":[{"type":"string"}],"allOf":[{"anyOf":[{"const":1}]}]}"#,
    );
    check_skeleton(
        r#"{"allOf":[true],"anyOf":[{"type":"string"}],"oneOf":[{"const":1}]}"#,
        r#"{"allOf":[true,{"anyOf":[{"const":1}]}],"anyOf":[{"type":"string"}]}"#,
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
    ];
    // `$ref` only to what the root has: a reference to nothing is an error of the schema, not of its shortening.
    let references = select(vec!["#/$defs/title", "#"]).prop_map(|target| ("$ref".to_owned(), Json::String(target.to_owned())));
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
    (any_schema(), any_schema()).prop_map(|(mut root, definition)| {
        if let Json::Object(members) = &mut root {
            members.push(("$defs".to_owned(), Json::Object(vec![("title".to_owned(), definition)])));
        }
        root
    })
}

/// `None` for references that never arrive, which no validator takes.
fn validator(schema: &Json) -> Option<jsonschema::Validator> {
    jsonschema::draft202012::new(&serde_json::from_str(&schema.to_string()).unwrap()).ok()
}

fn accepts(validator: &jsonschema::Validator, instance: &Json) -> bool {
    validator.is_valid(&serde_json::from_str(&instance.to_string()).unwrap())
}

/// All names, and all values of `type`, `required` and `enum`, in the parts of a schema that SKELETON keeps.
fn essence(value: &Json, out: &mut Vec<String>) {
    for (keyword, value) in value.as_object().unwrap_or_default() {
        match keyword.as_str() {
            "type" | "enum" | "const" | "required" if value != &Json::Array(vec![]) => out.push(format!("{keyword} {value}")),
            "properties" | "patternProperties" | "$defs" | "dependentSchemas" => {
                for (name, schema) in value.as_object().unwrap_or_default() {
                    out.push(format!("name {name}"));
                    essence(schema, out);
                }
            }
            "items" | "additionalProperties" | "propertyNames" => essence(value, out),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                for schema in value.as_array().unwrap_or_default() {
                    essence(schema, out);
                }
            }
            _ => {}
        }
    }
}

fn sorted_essence(schema: &Json) -> Vec<String> {
    let mut out = Vec::new();
    essence(schema, &mut out);
    out.sort();
    out
}

proptest! {
    #[test]
    fn both_keep_names_types_required_and_enums(schema in any_document()) {
        prop_assert_eq!(sorted_essence(&lean(&schema)), sorted_essence(&schema));
        prop_assert_eq!(sorted_essence(&skeleton(&schema)), sorted_essence(&schema));
    }

    #[test]
    fn twice_is_once_and_skeleton_does_not_need_lean(schema in any_document()) {
        prop_assert_eq!(lean(&lean(&schema)), lean(&schema));
        prop_assert_eq!(skeleton(&skeleton(&schema)), skeleton(&schema));
        prop_assert_eq!(skeleton(&lean(&schema)), skeleton(&schema));
        prop_assert_eq!(lean(&skeleton(&schema)), skeleton(&schema));
    }

    #[test]
    fn tidy_twice_is_once(text in "[a \\t\\r\\n\u{a0}-]{0,20}") {
        let once = tidy(&text).into_owned();
        prop_assert_eq!(tidy(&once), once.as_str());
    }

    #[test]
    fn lean_accepts_the_same_and_skeleton_at_least_the_same(
        schema in any_document(),
        instances in prop::collection::vec(any_data(), 1..16),
    ) {
        let Some(raw) = validator(&schema) else { return Err(TestCaseError::reject("no schema")) };
        let shorter = [lean(&schema), skeleton(&schema)].map(|schema| validator(&schema));
        let [Some(lean), Some(skeleton)] = shorter else { return Err(TestCaseError::fail("shortened to no schema")) };
        for instance in &instances {
            let accepted = accepts(&raw, instance);
            prop_assert_eq!(accepts(&lean, instance), accepted, "{} under LEAN", instance);
            prop_assert!(!accepted || accepts(&skeleton, instance), "{} under SKELETON", instance);
        }
    }
}
