//! Stripping a schema down to what a call is made of.

use super::choices::takes_nothing;
use super::keywords::{Holds, Members, Place, get, holds, in_skeleton, map_within};
use super::lean::says_nothing;
use crate::json::Json;

/// Names, types, required, enums and nested shape of one schema and those within it. `shape`: whether choices may lose branches.
pub(super) fn strip(members: &Members, place: Place<'_>, shape: bool) -> Vec<(String, Json)> {
    let within = |keyword: &str, value: &Json| {
        let strip = |members: &Members, place: Place<'_>| strip(members, place, shape);
        match value {
            // Without its `not` such a branch would take everything.
            Json::Array(branches) if shape && matches!(keyword, "anyOf" | "oneOf") && !branches.iter().all(takes_nothing) => {
                let branches = branches.iter().filter(|branch| !takes_nothing(branch)).cloned().collect();
                map_within(keyword, &Json::Array(branches), place, &strip)
            }
            value => map_within(keyword, value, place, &strip),
        }
    };
    let mut out: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for (keyword, value) in members {
        if says_nothing(keyword, value, place) {
            continue;
        }
        let kept = match (keyword.as_str(), value) {
            ("type" | "enum" | "const" | "required" | "dependentRequired" | "nullable" | "$ref", value) => value.clone(),
            // Names that may be absent add nothing to the names that are there.
            ("additionalProperties", Json::Bool(_)) => continue,
            (keyword, value) if in_skeleton(keyword) => match holds(keyword) {
                Holds::Schemas | Holds::Named => within(keyword, value),
                Holds::Data => continue,
            },
            _ => continue,
        };
        out.push((keyword.clone(), kept));
    }
    if let Some(choices) = get(members, "oneOf") {
        show_as_any_of(within("oneOf", choices), &mut out);
    }
    out
}

/// Adds `anyOf: choices`, inside `allOf` when there is an `anyOf` already.
fn show_as_any_of(choices: Json, out: &mut Vec<(String, Json)>) {
    let choices = ("anyOf".to_owned(), choices);
    if !out.iter().any(|(keyword, _)| keyword == "anyOf") {
        out.push(choices);
        return;
    }
    let choices = Json::Object(vec![choices]);
    match out.iter_mut().find(|(keyword, _)| keyword == "allOf") {
        Some((_, Json::Array(all))) => all.push(choices),
        // An `allOf` that is no list is no schema; a second one would be no JSON.
        Some(_) => {}
        None => out.push(("allOf".to_owned(), Json::Array(vec![choices]))),
    }
}
