//! Which keywords hold schemas, and walking through them. In schema position alone a keyword is one: a *property* called `title`
//! is a name, and what stands in `enum`, `const` or `default` is data.

use crate::json::Json;

pub(super) type Members = [(String, Json)];

/// What a keyword's value is made of.
pub(super) enum Holds {
    /// A schema, or a list of schemas.
    Schemas,
    /// Schemas by name.
    Named,
    /// Anything else: not ours to touch.
    Data,
}

pub(super) fn holds(keyword: &str) -> Holds {
    match keyword {
        "items"
        | "prefixItems"
        | "additionalItems"
        | "unevaluatedItems"
        | "contains"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "propertyNames"
        | "anyOf"
        | "oneOf"
        | "allOf"
        | "not"
        | "if"
        | "then"
        | "else" => Holds::Schemas,
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies" => Holds::Named,
        _ => Holds::Data,
    }
}

/// Whether the whole may accept less when a schema at this keyword accepts more.
pub(super) fn turns_around(keyword: &str) -> bool {
    matches!(keyword, "not" | "if" | "oneOf" | "contains")
}

/// Where a schema stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The property that it describes, if it is one.
    pub(super) name: Option<&'a str>,
    pub(super) is_root: bool,
    /// Whether the whole accepts no less when this accepts more.
    pub(super) may_weaken: bool,
}

impl Place<'static> {
    pub(super) fn root(may_weaken: bool) -> Self {
        Self { name: None, is_root: true, may_weaken }
    }
}

/// Applies `f` to the schemas directly within one, the innermost of each first; all else stays.
pub(super) fn map_within(
    keyword: &str,
    value: &Json,
    place: Place<'_>,
    f: &impl Fn(&Members, Place<'_>) -> Vec<(String, Json)>,
) -> Json {
    let may_weaken = place.may_weaken && !turns_around(keyword);
    let one = |value: &Json, name: Option<&str>| {
        value
            .as_object()
            .map_or_else(|| value.clone(), |members| Json::Object(f(members, Place { name, is_root: false, may_weaken })))
    };
    let one_or_more = |value: &Json, name: Option<&str>| match value {
        Json::Array(elements) => Json::Array(elements.iter().map(|element| one(element, None)).collect()),
        single => one(single, name),
    };
    match (holds(keyword), value) {
        (Holds::Data, _) => value.clone(),
        (Holds::Schemas, value) => one_or_more(value, None),
        (Holds::Named, Json::Object(named)) => {
            let is_property = keyword == "properties";
            let map = |(name, schema): &(String, Json)| (name.clone(), one_or_more(schema, is_property.then_some(name.as_str())));
            Json::Object(named.iter().map(map).collect())
        }
        (Holds::Named, other) => other.clone(),
    }
}

/// Shows `visit` every schema, with whether the whole accepts no less when it accepts more.
pub(super) fn each_schema(value: &Json, may_weaken: bool, visit: &mut impl FnMut(&Members, bool)) {
    match value {
        Json::Object(members) => {
            visit(members, may_weaken);
            for (keyword, value) in members {
                let may_weaken = may_weaken && !turns_around(keyword);
                match holds(keyword) {
                    Holds::Schemas => each_schema(value, may_weaken, visit),
                    Holds::Named => {
                        for (_, schema) in value.as_object().unwrap_or_default() {
                            each_schema(schema, may_weaken, visit);
                        }
                    }
                    Holds::Data => {}
                }
            }
        }
        Json::Array(elements) => {
            for element in elements {
                each_schema(element, may_weaken, visit);
            }
        }
        _ => {}
    }
}

pub(super) fn get<'a>(members: &'a Members, keyword: &str) -> Option<&'a Json> {
    members.iter().find(|(key, _)| key == keyword).map(|(_, value)| value)
}

/// Keywords that keep their place and their schemas in both forms; so a reference may pass through them.
pub(super) fn in_skeleton(keyword: &str) -> bool {
    match keyword {
        "items" | "prefixItems" | "additionalItems" | "additionalProperties" | "propertyNames" | "anyOf" | "allOf" => true,
        _ => matches!(holds(keyword), Holds::Named),
    }
}

/// Keywords that constrain nothing but say something.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "default" | "examples" | "example" | "deprecated" | "readOnly" | "writeOnly")
}
