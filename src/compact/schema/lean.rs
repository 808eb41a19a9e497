//! Dropping what only annotates, and shortening what describes.

use super::keywords::{Members, Place, get, map_within};
use super::steps::{Step, Steps};
use crate::compact::describe::{parameter, same_words, tidy};
use crate::json::Json;

/// Without annotations that say nothing, in one schema and those within it.
pub(super) fn clean(members: &Members, place: Place<'_>, steps: Steps) -> Vec<(String, Json)> {
    let drops = steps.has(Step::Annotations);
    let mut out = Vec::with_capacity(members.len());
    for (keyword, value) in members {
        let kept = match (keyword.as_str(), value) {
            ("title", Json::String(text)) if drops && !labels_a_constant(text, members) => continue,
            ("$schema" | "$id" | "id" | "$comment", Json::String(_)) | ("examples", Json::Array(_)) if drops => continue,
            (extension, _) if drops && extension.starts_with("x-") => continue,
            (keyword, value) if drops && says_nothing(keyword, value, place) => continue,
            ("description", Json::String(text)) => {
                let text = if steps.has(Step::ParameterTexts) { parameter(text) } else { tidy(text).into_owned() };
                if drops && (text.is_empty() || repeats_name(&text, place)) {
                    continue;
                }
                Json::String(text)
            }
            (keyword, value) => map_within(keyword, value, place, &|members, place| clean(members, place, steps)),
        };
        out.push((keyword.clone(), kept));
    }
    out
}

/// Drops a description that came from a branch and repeats the name.
pub(super) fn repeats_name(text: &str, place: Place<'_>) -> bool {
    place.name.is_some_and(|name| same_words(name, text))
}

/// Constants have their names in titles.
fn labels_a_constant(text: &str, members: &Members) -> bool {
    let constant = get(members, "const").map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    get(members, "description").is_none() && constant.is_some_and(|constant| !same_words(&constant, text))
}

/// Empty where empty means the same as absent. `enum: []`, `anyOf: []` and `items: []` mean something; at the root the APIs ask for
/// `properties`.
pub(super) fn says_nothing(keyword: &str, value: &Json, place: Place<'_>) -> bool {
    match keyword {
        "required" => value.as_array().is_some_and(<[_]>::is_empty),
        "properties" => !place.is_root && value.as_object().is_some_and(<[_]>::is_empty),
        "$defs" | "definitions" | "patternProperties" | "dependentSchemas" | "dependentRequired" | "dependencies" => {
            value.as_object().is_some_and(<[_]>::is_empty)
        }
        // Names are text whatever the schema says.
        "propertyNames" => value
            .as_object()
            .is_some_and(|members| matches!(members, [(key, Json::String(kind))] if key == "type" && kind == "string")),
        _ => false,
    }
}
