//! Parameters as a model reads them: the type expressions of TypeScript, which every model has seen more of than of anything else.

use std::cell::Cell;
use std::collections::HashSet;

use super::one_line;
use crate::json::Json;

/// Shown values of an enum; a longer one shows the first two and how many there are.
const ENUM_VALUES: usize = 5;
/// Longest shown value, in bytes of JSON.
const LONGEST_VALUE: usize = 40;
/// How deep objects are shown within a parameter's type.
const DEPTH: usize = 1;
/// References followed on the way to one type; a cycle ends here.
const HOPS: usize = 8;
/// Members of a nested object that are shown; required ones are always, as long as the object is.
const MEMBERS: usize = 4;
/// Ways of a choice that are shown.
const WAYS: usize = 4;
/// Parameters that are shown, required ones always.
const PARAMETERS: usize = 8;
/// Bytes of shown parameters beyond which optional ones are left out.
const BYTES: usize = 160;
/// Schemas that are looked at for one line: a few lines of choices that refer to each other are millions of ways.
const MAX_STEPS: usize = 20_000;
/// What cannot be shown shortly, or not at all.
const ELIDED: &str = "{…}";

/// What is read, and how much of it was looked at.
struct Context<'a> {
    root: &'a Json,
    steps: Cell<usize>,
}

impl Context<'_> {
    /// Counts what is about to be looked at; `false` when that would be too much. The whole is always looked at once.
    fn may_look_at(&self, schemas: usize) -> bool {
        let before = self.steps.replace(self.steps.get().saturating_add(schemas));
        before == 0 || before < MAX_STEPS
    }
}

/// Those of one object, in the order of the publisher.
#[derive(Default)]
struct Parameters<'a> {
    named: Vec<(&'a str, Option<&'a Json>)>,
    known: HashSet<&'a str>,
    required: HashSet<&'a str>,
}

/// `path: string, depth?: integer`
pub(super) fn parameters(schema: &Json) -> String {
    let mut all = Parameters::default();
    let cx = Context { root: schema, steps: Cell::new(0) };
    all.collect(&cx, schema, 0);
    listed(&cx, &all, 0, PARAMETERS, BYTES)
}

fn listed(cx: &Context<'_>, all: &Parameters<'_>, depth: usize, most: usize, bytes: usize) -> String {
    let mut out = String::new();
    let write = |name: &str, mark: &str, schema: Option<&Json>| {
        let kind = schema.map_or_else(|| "any".to_owned(), |schema| type_of(cx, schema, depth, 0));
        format!("{}{mark}: {kind}", shown_name(name))
    };
    let append = |out: &mut String, text: &str| {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(text);
    };
    let is_required = |name: &str| all.required.contains(name);
    let mut shown = 0;
    for (name, schema) in all.named.iter().filter(|(name, _)| is_required(name)) {
        append(&mut out, &write(name, "", *schema));
        shown += 1;
    }
    let mut elided = 0_usize;
    for (name, schema) in all.named.iter().filter(|(name, _)| !is_required(name)) {
        let text = if shown < most && elided == 0 { write(name, "?", *schema) } else { String::new() };
        if text.is_empty() || bytes < out.len() + text.len() {
            elided += 1;
        } else {
            append(&mut out, &text);
            shown += 1;
        }
    }
    if 0 < elided {
        append(&mut out, &format!("…+{elided} optional"));
    }
    out
}

impl<'a> Parameters<'a> {
    /// Those of `schema`, of what it refers to, and of what it joins or chooses from.
    fn collect(&mut self, cx: &Context<'a>, schema: &'a Json, hops: usize) {
        let members = schema.get("properties").and_then(Json::as_object).unwrap_or_default();
        if HOPS < hops || !cx.may_look_at(1 + members.len()) {
            return;
        }
        for (name, schema) in members {
            self.add(name, Some(schema));
        }
        for name in schema.get("required").and_then(Json::as_array).unwrap_or_default().iter().filter_map(Json::as_str) {
            self.required.insert(name);
            self.add(name, None);
        }
        if let Some(target) = schema.get("$ref").and_then(Json::as_str).and_then(|target| resolve(cx.root, target)) {
            self.collect(cx, target, hops + 1);
        }
        for part in schema.get("allOf").and_then(Json::as_array).unwrap_or_default() {
            self.collect(cx, part, hops + 1);
        }
        for choice in ["anyOf", "oneOf"] {
            let mut ways = schema.get(choice).and_then(Json::as_array).unwrap_or_default().iter();
            // Each way may name its own; what all of them require is required.
            let way = |way: &'a Json| {
                let mut own = Self::default();
                own.collect(cx, way, hops + 1);
                own
            };
            let Some(mut first) = ways.next().map(way) else { continue };
            for other in ways.map(way) {
                first.required.retain(|name| other.required.contains(name));
                other.named.into_iter().for_each(|(name, schema)| first.add(name, schema));
            }
            self.required.extend(&first.required);
            first.named.into_iter().for_each(|(name, schema)| self.add(name, schema));
        }
    }

    fn add(&mut self, name: &'a str, schema: Option<&'a Json>) {
        if self.known.insert(name) {
            self.named.push((name, schema));
        } else if schema.is_some() {
            // A name that was only required until now.
            if let Some(slot) = self.named.iter_mut().rev().find(|(known, slot)| *known == name && slot.is_none()) {
                slot.1 = schema;
            }
        }
    }
}

/// A name as it is, or in quotes where it could be read as something else.
fn shown_name(name: &str) -> String {
    let is_plain =
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.' | '@' | '/'));
    if is_plain { name.to_owned() } else { one_line(&Json::String(name.to_owned()).to_string()) }
}

fn resolve<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    let pointer = reference.strip_prefix('#')?;
    pointer.split('/').skip(1).try_fold(root, |json, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match json {
            Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
            other => other.get(&step),
        }
    })
}

fn type_of(cx: &Context<'_>, schema: &Json, depth: usize, hops: usize) -> String {
    if HOPS < hops || !cx.may_look_at(1) {
        return ELIDED.to_owned();
    }
    let members = match schema {
        Json::Bool(false) => return "never".to_owned(),
        Json::Object(members) => members,
        _ => return "any".to_owned(),
    };
    let get = |keyword: &str| members.iter().find(|(key, _)| key == keyword).map(|(_, value)| value);
    if let Some(value) = get("const") {
        return values(std::slice::from_ref(value));
    }
    if let Some(Json::Array(several)) = get("enum") {
        return values(several);
    }
    if let Some(Json::String(target)) = get("$ref") {
        return resolve(cx.root, target).map_or_else(|| ELIDED.to_owned(), |target| type_of(cx, target, depth, hops + 1));
    }
    match get("type") {
        Some(Json::Array(kinds)) => {
            return union(kinds.iter().filter_map(Json::as_str).map(|kind| named(cx, schema, kind, depth, hops)));
        }
        Some(Json::String(kind)) => return named(cx, schema, kind, depth, hops),
        _ => {}
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(Json::Array(ways)) = get(choice) {
            return union(ways.iter().take(WAYS + 1).map(|way| type_of(cx, way, depth, hops + 1)));
        }
    }
    if let Some(Json::Array(parts)) = get("allOf") {
        return match parts.as_slice() {
            [only] => type_of(cx, only, depth, hops + 1),
            _ => ELIDED.to_owned(),
        };
    }
    if get("properties").is_some() {
        named(cx, schema, "object", depth, hops)
    } else if get("items").is_some() {
        named(cx, schema, "array", depth, hops)
    } else {
        "any".to_owned()
    }
}

fn named(cx: &Context<'_>, schema: &Json, kind: &str, depth: usize, hops: usize) -> String {
    match kind {
        "array" => match schema.get("items") {
            None | Some(Json::Array(_)) => "any[]".to_owned(),
            Some(items) => {
                let items = type_of(cx, items, depth, hops + 1);
                if items.contains('|') && !items.starts_with('{') { format!("({items})[]") } else { format!("{items}[]") }
            }
        },
        "object" => {
            let mut all = Parameters::default();
            all.collect(cx, schema, hops);
            if all.named.is_empty() {
                "object".to_owned()
            } else if DEPTH <= depth || MEMBERS < all.named.len() {
                ELIDED.to_owned()
            } else {
                format!("{{{}}}", listed(cx, &all, depth + 1, MEMBERS, usize::MAX))
            }
        }
        "string" | "number" | "integer" | "boolean" | "null" => kind.to_owned(),
        other => one_line(other),
    }
}

fn union(ways: impl Iterator<Item = String>) -> String {
    let mut out: Vec<String> = Vec::new();
    for way in ways {
        if !out.contains(&way) {
            out.push(way);
        }
    }
    if WAYS < out.len() {
        out.truncate(WAYS);
        out.push("…".to_owned());
    }
    if out.is_empty() { "any".to_owned() } else { out.join("|") }
}

/// `"a"|"b"`, or `"a"|"b"|…(37)`.
fn values(all: &[Json]) -> String {
    let most = if all.len() <= ENUM_VALUES { ENUM_VALUES } else { 2 };
    let shown = all.iter().take(most).map(|value| one_line(&value.to_string())).filter(|value| value.len() <= LONGEST_VALUE);
    let mut shown: Vec<String> = shown.collect();
    if shown.len() < all.len() {
        shown.push(format!("…({})", all.len()));
    }
    if shown.is_empty() { "never".to_owned() } else { shown.join("|") }
}
