//! Choices that say something simple at length. A generator knows no enum and writes `anyOf` of constants, knows no optional value and
//! writes `anyOf [T, null]`; both cost more tokens than they have meaning. What is written instead accepts exactly the same, wherever
//! it stands.

use std::collections::HashSet;

use super::keywords::{Members, get, is_annotation};
use crate::compact::describe::{LABELS, same_words, tidy};
use crate::json::Json;

/// Longest description of one constant, in characters, that is told behind the value. Longer ones stay where they are.
const LONGEST_LABEL: usize = 80;

type Owned = Vec<(String, Json)>;

/// Rewrites the choices of one schema; those within it were rewritten before.
pub(super) fn rewrite(mut members: Owned, constants: bool, unions: bool) -> Owned {
    for keyword in ["anyOf", "oneOf"] {
        if let Some(simpler) = rewritten(&members, keyword, constants, unions) {
            members = simpler;
        }
    }
    members
}

fn rewritten(members: &Members, keyword: &str, constants: bool, unions: bool) -> Option<Owned> {
    let Some(Json::Array(all)) = get(members, keyword) else { return None };
    let branches: Vec<&Json> = all.iter().filter(|branch| !(unions && takes_nothing(branch))).collect();
    if branches.is_empty() {
        return None;
    }
    let branches: Option<Vec<&Members>> = branches.iter().map(|branch| branch.as_object()).collect();
    let branches = branches?;
    let exclusive = keyword == "oneOf";
    let simpler = if let ([only], true) = (branches.as_slice(), unions) {
        Some(only.to_vec())
    } else {
        let constants = constants.then(|| enumeration(&branches, exclusive)).flatten();
        constants.or_else(|| unions.then(|| union(&branches)).flatten())
    };
    if let Some(joined) = simpler.and_then(|simpler| joined(members, keyword, simpler)) {
        return Some(joined);
    }
    if branches.len() == all.len() {
        return None;
    }
    let fewer = branches.into_iter().map(|branch| Json::Object(branch.to_vec())).collect();
    Some(
        members
            .iter()
            .map(|(key, value)| (key.clone(), if key == keyword { Json::Array(Vec::clone(&fewer)) } else { value.clone() }))
            .collect(),
    )
}

/// `false` and `not: {}`, also with a title, which some generators write for "may be left out".
pub(super) fn takes_nothing(branch: &Json) -> bool {
    match branch {
        Json::Bool(false) => true,
        Json::Object(members) => match members.as_slice() {
            [(keyword, Json::Object(all))] => keyword == "not" && all.iter().all(|(keyword, _)| is_annotation(keyword)),
            [(keyword, Json::Bool(true))] => keyword == "not",
            _ => false,
        },
        _ => false,
    }
}

/// `members` with `simpler` in the place of the choice, where what stands beside it does not depend on what moves up: `properties`
/// would count for an `additionalProperties` beside it, and in old drafts a reference hides its neighbours.
fn joined(members: &Members, keyword: &str, simpler: Owned) -> Option<Owned> {
    let refers = get(&simpler, "$ref").is_some();
    let stands_alone = |key: &str| is_annotation(key) || is_unread(key) || (key == "type" && !refers);
    let mut out: Owned = members.iter().filter(|(key, _)| key != keyword).cloned().collect();
    if !out.iter().all(|(key, _)| stands_alone(key)) || (refers && get(&out, "$ref").is_some()) {
        return None;
    }
    let mut label = None;
    for (key, value) in simpler {
        match get(&out, &key) {
            None => out.push((key, value)),
            Some(Json::String(_)) if key == "description" && value.as_str().is_some_and(|text| text.starts_with(LABELS)) => {
                label = value.as_str().map(str::to_owned);
            }
            Some(same) if *same == value => {}
            Some(_) => return None,
        }
    }
    if let (Some(label), Some((_, Json::String(text)))) = (label, out.iter_mut().find(|(key, _)| key == "description")) {
        text.push('\n');
        text.push_str(&label);
    }
    // A reader expects the type before what limits it, and the description where the publisher put it.
    if let (Some(at), Some(first)) = (out.iter().position(|(key, _)| key == "type"), position(members, keyword)) {
        let kind = out.remove(at);
        out.insert(first.min(at).min(out.len()), kind);
    }
    Some(out)
}

/// Keywords that no value is held against.
fn is_unread(key: &str) -> bool {
    matches!(key, "$schema" | "$id" | "$comment" | "$defs" | "definitions") || key.starts_with("x-")
}

fn position(members: &Members, keyword: &str) -> Option<usize> {
    members.iter().position(|(key, _)| key == keyword)
}

/// The enum that these branches are, if each is a constant or an enum and nothing else.
fn enumeration(branches: &[&Members], exclusive: bool) -> Option<Owned> {
    let mut values: Vec<Json> = Vec::new();
    let mut seen = HashSet::new();
    let mut labels = Vec::new();
    let mut kinds: Vec<Option<&Json>> = Vec::new();
    for branch in branches {
        let (mut own, mut kind, mut label): (&[Json], _, _) = (&[], None, None);
        for (key, value) in *branch {
            match (key.as_str(), value) {
                ("const", value) if own.is_empty() => own = std::slice::from_ref(value),
                ("enum", Json::Array(several)) if own.is_empty() && !several.is_empty() => own = several,
                ("type", Json::String(_)) => kind = Some(value),
                ("description" | "title", Json::String(text)) if label.is_none() || key == "description" => label = Some(text),
                ("description" | "title", Json::String(_)) => {}
                _ => return None,
            }
        }
        let is_of = |value: &Json| kind.and_then(Json::as_str).is_none_or(|kind| is_of_type(value, kind));
        if own.is_empty() || !own.iter().all(is_of) {
            return None;
        }
        if let Some(text) = label.map(|text| text.trim()).filter(|text| !text.is_empty()) {
            let [value] = own else { return None };
            if LONGEST_LABEL < text.chars().count() || text.contains('\n') {
                return None;
            }
            let text = tidy(text);
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !same_words(&shown, &text) {
                labels.push(format!("{shown} = {}", text.trim_end_matches(['.', '。'])));
            }
        }
        for value in own {
            if seen.insert(value.canonical()) {
                values.push(value.clone());
            } else if exclusive {
                return None;
            }
        }
        kinds.push(kind);
    }
    let kind = *kinds.first()?;
    if kinds.iter().any(|other| *other != kind) {
        return None;
    }
    let mut out: Owned = kind.map(|kind| ("type".to_owned(), kind.clone())).into_iter().collect();
    out.push(("enum".to_owned(), Json::Array(values)));
    if !labels.is_empty() {
        out.push(("description".to_owned(), Json::String(format!("{LABELS} {}.", labels.join("; ")))));
    }
    Some(out)
}

fn is_of_type(value: &Json, kind: &str) -> bool {
    match value {
        Json::Null => kind == "null",
        Json::Bool(_) => kind == "boolean",
        Json::Number(text) => kind == "number" || (kind == "integer" && !text.contains(['.', 'e', 'E'])),
        Json::String(_) => kind == "string",
        Json::Array(_) => kind == "array",
        Json::Object(_) => kind == "object",
    }
}

/// The list of types that these branches are, if each is of other types and its keywords are about those alone. Then no value is
/// of two branches, and the keywords of one pass over the values of the others.
fn union(branches: &[&Members]) -> Option<Owned> {
    let mut kinds: Vec<&str> = Vec::new();
    let mut out: Owned = vec![("type".to_owned(), Json::Null)];
    for branch in branches {
        let own: Vec<&str> = match get(branch, "type")? {
            Json::String(kind) => vec![kind.as_str()],
            Json::Array(several) => several.iter().map(Json::as_str).collect::<Option<_>>()?,
            _ => return None,
        };
        for kind in &own {
            let is_number = |kind: &str| matches!(kind, "number" | "integer");
            if kinds.iter().any(|other| other == kind || (is_number(other) && is_number(kind))) {
                return None;
            }
        }
        for (key, value) in branch.iter().filter(|(key, _)| key != "type") {
            let fits = if key == "description" || key == "default" {
                true
            } else {
                about(key).is_some_and(|kind| own.iter().all(|own| is_about(kind, own)))
            };
            if !fits || get(&out, key).is_some() {
                return None;
            }
            out.push((key.clone(), value.clone()));
        }
        kinds.extend(own);
    }
    // A description of one of several branches would seem to be about all of them.
    let described = |branch: &&&Members| get(branch, "description").is_some();
    let real = |branch: &&&Members| get(branch, "type").and_then(Json::as_str) != Some("null");
    if branches.iter().any(|branch| described(&branch)) && 1 < branches.iter().filter(real).count() {
        return None;
    }
    let names = kinds.into_iter().map(|kind| Json::String(kind.to_owned())).collect();
    out.first_mut()?.1 = Json::Array(names);
    Some(out)
}

fn is_about(kind: &str, own: &str) -> bool {
    kind == own || (kind == "number" && own == "integer")
}

/// The type whose values a keyword is about; it passes over all others.
fn about(keyword: &str) -> Option<&'static str> {
    match keyword {
        "properties"
        | "required"
        | "additionalProperties"
        | "patternProperties"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "dependentRequired"
        | "dependentSchemas" => Some("object"),
        "items" | "prefixItems" | "additionalItems" | "minItems" | "maxItems" | "uniqueItems" => Some("array"),
        "pattern" | "minLength" | "maxLength" => Some("string"),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => Some("number"),
        _ => None,
    }
}
