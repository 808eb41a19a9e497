//! What may be done to a schema without a reference losing its target, and writing definitions that are used once in place.
//!
//! Every place that a reference may point to keeps its path; a schema whose references reach anywhere else (another document, an
//! anchor, `#/x-types/…`) is left as it is rather than broken. Cycles need no care: what contains itself is referred to from within
//! and from without, so it is never a definition of one use.

use std::collections::{HashMap, HashSet};

use super::keywords::{Holds, Members, each_schema, get, holds, in_skeleton, is_annotation};
use crate::json::Json;
use crate::tool::MAX_SCHEMA_DEPTH;

/// What the references of a schema leave to be done.
pub(super) struct Freedom {
    /// Some reference could lose its target, or find another, if keywords were dropped: nothing may change.
    pub(super) stays_whole: bool,
    /// Whether choices, names and definitions may be rewritten, which no reference passes through.
    pub(super) shape: bool,
    /// Whether constraints may be dropped where that makes the whole accept more.
    pub(super) weaken: bool,
}

impl Freedom {
    pub(super) fn of(schema: &Json) -> Self {
        let (mut schemas, mut references, mut inner_id, mut unsafe_reference) = (0_usize, false, false, false);
        let (mut through_choices, mut counts_names, mut turned_around) = (false, false, false);
        let mut targets = HashSet::new();
        each_schema(schema, true, &mut |members, may_weaken| {
            for (keyword, value) in members {
                match (keyword.as_str(), value) {
                    ("$ref", Json::String(target)) => {
                        references = true;
                        unsafe_reference |= !keeps_its_target(target);
                        through_choices |= !passes_names_only(target);
                        turned_around |= !may_weaken;
                        targets.insert(target.clone());
                    }
                    ("$dynamicRef" | "$recursiveRef", _) => unsafe_reference = true,
                    // References below an inner `$id` (`id` in old drafts) start from there, not from the root.
                    ("$id", _) | ("id", Json::String(_)) => inner_id |= 0 < schemas,
                    // What these refuse depends on which other keywords saw a member.
                    ("unevaluatedProperties" | "unevaluatedItems", _) => counts_names = true,
                    _ => {}
                }
            }
            schemas += 1;
        });
        Self {
            stays_whole: unsafe_reference || (references && inner_id),
            // What is written in place could give a reference to nothing something to find.
            shape: !through_choices
                && !counts_names
                && all_arrive(schema, targets.iter().map(|target| steps_of(target)).collect()),
            weaken: !turned_around && !counts_names,
        }
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
        // One that only says that names are text is dropped.
        if !in_skeleton(keyword) || keyword == "propertyNames" {
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

/// Whether a pointer that keeps its target passes no choice and no list, whose places may change, and is spelled as we look it up.
fn passes_names_only(reference: &str) -> bool {
    if reference.contains('%') {
        return false;
    }
    let mut steps = reference.split('/').skip(1);
    while let Some(keyword) = steps.next() {
        match holds(keyword) {
            Holds::Named => {
                steps.next();
            }
            Holds::Schemas | Holds::Data if keyword == "items" || keyword == "additionalProperties" => {}
            Holds::Schemas | Holds::Data => return false,
        }
    }
    true
}

/// The steps of a pointer that passes names only, the next one last.
fn steps_of(reference: &str) -> Vec<String> {
    let mut steps: Vec<String> = reference.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
    steps.reverse();
    steps
}

/// Whether each of the pointers leads somewhere. They go down together, so that each object is looked through once.
fn all_arrive(from: &Json, pointers: Vec<Vec<String>>) -> bool {
    let mut next = HashMap::<String, Vec<Vec<String>>>::new();
    for mut pointer in pointers {
        if let Some(step) = pointer.pop() {
            next.entry(step).or_default().push(pointer);
        }
    }
    let members = if next.is_empty() { &[] } else { from.as_object().unwrap_or_default() };
    members.iter().all(|(name, value)| next.remove(name).is_none_or(|pointers| all_arrive(value, pointers))) && next.is_empty()
}

/// The same schema with definitions of one use written in place, and without those of none.
pub(super) fn in_place(schema: &Json) -> Json {
    let Json::Object(root) = schema else { return schema.clone() };
    let mut definitions = HashMap::new();
    for (keyword, value) in root.iter().filter(|(keyword, _)| is_store(keyword)) {
        for (name, definition) in value.as_object().unwrap_or_default() {
            let name = name.replace('~', "~0").replace('/', "~1");
            definitions.insert(format!("#/{keyword}/{name}"), definition);
        }
    }
    if definitions.is_empty() {
        return schema.clone();
    }
    let mut uses = HashMap::new();
    count_uses(schema, &mut uses);
    let reached_into = uses.keys().filter_map(|target| definition_of(target)).map(str::to_owned).collect();
    let mut writer = Writer { definitions, uses, reached_into, needed: HashSet::new(), queue: Vec::new() };
    let own = root.iter().filter(|(keyword, _)| !is_store(keyword)).cloned().collect();
    let mut out = match writer.schema(&Json::Object(own), 0) {
        Json::Object(members) => members,
        other => return other,
    };
    let mut kept = HashMap::new();
    while let Some(pointer) = writer.queue.pop() {
        if let Some(definition) = writer.definitions.get(&pointer).copied() {
            let written = writer.schema(definition, 3);
            kept.insert(pointer, written);
        }
    }
    for (keyword, value) in root.iter().filter(|(keyword, _)| is_store(keyword)) {
        let Some(named) = value.as_object() else {
            out.push((keyword.clone(), value.clone()));
            continue;
        };
        let still = named.iter().filter_map(|(name, _)| {
            let pointer = format!("#/{keyword}/{}", name.replace('~', "~0").replace('/', "~1"));
            kept.remove(&pointer).map(|definition| (name.clone(), definition))
        });
        let still: Vec<_> = still.collect();
        if !still.is_empty() {
            out.push((keyword.clone(), Json::Object(still)));
        }
    }
    Json::Object(out)
}

fn is_store(keyword: &str) -> bool {
    matches!(keyword, "$defs" | "definitions")
}

/// `#/$defs/A` of `#/$defs/A/properties/b`, which reaches into a definition.
fn definition_of(target: &str) -> Option<&str> {
    target.match_indices('/').nth(2).and_then(|(end, _)| target.get(..end))
}

/// How often each pointer is referred to, also from places that we know nothing of.
fn count_uses(value: &Json, uses: &mut HashMap<String, usize>) {
    match value {
        Json::Object(members) => {
            for (keyword, value) in members {
                match value {
                    Json::String(target) if keyword == "$ref" => *uses.entry(target.clone()).or_default() += 1,
                    value => count_uses(value, uses),
                }
            }
        }
        Json::Array(elements) => elements.iter().for_each(|element| count_uses(element, uses)),
        _ => {}
    }
}

struct Writer<'a> {
    definitions: HashMap<String, &'a Json>,
    uses: HashMap<String, usize>,
    /// Definitions with places that something refers to by their path.
    reached_into: HashSet<String>,
    /// Definitions that something written refers to.
    needed: HashSet<String>,
    queue: Vec<String>,
}

impl Writer<'_> {
    fn schema(&mut self, schema: &Json, depth: usize) -> Json {
        let Json::Object(members) = schema else { return schema.clone() };
        // A definition may be nothing but a reference to the next, a thousand times.
        let mut joined: Option<Vec<(String, Json)>> = None;
        while let Some(next) = self.once(joined.as_deref().unwrap_or(members), depth) {
            joined = Some(next);
        }
        let members = joined.as_deref().unwrap_or(members);
        Json::Object(members.iter().map(|(keyword, value)| (keyword.clone(), self.value(keyword, value, depth + 1))).collect())
    }

    fn value(&mut self, keyword: &str, value: &Json, depth: usize) -> Json {
        match (holds(keyword), value) {
            (Holds::Schemas, Json::Array(elements)) => {
                Json::Array(elements.iter().map(|element| self.schema(element, depth + 1)).collect())
            }
            (Holds::Schemas, single) => self.schema(single, depth),
            (Holds::Named, Json::Object(named)) => {
                let map = |(name, schema): &(String, Json)| (name.clone(), self.schema(schema, depth + 1));
                Json::Object(named.iter().map(map).collect())
            }
            (Holds::Named | Holds::Data, other) => {
                // A reference in a place that is none of a schema's still is one to its reader.
                let mut uses = HashMap::new();
                if keyword == "$ref" {
                    uses.extend(other.as_str().map(|target| (target.to_owned(), 1)));
                } else {
                    count_uses(other, &mut uses);
                }
                uses.into_keys().for_each(|target| self.need(&target));
                other.clone()
            }
        }
    }

    /// The definition with what stands beside its only reference, where that is possible.
    fn once(&self, members: &Members, depth: usize) -> Option<Vec<(String, Json)>> {
        let target = get(members, "$ref")?.as_str()?;
        let Json::Object(definition) = self.definitions.get(target)? else { return None };
        if self.uses.get(target) != Some(&1) || self.reached_into.contains(target) {
            return None;
        }
        // In old drafts what stands beside a reference is passed over, so only what constrains nothing may move; and of two
        // descriptions each may say what the other does not.
        let moves = |(keyword, _): &(String, Json)| is_annotation(keyword) && get(definition, keyword).is_none();
        let beside = members.iter().filter(|(keyword, _)| keyword != "$ref");
        // Definitions of its own would stand beside the root's.
        let holds_definitions = definition.iter().any(|(keyword, _)| is_store(keyword));
        if holds_definitions || !beside.clone().all(moves) || MAX_SCHEMA_DEPTH < depth + height(definition) {
            return None;
        }
        Some(definition.iter().chain(beside).cloned().collect())
    }

    fn need(&mut self, target: &str) {
        // `#/$defs/A/properties/b` needs the whole of `#/$defs/A`.
        let pointer = definition_of(target).unwrap_or(target);
        if self.definitions.contains_key(pointer) && self.needed.insert(pointer.to_owned()) {
            self.queue.push(pointer.to_owned());
        }
    }
}

/// How deep objects and arrays are nested in an object with these members.
fn height(members: &Members) -> usize {
    fn of(value: &Json) -> usize {
        match value {
            Json::Object(members) => height(members),
            Json::Array(elements) => 1 + elements.iter().map(of).max().unwrap_or(0),
            _ => 0,
        }
    }
    1 + members.iter().map(|(_, value)| of(value)).max().unwrap_or(0)
}
