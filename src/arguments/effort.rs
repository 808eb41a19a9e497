//! How long checking may take, worked out before it begins.
//!
//! A validator looks at a value with every schema that applies to it, and where choices and references nest it looks at the same
//! value with the same schema over and over: a few hundred bytes can keep it busy for years, and nothing stops it in between.
//! How often it looks at most is a sum over the pairs of schema and value, and each pair has to be worked out only once.

use std::collections::HashMap;

use crate::json::Json;

/// Most looks: a list of ten thousand objects is looked at a hundred thousand times.
const MAX_LOOKS: u64 = 1_000_000;
/// Most different pairs of schema and value.
const MAX_PAIRS: usize = 200_000;
/// How deep looks may nest.
const MAX_DEPTH: usize = 2_000;
/// Most regular expressions; each is compiled, which takes milliseconds.
const MAX_PATTERNS: usize = 100;

/// Whether holding `arguments` against `schema` ends soon.
///
/// # Errors
/// Why it does not.
pub(super) fn within_bounds(schema: &Json, arguments: &Json) -> Result<(), String> {
    let patterns = patterns(schema);
    if MAX_PATTERNS < patterns {
        return Err(format!("the schema has {patterns} regular expressions, the limit is {MAX_PATTERNS}"));
    }
    let mut effort = Effort { root: schema, known: HashMap::new(), anchors: HashMap::new() };
    effort.collect_anchors(schema);
    match effort.looks(schema, arguments, 0) {
        Some(looks) if looks <= MAX_LOOKS => Ok(()),
        Some(_) | None => Err("the schema is too intricate to hold these arguments against it".to_owned()),
    }
}

fn patterns(schema: &Json) -> usize {
    match schema {
        Json::Object(members) => members.iter().fold(0, |sum, (key, value)| {
            let own = match key.as_str() {
                "pattern" => 1,
                "patternProperties" => value.as_object().unwrap_or_default().len(),
                _ => 0,
            };
            sum + own + patterns(value)
        }),
        Json::Array(elements) => elements.iter().map(patterns).sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

/// A schema and a value by where they are in memory.
type Pair = (*const Json, *const Json);

struct Effort<'a> {
    root: &'a Json,
    /// `None` while a pair is being worked out: coming by it again would never end.
    known: HashMap<Pair, Option<u64>>,
    /// Schemas by what a reference may call them, pointers aside: anchors and ids.
    anchors: HashMap<&'a str, &'a Json>,
}

impl<'a> Effort<'a> {
    fn collect_anchors(&mut self, json: &'a Json) {
        match json {
            Json::Object(members) => {
                for (key, value) in members {
                    if let ("$anchor" | "$dynamicAnchor" | "$id" | "id", Json::String(name)) = (key.as_str(), value) {
                        self.anchors.insert(name.trim_start_matches('#'), json);
                    }
                    self.collect_anchors(value);
                }
            }
            Json::Array(elements) => elements.iter().for_each(|element| self.collect_anchors(element)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    /// At most so many looks at `value` and what is in it; `None` when there are too many to count.
    fn looks(&mut self, schema: &'a Json, value: &Json, depth: usize) -> Option<u64> {
        let pair = (std::ptr::from_ref(schema), std::ptr::from_ref(value));
        if let Some(known) = self.known.get(&pair) {
            return *known;
        }
        if MAX_DEPTH < depth || MAX_PAIRS < self.known.len() {
            return None;
        }
        self.known.insert(pair, None);
        let looks = self.work_out(schema, value, depth + 1)?;
        self.known.insert(pair, Some(looks));
        Some(looks)
    }

    fn work_out(&mut self, schema: &'a Json, value: &Json, depth: usize) -> Option<u64> {
        let (mut same_value, mut inner): (u64, u64) = (0, 1);
        // What no other keyword took is looked for by trying all of them again.
        let mut again = 1;
        for (keyword, held) in schema.as_object().unwrap_or_default() {
            let keyword = keyword.as_str();
            match keyword {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" => {
                    for part in parts(held) {
                        same_value = same_value.checked_add(self.looks(part, value, depth)?)?;
                    }
                }
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    if let Some(target) = held.as_str().and_then(|reference| self.target(reference)) {
                        same_value = same_value.checked_add(self.looks(target, value, depth)?)?;
                    }
                }
                "unevaluatedProperties" | "unevaluatedItems" => {
                    again = 2;
                    inner = inner.checked_add(self.each(held, value, depth)?)?;
                }
                "properties" => {
                    for (name, value) in value.as_object().unwrap_or_default() {
                        if let Some(schema) = held.get(name) {
                            inner = inner.checked_add(self.looks(schema, value, depth)?)?;
                        }
                    }
                }
                "patternProperties" => {
                    for schema in parts(held) {
                        inner = inner.checked_add(self.each(schema, value, depth)?)?;
                    }
                }
                "additionalProperties" | "items" | "prefixItems" | "additionalItems" | "contains" => {
                    for schema in parts_or_one(held) {
                        inner = inner.checked_add(self.each(schema, value, depth)?)?;
                    }
                }
                "propertyNames" => {
                    let names = u64::try_from(value.as_object().unwrap_or_default().len()).ok()?;
                    inner = inner.checked_add(self.looks(held, &Json::Null, depth)?.checked_mul(names)?)?;
                }
                "enum" => inner = inner.checked_add(u64::try_from(held.as_array().unwrap_or_default().len()).ok()?)?,
                _ => {}
            }
        }
        let looks = same_value.checked_mul(again)?.checked_add(inner)?;
        (looks <= MAX_LOOKS).then_some(looks)
    }

    /// Looks at every member or element with `schema`.
    fn each(&mut self, schema: &'a Json, value: &Json, depth: usize) -> Option<u64> {
        let mut looks: u64 = 0;
        match value {
            Json::Object(members) => {
                for (_, value) in members {
                    looks = looks.checked_add(self.looks(schema, value, depth)?)?;
                }
            }
            Json::Array(elements) => {
                for value in elements {
                    looks = looks.checked_add(self.looks(schema, value, depth)?)?;
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
        Some(looks)
    }

    fn target(&self, reference: &str) -> Option<&'a Json> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let start = if base.is_empty() { self.root } else { self.anchors.get(base).copied()? };
        if fragment.is_empty() {
            return Some(start);
        }
        let Some(pointer) = fragment.strip_prefix('/') else { return self.anchors.get(fragment).copied() };
        pointer.split('/').try_fold(start, |json, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match json {
                Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
                other => other.get(&step),
            }
        })
    }
}

/// The schemas that a keyword holds, in a list or by name, or the one that it is.
fn parts(held: &Json) -> Vec<&Json> {
    match held {
        Json::Array(elements) => elements.iter().collect(),
        // One schema, or schemas by name: looking at both is looking once too often.
        Json::Object(members) => std::iter::once(held).chain(members.iter().map(|(_, value)| value)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}

fn parts_or_one(held: &Json) -> Vec<&Json> {
    match held {
        Json::Array(elements) => elements.iter().collect(),
        one => vec![one],
    }
}
