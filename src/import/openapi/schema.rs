//! Schemas of a document as JSON Schemas that stand by themselves: references go to `$defs`, 3.0's own words become JSON Schema's.

use std::collections::BTreeMap;

use crate::json::Json;

/// Longest chain of references from one to the next.
const MAX_CHAIN: usize = 32;
/// What says nothing to a caller: examples, serialisation hints, links.
const DROPPED: [&str; 7] = ["example", "examples", "xml", "externalDocs", "discriminator", "writeOnly", "deprecated"];

/// What `json` refers to, or itself. Only references within the document are followed.
pub(super) fn resolve<'a>(document: &'a Json, json: &'a Json) -> Result<&'a Json, String> {
    let mut current = json;
    for _ in 0..MAX_CHAIN {
        let Some(reference) = current.get("$ref").and_then(Json::as_str) else { return Ok(current) };
        current = target(document, reference)?;
    }
    Err(format!("refers on and on, more than {MAX_CHAIN} times"))
}

fn target<'a>(document: &'a Json, reference: &str) -> Result<&'a Json, String> {
    let Some(pointer) = reference.strip_prefix("#/") else {
        return Err(format!("refers to {reference:?} outside of the document: bundle it into one file first"));
    };
    let step = |json: &'a Json, part: &str| {
        let key = part.replace("~1", "/").replace("~0", "~").replace("%7B", "{").replace("%7D", "}").replace("%20", " ");
        match json {
            Json::Array(items) => key.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => json.get(&key),
        }
    };
    let found = pointer.split('/').try_fold(document, step);
    found.ok_or_else(|| format!("refers to {reference:?}, which is not there"))
}

/// Converts schemas of one operation and remembers what they refer to.
pub(super) struct Schemas<'a> {
    document: &'a Json,
    is_3_0: bool,
    /// By reference: the name under `$defs`.
    names: BTreeMap<String, String>,
    /// References whose schemas are still to be converted.
    waiting: Vec<String>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(document: &'a Json, is_3_0: bool) -> Self {
        Self { document, is_3_0, names: BTreeMap::new(), waiting: Vec::new() }
    }

    /// A schema; `null` stands for a missing one.
    pub(super) fn convert(&mut self, schema: &Json) -> Result<Json, String> {
        let members = match schema {
            Json::Object(members) => members,
            Json::Bool(_) => return Ok(schema.clone()),
            _ => return Ok(Json::Object(Vec::new())),
        };
        let mut out: Vec<(String, Json)> = Vec::with_capacity(members.len());
        for (key, value) in members {
            let converted = match (key.as_str(), value) {
                ("$ref", Json::String(reference)) => Json::String(format!("#/$defs/{}", self.name(reference)?)),
                (dropped, _) if DROPPED.contains(&dropped) || dropped.starts_with("x-") => continue,
                ("properties" | "patternProperties" | "$defs" | "dependentSchemas", Json::Object(all)) => {
                    let mut kept = Vec::with_capacity(all.len());
                    for (name, schema) in all.iter().filter(|(_, schema)| !is_read_only(schema)) {
                        kept.push((name.clone(), self.convert(schema)?));
                    }
                    Json::Object(kept)
                }
                ("allOf" | "anyOf" | "oneOf" | "prefixItems", Json::Array(all)) => {
                    Json::Array(all.iter().map(|schema| self.convert(schema)).collect::<Result<_, _>>()?)
                }
                (
                    "items"
                    | "additionalProperties"
                    | "not"
                    | "if"
                    | "then"
                    | "else"
                    | "contains"
                    | "propertyNames"
                    | "unevaluatedProperties"
                    | "unevaluatedItems",
                    Json::Object(_),
                ) => self.convert(value)?,
                ("required", Json::Array(all)) => {
                    let hidden = |name: &Json| {
                        let property = name.as_str().and_then(|name| schema.get("properties")?.get(name));
                        property.is_some_and(is_read_only)
                    };
                    Json::Array(all.iter().filter(|name| !hidden(name)).cloned().collect())
                }
                _ => value.clone(),
            };
            out.push((key.clone(), converted));
        }
        Ok(Json::Object(if self.is_3_0 { from_3_0(out) } else { out }))
    }

    /// The name that a reference has under `$defs`: its last part, made unlike the others.
    fn name(&mut self, reference: &str) -> Result<String, String> {
        if let Some(name) = self.names.get(reference) {
            return Ok(name.clone());
        }
        target(self.document, reference)?;
        let last = reference.rsplit('/').next().unwrap_or_default();
        let safe: String =
            last.chars().map(|c| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' }).collect();
        let mut name = safe.clone();
        let mut number = 2;
        while self.names.values().any(|taken| *taken == name) {
            name = format!("{safe}_{number}");
            number += 1;
        }
        self.names.insert(reference.to_owned(), name.clone());
        self.waiting.push(reference.to_owned());
        Ok(name)
    }

    /// Everything that was referred to, and what that refers to in turn; each once, so cycles end.
    pub(super) fn definitions(&mut self) -> Result<Vec<(String, Json)>, String> {
        let mut definitions = Vec::new();
        while let Some(reference) = self.waiting.pop() {
            let schema = self.convert(target(self.document, &reference)?)?;
            definitions.push((self.name(&reference)?, schema));
        }
        definitions.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(definitions)
    }
}

/// A property that only answers have.
fn is_read_only(schema: &Json) -> bool {
    schema.get("readOnly") == Some(&Json::Bool(true))
}

/// `nullable` and the yes-or-no bounds of 3.0 in the words of JSON Schema.
fn from_3_0(mut members: Vec<(String, Json)>) -> Vec<(String, Json)> {
    let take = |members: &mut Vec<(String, Json)>, key: &str| {
        let place = members.iter().position(|(k, _)| k == key)?;
        Some(members.remove(place).1)
    };
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if !members.iter().any(|(key, value)| key == flag && matches!(value, Json::Bool(_))) {
            continue;
        }
        let is_exclusive = take(&mut members, flag) == Some(Json::Bool(true));
        if let Some(number) = take(&mut members, bound) {
            members.push((if is_exclusive { flag } else { bound }.to_owned(), number));
        }
    }
    if take(&mut members, "nullable") != Some(Json::Bool(true)) {
        return members;
    }
    let null = || Json::String("null".to_owned());
    if let Some((_, list)) = members.iter_mut().find(|(key, _)| key == "enum")
        && let Json::Array(values) = list
        && !values.contains(&Json::Null)
    {
        values.push(Json::Null);
    }
    if let Some((_, kind)) = members.iter_mut().find(|(key, _)| key == "type") {
        if let Json::String(_) = kind {
            *kind = Json::Array(vec![kind.clone(), null()]);
        }
        return members;
    }
    // Without a type and what would narrow it everything is allowed, null too.
    if !members.iter().any(|(key, _)| matches!(key.as_str(), "$ref" | "allOf" | "anyOf" | "oneOf")) {
        return members;
    }
    let either = vec![Json::Object(members), Json::Object(vec![("type".to_owned(), null())])];
    vec![("anyOf".to_owned(), Json::Array(either))]
}
