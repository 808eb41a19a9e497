//! Two shorter forms of a JSON Schema: LEAN says the same with less, SKELETON keeps what a call is made of.
//!
//! LEAN removes annotations only, so under one dialect it accepts exactly what the original accepts. SKELETON keeps names,
//! types, `required`, enum values and the nested shape, and drops descriptions, defaults and every other constraint: it accepts
//! all that the original accepts, and more. That only holds where weakening a part weakens the whole, hence `not` and
//! `if`/`then`/`else` go altogether, and `oneOf` is shown as `anyOf` (two branches that differed by `format` alone would
//! otherwise be equal, and no call could match exactly one of them).
//!
//! A keyword is a keyword only in schema position: a *property* called `title` is a name, and what stands in `enum`, `const`
//! or `default` is data. So the walk knows which keywords hold schemas, and touches nothing else.
//!
//! References are not followed. They go on working because every place they may point to keeps its path; a schema whose
//! references reach anywhere else (another document, an anchor, `#/x-types/…`) is left as it is rather than broken.

use std::borrow::Cow;

use crate::json::Json;

type Members = [(String, Json)];

/// The same schema without `$schema`, `$id`, `$comment`, `title`, `examples`, `x-…`, empty lists, and whitespace or
/// descriptions that say nothing. Accepts exactly the same arguments.
#[must_use]
pub fn lean(schema: &Json) -> Json {
    if stays_whole(schema) { schema.clone() } else { map_schema(schema, &|members| lean_members(members, None)) }
}

/// Names, types, required, enums and nested shape; nothing else. Accepts at least the same arguments.
#[must_use]
pub fn skeleton(schema: &Json) -> Json {
    if stays_whole(schema) { schema.clone() } else { map_schema(schema, &skeleton_members) }
}

/// Trims, turns each run of blanks into one space and three or more line ends into two. Lines and paragraphs stay: they carry
/// lists.
pub(super) fn tidy(text: &str) -> Cow<'_, str> {
    const BLANKS: [char; 3] = [' ', '\t', '\r'];
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let mut after_empty_line = false;
    for line in text.split('\n') {
        let mut words = line.split(BLANKS).filter(|word| !word.is_empty());
        let Some(first) = words.next() else {
            after_empty_line = true;
            continue;
        };
        if !out.is_empty() {
            out.push_str(if after_empty_line { "\n\n" } else { "\n" });
            // One blank of an indent is enough to show a list under its heading; it joins the word's token.
            if line.starts_with(BLANKS) {
                out.push(' ');
            }
        }
        after_empty_line = false;
        out.push_str(first);
        for word in words {
            out.push(' ');
            out.push_str(word);
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// What a keyword's value is made of.
enum Holds {
    /// A schema, or a list of schemas.
    Schemas,
    /// Schemas by name.
    Named,
    /// Anything else: not ours to touch.
    Data,
}

fn holds(keyword: &str) -> Holds {
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

/// Applies `f` to a schema or to each schema of a list. `true`, `false` and what is no schema stay.
fn map_schema(value: &Json, f: &impl Fn(&Members) -> Vec<(String, Json)>) -> Json {
    let one = |value: &Json| value.as_object().map_or_else(|| value.clone(), |members| Json::Object(f(members)));
    match value {
        Json::Array(elements) => Json::Array(elements.iter().map(one).collect()),
        single => one(single),
    }
}

/// Applies `f` to each of the schemas that `value` holds by name; `f` is given the name.
fn map_named(value: &Json, f: &impl Fn(&str, &Members) -> Vec<(String, Json)>) -> Json {
    let Json::Object(named) = value else { return value.clone() };
    Json::Object(named.iter().map(|(name, schema)| (name.clone(), map_schema(schema, &|members| f(name, members)))).collect())
}

/// Empty where empty means the same as absent. `enum: []`, `anyOf: []` and `items: []` mean something.
fn says_nothing(keyword: &str, value: &Json) -> bool {
    match keyword {
        "required" => value.as_array().is_some_and(<[_]>::is_empty),
        "$defs" | "definitions" | "patternProperties" | "dependentSchemas" | "dependentRequired" | "dependencies" => {
            value.as_object().is_some_and(<[_]>::is_empty)
        }
        _ => false,
    }
}

/// `name` is the property that this schema describes, if it is one.
fn lean_members(members: &Members, name: Option<&str>) -> Vec<(String, Json)> {
    let mut out = Vec::with_capacity(members.len());
    for (keyword, value) in members {
        let kept = match (keyword.as_str(), value) {
            ("$schema" | "$id" | "$comment" | "title", Json::String(_)) | ("examples", Json::Array(_)) => continue,
            (extension, _) if extension.starts_with("x-") => continue,
            (keyword, value) if says_nothing(keyword, value) => continue,
            ("description", Json::String(text)) => {
                let text = tidy(text);
                if text.is_empty() || name.is_some_and(|name| same_words(name, &text)) {
                    continue;
                }
                Json::String(text.into_owned())
            }
            ("properties", value) => map_named(value, &|name, members| lean_members(members, Some(name))),
            (keyword, value) => match holds(keyword) {
                Holds::Schemas => map_schema(value, &|members| lean_members(members, None)),
                Holds::Named => map_named(value, &|_, members| lean_members(members, None)),
                Holds::Data => value.clone(),
            },
        };
        out.push((keyword.clone(), kept));
    }
    out
}

/// `repo_name`, `repoName` and `Repo name.` are the same words.
fn same_words(name: &str, description: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let name = words(name);
    !name.is_empty() && name == words(description)
}

fn skeleton_members(members: &Members) -> Vec<(String, Json)> {
    let mut out: Vec<(String, Json)> = Vec::with_capacity(members.len());
    for (keyword, value) in members {
        if says_nothing(keyword, value) {
            continue;
        }
        let kept = match (keyword.as_str(), value) {
            ("type" | "enum" | "const" | "required" | "dependentRequired" | "nullable" | "$ref", value) => value.clone(),
            // Names that may be absent add nothing to the names that are there.
            ("additionalProperties", Json::Bool(_)) => continue,
            (keyword, value) if in_skeleton(keyword) => match holds(keyword) {
                Holds::Schemas => map_schema(value, &skeleton_members),
                Holds::Named => map_named(value, &|_, members| skeleton_members(members)),
                Holds::Data => continue,
            },
            _ => continue,
        };
        out.push((keyword.clone(), kept));
    }
    if let Some((_, choices)) = members.iter().find(|(keyword, _)| keyword == "oneOf") {
        show_as_any_of(map_schema(choices, &skeleton_members), &mut out);
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

/// Keywords that keep their place and their schemas in both forms; so a reference may pass through them.
fn in_skeleton(keyword: &str) -> bool {
    match keyword {
        "items" | "prefixItems" | "additionalItems" | "additionalProperties" | "propertyNames" | "anyOf" | "allOf" => true,
        _ => matches!(holds(keyword), Holds::Named),
    }
}

/// Whether a reference in here could lose its target, or find another, if keywords were dropped.
fn stays_whole(schema: &Json) -> bool {
    let (mut schemas, mut references, mut inner_id, mut unsafe_reference) = (0_usize, false, false, false);
    each_schema(schema, &mut |members| {
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref", Json::String(target)) => {
                    references = true;
                    unsafe_reference |= !keeps_its_target(target);
                }
                ("$dynamicRef" | "$recursiveRef", _) => unsafe_reference = true,
                // References below an inner `$id` start from there, not from the root.
                ("$id", _) => inner_id |= 0 < schemas,
                _ => {}
            }
        }
        schemas += 1;
    });
    unsafe_reference || (references && inner_id)
}

fn each_schema(value: &Json, visit: &mut impl FnMut(&Members)) {
    match value {
        Json::Object(members) => {
            visit(members);
            for (keyword, value) in members {
                match holds(keyword) {
                    Holds::Schemas => each_schema(value, visit),
                    Holds::Named => {
                        for (_, schema) in value.as_object().unwrap_or_default() {
                            each_schema(schema, visit);
                        }
                    }
                    Holds::Data => {}
                }
            }
        }
        Json::Array(elements) => {
            for element in elements {
                each_schema(element, visit);
            }
        }
        _ => {}
    }
}

/// `#`, or a JSON pointer whose every step is a keyword that both forms keep: `#/$defs/Pet`, `#/properties/a/items`.
fn keeps_its_target(reference: &str) -> bool {
    if reference == "#" {
        return true;
    }
    let Some(pointer) = reference.strip_prefix("#/") else { return false };
    let mut steps = pointer.split('/').peekable();
    while let Some(keyword) = steps.next() {
        if !in_skeleton(keyword) {
            return false;
        }
        match holds(keyword) {
            // The name, whatever it is.
            Holds::Named if steps.next().is_none() => return false,
            Holds::Named | Holds::Data => {}
            Holds::Schemas => {
                steps.next_if(|step| step.bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }
    true
}

#[cfg(test)]
mod tests;
