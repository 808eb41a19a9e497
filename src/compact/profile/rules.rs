//! The published rules of each API, checked on what was written: a schema is marked only when it obeys them.
//!
//! Deliberately ignorant of how schemas are written here; it reads the finished JSON and knows nothing but the rules.

use std::collections::HashSet;

use super::{gemini, strict};
use crate::json::Json;

/// OpenAI's published limits of one schema.
const MAX_PROPERTIES: usize = 5_000;
const MAX_LEVELS: usize = 10;
const MAX_NAME_CHARS: usize = 120_000;
const MAX_ENUM_VALUES: usize = 1_000;
/// An enum of more values than the first has at most the second's characters.
const LONG_ENUM: (usize, usize) = (250, 15_000);

/// The first rule of OpenAI's structured outputs that `schema` breaks.
///
/// # Errors
/// The rule, with the place.
pub fn check_openai_strict(schema: &Json) -> Result<(), String> {
    let mut check = StrictCheck { root: schema, properties: 0, chars: 0, values: 0 };
    if schema.get("anyOf").is_some() {
        return Err("the root is a choice".to_owned());
    }
    if schema.get("type").and_then(Json::as_str) != Some("object") {
        return Err("the root is no object".to_owned());
    }
    check.schema(schema, "#", 1)?;
    for (name, schema) in schema.get("$defs").and_then(Json::as_object).unwrap_or_default() {
        check.chars += name.chars().count();
        check.schema(schema, &format!("#/$defs/{name}"), 1)?;
    }
    let limits = [
        ("properties", check.properties, MAX_PROPERTIES),
        ("characters in names and values", check.chars, MAX_NAME_CHARS),
        ("enum values", check.values, MAX_ENUM_VALUES),
    ];
    match limits.into_iter().find(|(_, count, limit)| limit < count) {
        Some((what, count, limit)) => Err(format!("has {count} {what}, the limit is {limit}")),
        None => Ok(()),
    }
}

struct StrictCheck<'a> {
    root: &'a Json,
    properties: usize,
    chars: usize,
    values: usize,
}

impl StrictCheck<'_> {
    /// `level` counts objects and lists, this one included.
    fn schema(&mut self, schema: &Json, at: &str, level: usize) -> Result<(), String> {
        let members = schema.as_object().ok_or_else(|| format!("{at} is {}, not a schema", schema.type_name()))?;
        if let Some(reference) = schema.get("$ref") {
            return self.reference(reference, members.len(), at);
        }
        let allowed: &[&str] = &[
            "type",
            "description",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "anyOf",
            "$defs",
            "pattern",
            "format",
            "multipleOf",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "minItems",
            "maxItems",
        ];
        if let Some((keyword, _)) = members.iter().find(|(keyword, _)| !allowed.contains(&keyword.as_str())) {
            return Err(format!("{at} has {keyword:?}, which is not supported"));
        }
        if let Some(format) = schema.get("format").filter(|f| f.as_str().is_none_or(|f| !strict::FORMATS.contains(&f))) {
            return Err(format!("{at} has the format {format}, which is not supported"));
        }
        if let Some(choices) = schema.get("anyOf") {
            let choices = choices.as_array().filter(|all| !all.is_empty()).ok_or_else(|| format!("{at}.anyOf is no list"))?;
            if schema.get("type").is_some() {
                return Err(format!("{at} has a type beside anyOf"));
            }
            return choices
                .iter()
                .enumerate()
                .try_for_each(|(i, choice)| self.schema(choice, &format!("{at}.anyOf[{i}]"), level));
        }
        let name = type_name(schema).ok_or_else(|| format!("{at} has no type"))?;
        self.choices(schema, at)?;
        match name {
            "object" => self.object(schema, at, level),
            "array" => {
                deep_enough(at, level)?;
                let items = schema.get("items").ok_or_else(|| format!("{at} has no items"))?;
                self.schema(items, &format!("{at}.items"), level + 1)
            }
            "string" | "number" | "integer" | "boolean" | "null" => Ok(()),
            other => Err(format!("{at} has the type {other:?}")),
        }
    }

    /// Where it leads is looked at once, with the definitions: what contains itself has no deepest level.
    fn reference(&self, reference: &Json, members: usize, at: &str) -> Result<(), String> {
        let target = reference.as_str().ok_or_else(|| format!("{at}.$ref is no text"))?;
        if members != 1 {
            return Err(format!("{at} has keywords beside $ref"));
        }
        let found = match target.strip_prefix("#/$defs/") {
            Some(name) => self.root.get("$defs").and_then(|all| all.get(name)).is_some(),
            None => target == "#",
        };
        if found { Ok(()) } else { Err(format!("{at} refers to {target:?}, which is not there")) }
    }

    fn object(&mut self, schema: &Json, at: &str, level: usize) -> Result<(), String> {
        deep_enough(at, level)?;
        if schema.get("additionalProperties") != Some(&Json::Bool(false)) {
            return Err(format!("{at} does not say additionalProperties: false"));
        }
        let properties = schema.get("properties").and_then(Json::as_object).ok_or_else(|| format!("{at} has no properties"))?;
        let required = schema.get("required").and_then(Json::as_array).ok_or_else(|| format!("{at} has no required"))?;
        let required: HashSet<&str> = required.iter().filter_map(Json::as_str).collect();
        if required.len() != properties.len() || properties.iter().any(|(name, _)| !required.contains(name.as_str())) {
            return Err(format!("{at} does not require all its properties and only those"));
        }
        self.properties += properties.len();
        for (name, property) in properties {
            self.chars += name.chars().count();
            self.schema(property, &format!("{at}.{name}"), level + 1)?;
        }
        Ok(())
    }

    fn choices(&mut self, schema: &Json, at: &str) -> Result<(), String> {
        let Some(values) = schema.get("enum") else { return Ok(()) };
        let values = values.as_array().filter(|all| !all.is_empty()).ok_or_else(|| format!("{at}.enum is no list of values"))?;
        let chars: usize =
            values.iter().map(|value| value.as_str().map_or_else(|| value.to_string().len(), |v| v.chars().count())).sum();
        self.values += values.len();
        self.chars += chars;
        if LONG_ENUM.0 < values.len() && LONG_ENUM.1 < chars {
            return Err(format!("{at}.enum has {} values of {chars} characters, the limit is {}", values.len(), LONG_ENUM.1));
        }
        Ok(())
    }
}

fn deep_enough(at: &str, level: usize) -> Result<(), String> {
    if MAX_LEVELS < level { Err(format!("{at} is on level {level}, the limit is {MAX_LEVELS}")) } else { Ok(()) }
}

/// One type, with or without `null`.
fn type_name(schema: &Json) -> Option<&str> {
    match schema.get("type")? {
        Json::String(name) => Some(name),
        Json::Array(names) => match names.as_slice() {
            [name, null] if null.as_str() == Some("null") => name.as_str(),
            _ => None,
        },
        _ => None,
    }
}

/// The first rule of the Gemini API's `Schema` that `schema` breaks.
///
/// # Errors
/// The rule, with the place.
pub fn check_gemini(schema: &Json) -> Result<(), String> {
    if schema.get("type").and_then(Json::as_str) != Some("object") {
        return Err("the root is no object".to_owned());
    }
    gemini_schema(schema, "parameters", true)
}

fn gemini_schema(schema: &Json, at: &str, is_root: bool) -> Result<(), String> {
    let members = schema.as_object().ok_or_else(|| format!("{at} is {}, not a schema", schema.type_name()))?;
    if let Some(choices) = schema.get("anyOf") {
        let choices = choices.as_array().filter(|all| !all.is_empty()).ok_or_else(|| format!("{at}.anyOf is no list"))?;
        if members.len() != 1 {
            return Err(format!("{at} has fields beside anyOf"));
        }
        return choices.iter().enumerate().try_for_each(|(i, choice)| gemini_schema(choice, &format!("{at}.anyOf[{i}]"), false));
    }
    let name = schema.get("type").and_then(Json::as_str).ok_or_else(|| format!("{at} has no type"))?;
    let own: &[&str] = match name {
        "object" => &["properties", "required"],
        "array" => &["items", "minItems", "maxItems"],
        "string" => &["enum", "minLength", "maxLength", "pattern", "format"],
        "number" | "integer" => &["minimum", "maximum", "format"],
        "boolean" => &[],
        other => return Err(format!("{at} has the type {other:?}")),
    };
    for (keyword, value) in members {
        let fits = match keyword.as_str() {
            "type" => true,
            "description" => value.as_str().is_some(),
            "nullable" => matches!(value, Json::Bool(_)),
            "format" => value
                .as_str()
                .is_some_and(|format| gemini::is_format(name, format) || (format == "enum" && schema.get("enum").is_some())),
            other => own.contains(&other),
        };
        if !fits {
            return Err(format!("{at} has {keyword:?}, which {name:?} does not take"));
        }
    }
    if let Some(values) = schema.get("enum") {
        let is_text = |value: &Json| value.as_str().is_some_and(|text| !text.is_empty());
        if values.as_array().is_none_or(|all| all.is_empty() || !all.iter().all(is_text)) {
            return Err(format!("{at}.enum is no list of texts"));
        }
    }
    match name {
        "array" => gemini_schema(schema.get("items").ok_or_else(|| format!("{at} has no items"))?, &format!("{at}.items"), false),
        "object" => {
            let properties = schema.get("properties").and_then(Json::as_object).unwrap_or_default();
            if properties.is_empty() && !is_root {
                return Err(format!("{at} has no properties"));
            }
            let required = schema.get("required").and_then(Json::as_array).unwrap_or_default();
            let is_there = |name: &Json| properties.iter().any(|(known, _)| Some(known.as_str()) == name.as_str());
            if !required.iter().all(is_there) {
                return Err(format!("{at} requires what it does not describe"));
            }
            properties.iter().try_for_each(|(name, property)| {
                if !gemini::is_name(name) {
                    return Err(format!("{at} has the property {name:?}, which is no name"));
                }
                gemini_schema(property, &format!("{at}.{name}"), false)
            })
        }
        _ => Ok(()),
    }
}
