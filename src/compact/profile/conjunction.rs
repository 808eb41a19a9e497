//! Two schemas as one that takes what both take: what `allOf` means, and a `$ref` with keywords beside it.
//!
//! Keyword by keyword; where two cannot be joined into one the first stays and the second is reported as lost, which takes more
//! than both do, never less.

use super::shape::{Obstacle, Primitive};
use crate::json::Json;

pub(super) type Members = Vec<(String, Json)>;

pub(super) fn get<'a>(members: &'a [(String, Json)], key: &str) -> Option<&'a Json> {
    members.iter().find(|(k, _)| k == key).map(|(_, value)| value)
}

/// `first` and `second`, neither of which has `$ref` or `allOf`. What is lost goes to `lost`, by keyword.
pub(super) fn both(mut first: Members, second: Members, at: &str, lost: &mut Vec<String>) -> Result<Members, Obstacle> {
    for (one, other) in [(&first, &second), (&second, &first)] {
        closed_to_the_other(one, other, at)?;
    }
    for (keyword, theirs) in second {
        let Some((_, ours)) = first.iter_mut().find(|(k, _)| *k == keyword) else {
            first.push((keyword, theirs));
            continue;
        };
        if *ours == theirs {
            continue;
        }
        match keyword.as_str() {
            "type" => *ours = common_types(ours, &theirs).ok_or_else(|| Obstacle::new(at, "asks for two types at once"))?,
            "required" => merge_lists(ours, theirs),
            "properties" | "$defs" | "definitions" => merge_named(ours, theirs),
            "items" => *ours = all_of(std::mem::replace(ours, Json::Null), theirs),
            "enum" => {
                let theirs: Vec<String> = theirs.as_array().unwrap_or_default().iter().map(Json::canonical).collect();
                let common = ours.as_array().unwrap_or_default().iter().filter(|value| theirs.contains(&value.canonical()));
                *ours = Json::Array(common.cloned().collect());
            }
            "const" => return Err(Obstacle::new(at, "asks for two values at once")),
            "anyOf" | "oneOf" => return Err(Obstacle::new(at, format!("has two {keyword}, both of which have to hold"))),
            "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => *ours = tighter(ours, theirs, true),
            "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => *ours = tighter(ours, theirs, false),
            "additionalProperties" => {
                // `closed_to_the_other` saw to it that neither closes the other out.
                if *ours == Json::Bool(true) || theirs == Json::Bool(false) {
                    *ours = theirs;
                }
            }
            annotation if super::read::is_annotation(annotation) => {}
            _ => lost.push(keyword),
        }
    }
    Ok(first)
}

/// A part that takes no members but its own makes those of the other part impossible.
fn closed_to_the_other(one: &Members, other: &Members, at: &str) -> Result<(), Obstacle> {
    let is_open = get(one, "additionalProperties").is_none_or(|value| *value == Json::Bool(true));
    let names = |members: &Members| -> Vec<String> {
        let properties = get(members, "properties").and_then(Json::as_object).unwrap_or_default();
        properties.iter().map(|(name, _)| name.clone()).collect()
    };
    let own = names(one);
    if is_open || names(other).iter().all(|name| own.contains(name)) {
        return Ok(());
    }
    Err(Obstacle::new(at, "joins parts one of which takes none of the other's members"))
}

pub(super) fn all_of(first: Json, second: Json) -> Json {
    Json::Object(vec![("allOf".to_owned(), Json::Array(vec![first, second]))])
}

fn common_types(ours: &Json, theirs: &Json) -> Option<Json> {
    let list = |types: &Json| match types {
        Json::Array(types) => types.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect::<Vec<_>>(),
        single => single.as_str().map(str::to_owned).into_iter().collect(),
    };
    let (number, integer) = (Primitive::Number.name(), Primitive::Integer.name());
    let theirs = list(theirs);
    let common = list(ours).into_iter().filter_map(|one| {
        let has = |name: &str| theirs.iter().any(|t| t == name);
        match one.as_str() {
            same if has(same) => Some(one),
            ours if ours == integer && has(number) => Some(one),
            ours if ours == number && has(integer) => Some(integer.to_owned()),
            _ => None,
        }
    });
    let mut common: Vec<Json> = common.map(Json::String).collect();
    if common.len() < 2 { common.pop() } else { Some(Json::Array(common)) }
}

fn merge_lists(ours: &mut Json, theirs: Json) {
    if let (Json::Array(ours), Json::Array(theirs)) = (ours, theirs) {
        for element in theirs {
            if !ours.contains(&element) {
                ours.push(element);
            }
        }
    }
}

/// A name that both have takes what both take.
fn merge_named(ours: &mut Json, theirs: Json) {
    let (Json::Object(ours), Json::Object(theirs)) = (ours, theirs) else { return };
    for (name, schema) in theirs {
        match ours.iter_mut().find(|(known, _)| *known == name) {
            None => ours.push((name, schema)),
            Some((_, known)) if *known == schema => {}
            Some((_, known)) => *known = all_of(std::mem::replace(known, Json::Null), schema),
        }
    }
}

fn tighter(ours: &Json, theirs: Json, is_least: bool) -> Json {
    let number = |json: &Json| if let Json::Number(text) = json { text.parse::<f64>().ok() } else { None };
    match (number(ours), number(&theirs)) {
        (Some(a), Some(b)) if (is_least && a < b) || (!is_least && b < a) => theirs,
        (None, Some(_)) => theirs,
        (Some(_) | None, _) => ours.clone(),
    }
}
