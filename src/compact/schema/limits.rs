//! Constraints and defaults that cost tokens and tell a model nothing it would act on. What is dropped here makes LEAN accept more;
//! the arguments are held against the publisher's schema before the call.

use super::keywords::{Members, Place, get};
use super::steps::{Step, Steps};
use crate::json::Json;

/// Longest default, in bytes of JSON, that is worth its tokens: a word, a number, a date, a short path.
const LONGEST_DEFAULT: usize = 60;
/// Bounds from here on are those of a machine's integers.
const MACHINE_BOUND: f64 = 2_147_483_647.0;

/// Drops what the steps drop of one schema's own keywords.
pub(super) fn rewrite(mut members: Vec<(String, Json)>, place: Place<'_>, steps: Steps) -> Vec<(String, Json)> {
    let is_dropped = |(keyword, value): &(String, Json)| {
        let keyword = keyword.as_str();
        (steps.has(Step::Closed) && place.may_weaken && keyword == "additionalProperties" && *value == Json::Bool(false))
            || (steps.has(Step::Defaults) && keyword == "default" && default_says_nothing(value, &members))
            || (steps.has(Step::Limits) && place.may_weaken && limit_says_nothing(keyword, value, &members))
    };
    let mut dropped = members.iter().map(is_dropped).collect::<Vec<_>>().into_iter();
    members.retain(|_| dropped.next() != Some(true));
    members
}

fn default_says_nothing(value: &Json, members: &Members) -> bool {
    let is_empty = match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(elements) => elements.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    };
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_said = || {
        let text = get(members, "description").and_then(Json::as_str).unwrap_or_default();
        let lower = text.to_lowercase();
        let names_defaults = ["default", "默认", "預設", "デフォルト", "기본"].iter().any(|word| lower.contains(word));
        names_defaults && has_word(&lower, &shown.to_lowercase())
    };
    is_empty || LONGEST_DEFAULT < shown.len() || is_said()
}

/// Whether `text` holds `word` with neither letter nor digit before or behind it.
fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        // `10` is not said by `10.5`.
        let goes_on = behind.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        is_edge(before.chars().next_back()) && is_edge(behind.chars().next()) && !goes_on
    })
}

fn limit_says_nothing(keyword: &str, value: &Json, members: &Members) -> bool {
    let number = || match value {
        Json::Number(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    // In draft 4 the exclusive ones are flags of their neighbours, and stand or fall with them.
    let has_flags =
        || ["exclusiveMinimum", "exclusiveMaximum"].iter().any(|key| matches!(get(members, key), Some(Json::Bool(_))));
    match keyword {
        "format" => {
            matches!(value.as_str(), Some("int32" | "int64" | "uint32" | "uint64" | "int" | "float" | "double" | "string"))
        }
        "minLength" | "minItems" | "minProperties" => number().is_some_and(|least| least <= 1.0),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            number().is_some_and(|bound| MACHINE_BOUND <= bound.abs()) && !has_flags()
        }
        "maxLength" | "maxItems" => number().is_some_and(|most| 10_000.0 <= most),
        // Where nothing else says what the text looks like, the pattern has to.
        "pattern" => get(members, "description").is_some() || get(members, "format").is_some() || get(members, "enum").is_some(),
        "uniqueItems" => *value == Json::Bool(false),
        _ => false,
    }
}
