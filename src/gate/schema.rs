//! What cannot be read from a schema alone: references that leave it, lead nowhere or go in circles.
//!
//! A tree whose nodes refer to the tree is legal JSON Schema and common; what is refused is a reference that comes back to
//! itself while still looking at the same value, because then no reader gets an answer, and naive ones never return.
//! Only schemas are read: a member `$ref` inside `default` or `enum` is data, and a property may be called `$ref`.

mod reference;

use std::collections::HashMap;

use crate::json::Json;

use super::findings::Findings;
use super::path::Path;
use super::unicode::shown;
use super::verdict::Rule;
use reference::{Node, Target};

/// Properties of one schema, nested ones included. The largest of 18,000 tools at hand has 75.
pub(super) const MAX_PROPERTIES: usize = 5_000;
/// Values of one document. 256 KiB of text can hold more, and each costs a hundred bytes in memory.
pub(super) const MAX_NODES: usize = 100_000;
/// References of one schema. Following one is a search through its document, so their number is what a hostile schema costs;
/// none of the tools at hand has more than 5.
pub(super) const MAX_REFERENCES: usize = 500;

/// Members that hold schemas by name.
const NAMED_SCHEMAS: [&str; 6] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
/// Members that hold data, not schemas.
const DATA: [&str; 5] = ["enum", "const", "default", "example", "examples"];
/// Members whose schemas look at the same value as the schema they stand in.
const SAME_VALUE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];

/// Arguments are named, so an input schema that gives a `type` must give `object`.
pub(super) fn check_root_type(field: &'static str, schema: &Json, findings: &mut Findings) {
    let is_object = |json: &Json| json.as_str() == Some("object");
    let Some(root_type) = schema.get("type") else { return };
    if is_object(root_type) || root_type.as_array().is_some_and(|types| types.iter().any(is_object)) {
        return;
    }
    findings.add(
        Rule::RootType,
        || format!("{field}.type"),
        || format!("is {}, and the arguments of a tool are an \"object\"", shown(&root_type.to_string())),
    );
}

/// Size and references.
pub(super) fn check(field: &'static str, schema: &Json, findings: &mut Findings) {
    let mut too_large = |what: &str, count: usize, limit: usize| {
        findings.add(Rule::TooLarge, || field.to_owned(), || format!("has {count} {what}, the limit is {limit}"));
    };
    let nodes = count_nodes(schema);
    if MAX_NODES < nodes {
        return too_large("values", nodes, MAX_NODES);
    }
    let mut survey = Survey { properties: 0, references: Vec::new(), anchors: HashMap::new() };
    survey.read(&mut Path::new(field), schema, schema);
    if MAX_PROPERTIES < survey.properties {
        return too_large("properties", survey.properties, MAX_PROPERTIES);
    }
    if MAX_REFERENCES < survey.references.len() {
        return too_large("references", survey.references.len(), MAX_REFERENCES);
    }
    let mut targets = HashMap::new();
    for reference in &survey.references {
        match reference::resolve(reference.text, schema, reference.base, &survey.anchors) {
            Target::Found(target) => {
                targets.insert(Node::of(reference.holder), target);
            }
            Target::Remote => findings.add(
                Rule::RemoteReference,
                || reference.path.clone(),
                || {
                    format!(
                        "refers to \"{}\": remote references are not fetched, only \"#...\" is followed",
                        shown(reference.text)
                    )
                },
            ),
            Target::Missing => findings.add(
                Rule::DanglingReference,
                || reference.path.clone(),
                || format!("refers to \"{}\", which is no schema of this document", shown(reference.text)),
            ),
        }
    }
    for cycle in cycles(&survey.references, &targets) {
        let mut texts: Vec<_> = cycle.iter().map(|reference| format!("\"{}\"", shown(reference.text))).collect();
        let more = texts.len().saturating_sub(MAX_TOLD_REFERENCES);
        texts.truncate(MAX_TOLD_REFERENCES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let path = cycle.first().map_or_else(|| field.to_owned(), |reference| reference.path.clone());
        findings.add(
            Rule::CyclicReference,
            || path,
            || format!("refers in a circle with no property or item between: {}{more}", texts.join(", ")),
        );
    }
}

/// References of a circle that its finding names.
const MAX_TOLD_REFERENCES: usize = 4;

fn count_nodes(json: &Json) -> usize {
    let inner: usize = match json {
        Json::Array(elements) => elements.iter().map(count_nodes).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| count_nodes(value)).sum(),
        _ => 0,
    };
    1 + inner
}

/// A `$ref` in a place where it is a keyword.
struct Reference<'a> {
    /// Of the `$ref` itself.
    path: String,
    /// The schema it stands in.
    holder: &'a Json,
    /// The nearest schema around it with an `$id` of its own: where `#` points.
    base: &'a Json,
    text: &'a str,
}

/// What one walk through a schema collects.
struct Survey<'a> {
    properties: usize,
    references: Vec<Reference<'a>>,
    anchors: HashMap<&'a str, &'a Json>,
}

impl<'a> Survey<'a> {
    /// `json` stands where a schema is expected. Recursion is as deep as the document, which is bounded where it is parsed.
    fn read(&mut self, path: &mut Path<'a>, json: &'a Json, base: &'a Json) {
        match json {
            Json::Object(members) => {
                let base =
                    if json.get("$id").and_then(Json::as_str).is_some_and(|id| !id.starts_with('#')) { json } else { base };
                for (key, value) in members {
                    self.read_member(path, (json, base), key, value);
                }
            }
            Json::Array(schemas) => {
                for (i, schema) in schemas.iter().enumerate() {
                    path.inside_element(i, |path| self.read(path, schema, base));
                }
            }
            _ => {}
        }
    }

    fn read_member(&mut self, path: &mut Path<'a>, (holder, base): (&'a Json, &'a Json), key: &'a str, value: &'a Json) {
        match (key, value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Json::String(text)) => {
                // Beyond the limit only the count is wanted.
                let path = if self.references.len() <= MAX_REFERENCES { format!("{path}.{key}") } else { String::new() };
                self.references.push(Reference { path, holder, base, text });
            }
            ("$anchor" | "$dynamicAnchor", Json::String(anchor)) => {
                self.anchors.insert(anchor, holder);
            }
            ("$id" | "id", Json::String(id)) => {
                if let Some(anchor) = id.strip_prefix('#') {
                    self.anchors.insert(anchor, holder);
                }
            }
            (key, Json::Object(schemas)) if NAMED_SCHEMAS.contains(&key) => path.inside_member(key, |path| {
                self.properties += if key == "properties" { schemas.len() } else { 0 };
                for (name, schema) in schemas {
                    path.inside_member(name, |path| self.read(path, schema, base));
                }
            }),
            (key, _) if DATA.contains(&key) => {}
            // Unknown members as well: a reference is not hidden by standing in `x-schema`.
            (key, value) => path.inside_member(key, |path| self.read(path, value, base)),
        }
    }
}

/// The circles among references, each as the references on it in order. A depth-first search with its own stack, because a
/// chain of references may be longer than the thread's.
fn cycles<'a, 's>(references: &'s [Reference<'a>], targets: &HashMap<Node, &'a Json>) -> Vec<Vec<&'s Reference<'a>>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Open,
        Done,
    }
    let by_holder: HashMap<Node, &Reference<'a>> = references.iter().map(|r| (Node::of(r.holder), r)).collect();
    let mut states: HashMap<Node, State> = HashMap::new();
    let mut found = Vec::new();
    for reference in references {
        let mut stack: Vec<(Node, Vec<&Json>)> = Vec::new();
        let mut next = Some(reference.holder);
        loop {
            if let Some(schema) = next.take() {
                let node = Node::of(schema);
                match states.get(&node) {
                    Some(State::Done) => {}
                    Some(State::Open) => {
                        let circle = stack.iter().skip_while(|(open, _)| *open != node);
                        found.push(circle.filter_map(|(open, _)| by_holder.get(open).copied()).collect());
                    }
                    None => {
                        states.insert(node, State::Open);
                        stack.push((node, same_value(schema, targets.get(&node).copied())));
                    }
                }
            }
            let Some((node, open)) = stack.last_mut() else { break };
            next = open.pop();
            if next.is_none() {
                states.insert(*node, State::Done);
                stack.pop();
            }
        }
    }
    found
}

/// The schemas that a value must be held against when it is held against `schema`.
fn same_value<'a>(schema: &'a Json, target: Option<&'a Json>) -> Vec<&'a Json> {
    let members = schema.as_object().unwrap_or_default().iter().filter(|(key, _)| SAME_VALUE.contains(&key.as_str()));
    let inner = members.flat_map(|(_, value)| match value {
        Json::Array(schemas) => schemas.iter().collect(),
        other => vec![other],
    });
    target.into_iter().chain(inner).collect()
}

#[cfg(test)]
mod tests;
