//! From JSON Schema to a [`Shape`], or why it has none.
//!
//! References are followed and written out in place, `allOf` is joined, and what contains itself becomes a definition. What
//! narrows a value and has no counterpart is left out and noted; what would leave the model without a way to give an argument
//! at all (members of any name, values of any kind) is an obstacle, because a tool that silently lost a parameter is worse
//! than one whose schema the API does not enforce.

use std::collections::HashMap;

use super::conjunction::{Members, both, get};
use super::shape::{Definition, Kind, Losses, Node, Obstacle, Primitive, Property, Scalar, Shape};
use crate::compact::describe::tidy;
use crate::json::Json;

/// Schemas that are looked at: references are written out, and a few lines can be written out to millions.
const MAX_STEPS: usize = 10_000;
/// How deep values may be nested. The APIs stop long before, and so does the thread's stack.
const MAX_DEPTH: usize = 64;

type Read<T> = Result<T, Obstacle>;

/// Keywords that constrain nothing.
pub(super) fn is_annotation(keyword: &str) -> bool {
    match keyword {
        "$schema" | "$id" | "id" | "$comment" | "$anchor" | "$defs" | "definitions" | "title" | "description" | "default"
        | "examples" | "example" | "deprecated" | "readOnly" | "writeOnly" | "nullable" | "contentEncoding"
        | "contentMediaType" | "discriminator" | "externalDocs" | "xml" => true,
        other => other.starts_with("x-"),
    }
}

/// Reads the schema of a tool's arguments.
pub(super) fn shape(schema: &Json) -> Read<Shape> {
    let whole = Open { pointer: String::new(), definition: None };
    let mut reader = Reader {
        root: schema,
        open: vec![whole],
        known: HashMap::new(),
        definitions: Vec::new(),
        losses: Losses::default(),
        steps: 0,
    };
    let root = reader.whole(schema)?;
    let root_definition = reader.open.first().and_then(|open| open.definition);
    if let Some(slot) = root_definition.and_then(|place| reader.definitions.get_mut(place)) {
        slot.1 = Some(root.clone());
    }
    let definitions = reader.definitions.into_iter().map(|(name, node)| Some(Definition { name, node: node? }));
    let circle = || Obstacle::new("", "refers in a circle with no member or element between");
    let definitions = definitions.collect::<Option<Vec<_>>>().ok_or_else(circle)?;
    if goes_in_circles(&definitions) {
        return Err(circle());
    }
    Ok(Shape { root, definitions, root_definition, losses: reader.losses })
}

/// Whether a definition comes back to itself while still looking at the same value: no reader of such a schema ever ends.
fn goes_in_circles(definitions: &[Definition]) -> bool {
    let next = |place: usize| -> Vec<usize> {
        let Some(definition) = definitions.get(place) else { return Vec::new() };
        match &definition.node.kind {
            Kind::Recursive(to) => vec![*to],
            Kind::AnyOf(nodes) => {
                nodes.iter().filter_map(|node| if let Kind::Recursive(to) = node.kind { Some(to) } else { None }).collect()
            }
            Kind::Null | Kind::Scalar(_) | Kind::Object(_) | Kind::Array { .. } => Vec::new(),
        }
    };
    // Taking away what leads nowhere, again and again, leaves the circles.
    let mut open: Vec<usize> = (0..definitions.len()).collect();
    loop {
        let before = open.len();
        let still = |place: &usize| next(*place).iter().any(|to| open.contains(to));
        let left: Vec<usize> = open.iter().copied().filter(still).collect();
        if left.len() == before {
            return !left.is_empty();
        }
        open = left;
    }
}

/// A reference that is being followed.
struct Open {
    pointer: String,
    /// The definition that it became, because something in it refers to it.
    definition: Option<usize>,
}

struct Reader<'a> {
    root: &'a Json,
    open: Vec<Open>,
    /// Definitions by pointer.
    known: HashMap<String, usize>,
    definitions: Vec<(String, Option<Node>)>,
    losses: Losses,
    steps: usize,
}

impl Reader<'_> {
    fn whole(&mut self, schema: &Json) -> Read<Node> {
        let mut members = self.flat(schema, "", 0)?;
        for choice in ["anyOf", "oneOf"] {
            let Some(at) = members.iter().position(|(keyword, _)| keyword == choice) else { continue };
            let (_, branches) = members.remove(at);
            let own = get(&members, "properties").cloned().unwrap_or(Json::Object(Vec::new()));
            for branch in branches.as_array().unwrap_or_default() {
                let branch = self.flat(branch, "", 0)?;
                let names = get(&branch, "properties").and_then(Json::as_object).unwrap_or_default();
                if names.iter().any(|(name, _)| own.get(name).is_none()) {
                    return Err(Obstacle::new("", format!("is a choice of objects ({choice})")));
                }
            }
            self.losses.weakened.push(choice.to_owned());
        }
        let members = without(members, &["type"]);
        let kind = self.object(&members, "", 1)?;
        Ok(Node { description: None, is_nullable: false, kind })
    }

    fn node(&mut self, schema: &Json, at: &str, depth: usize) -> Read<Node> {
        self.steps += 1;
        if MAX_STEPS < self.steps {
            return Err(Obstacle::new(at, format!("has more than {MAX_STEPS} parts when its references are written out")));
        }
        if MAX_DEPTH < depth {
            return Err(Obstacle::new(at, format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        let members = match schema {
            Json::Object(members) => members,
            Json::Bool(true) => return Err(Obstacle::new(at, "takes values of any kind")),
            Json::Bool(false) => return Err(Obstacle::new(at, "takes no value")),
            other => return Err(Obstacle::new(at, format!("has {} for a schema", other.type_name()))),
        };
        if get(members, "$id").and_then(Json::as_str).is_some_and(|id| !id.starts_with('#')) {
            return Err(Obstacle::new(at, "has an $id of its own"));
        }
        let stands_alone = || members.iter().all(|(keyword, _)| keyword == "$ref" || is_annotation(keyword));
        if let Some(reference) = get(members, "$ref").and_then(Json::as_str).filter(|_| stands_alone()) {
            let mut node = self.follow(reference, at, depth)?;
            node.description = described(members).or(node.description);
            return Ok(node);
        }
        if has_any(members, &["$ref", "$dynamicRef", "$recursiveRef", "allOf"]) {
            let flat = Json::Object(self.flat(schema, at, 0)?);
            return self.node(&flat, at, depth);
        }
        for choice in ["anyOf", "oneOf"] {
            if let Some(branches) = get(members, choice).and_then(Json::as_array) {
                return self.choice(members, choice, branches, at, depth);
            }
        }
        self.plain(members, at, depth)
    }

    fn follow(&mut self, reference: &str, at: &str, depth: usize) -> Read<Node> {
        let pointer = pointer(reference).ok_or_else(|| Obstacle::new(at, format!("refers to {reference:?}")))?;
        let recursive = |place| Node { description: None, is_nullable: false, kind: Kind::Recursive(place) };
        if let Some(place) = self.known.get(pointer) {
            return Ok(recursive(*place));
        }
        if let Some(open) = self.open.iter_mut().find(|open| open.pointer == pointer) {
            let place = *open.definition.get_or_insert_with(|| {
                let name = unique_name(pointer, &self.definitions);
                self.definitions.push((name, None));
                self.definitions.len() - 1
            });
            return Ok(recursive(place));
        }
        let root = self.root;
        let target =
            resolve(root, pointer).ok_or_else(|| Obstacle::new(at, format!("refers to {reference:?}, which is not there")))?;
        self.open.push(Open { pointer: pointer.to_owned(), definition: None });
        let node = self.node(target, at, depth)?;
        let Some(place) = self.open.pop().and_then(|open| open.definition) else { return Ok(node) };
        if let Some(slot) = self.definitions.get_mut(place) {
            slot.1 = Some(node);
        }
        self.known.insert(pointer.to_owned(), place);
        Ok(recursive(place))
    }

    /// The members of `schema` with `$ref` and `allOf` joined in.
    fn flat(&mut self, schema: &Json, at: &str, depth: usize) -> Read<Members> {
        self.steps += 1;
        if MAX_DEPTH < depth || MAX_STEPS < self.steps {
            return Err(Obstacle::new(at, "joins parts (allOf, $ref) without end"));
        }
        let members = match schema {
            Json::Object(members) => members,
            Json::Bool(true) => return Ok(Vec::new()),
            other => return Err(Obstacle::new(at, format!("joins {} in", other.type_name()))),
        };
        if has_any(members, &["$dynamicRef", "$recursiveRef"]) {
            return Err(Obstacle::new(at, "refers to what depends on who asks ($dynamicRef)"));
        }
        let mut joined = without(members.clone(), &["$ref", "allOf"]);
        let mut parts = Vec::new();
        if let Some(reference) = get(members, "$ref") {
            let pointer =
                reference.as_str().and_then(pointer).ok_or_else(|| Obstacle::new(at, format!("refers to {reference}")))?;
            let target = resolve(self.root, pointer).cloned();
            parts.push(target.ok_or_else(|| Obstacle::new(at, format!("refers to {reference}, which is not there")))?);
        }
        match get(members, "allOf") {
            Some(Json::Array(all)) => parts.extend(all.iter().cloned()),
            Some(_) => return Err(Obstacle::new(at, "has an allOf that is no list")),
            None => {}
        }
        for part in parts {
            let part = self.flat(&part, at, depth + 1)?;
            let mut lost = Vec::new();
            joined = both(joined, part, at, &mut lost)?;
            self.losses.weakened.extend(lost.into_iter().map(|keyword| place(at, &keyword)));
        }
        Ok(joined)
    }

    fn choice(&mut self, members: &Members, key: &str, branches: &[Json], at: &str, depth: usize) -> Read<Node> {
        let base = without(members.clone(), &[key]);
        let constrains = base.iter().any(|(keyword, _)| !is_annotation(keyword));
        let says_which =
            |branch: &Json| branch.as_object().is_some_and(|m| m.iter().all(|(k, _)| k == "required" || is_annotation(k)));
        if constrains && branches.iter().all(says_which) {
            self.losses.weakened.push(place(at, key));
            return self.node(&Json::Object(base), at, depth);
        }
        let shared = Json::Object(base.into_iter().filter(|(keyword, _)| !is_annotation(keyword)).collect());
        let (mut nodes, mut nulls): (Vec<Node>, usize) = (Vec::new(), 0);
        for branch in branches.iter().filter(|branch| **branch != Json::Bool(false)) {
            let joined;
            let branch = if constrains {
                joined = super::conjunction::all_of(shared.clone(), branch.clone());
                &joined
            } else {
                branch
            };
            let node = self.node(branch, at, depth + 1)?;
            nulls += usize::from(node.is_nullable || node.kind == Kind::Null);
            match node.kind {
                Kind::Null => {}
                Kind::AnyOf(inner) => nodes.extend(inner),
                kind => nodes.push(Node { description: node.description, is_nullable: false, kind }),
            }
        }
        let exclusive = |(i, one): (usize, &Node)| nodes.iter().enumerate().all(|(j, other)| i == j || one.excludes(other));
        let is_nullable = 0 < nulls;
        if key == "oneOf" && (1 < nulls || !nodes.iter().enumerate().all(exclusive)) {
            self.losses.weakened.push(place(at, key));
        }
        let description = described(members);
        match nodes.len() {
            0 if is_nullable => Ok(Node { description, is_nullable: true, kind: Kind::Null }),
            0 => Err(Obstacle::new(at, "is a choice of nothing")),
            1 => {
                let only = nodes.swap_remove(0);
                Ok(Node { description: description.or(only.description), is_nullable, kind: only.kind })
            }
            _ => Ok(Node { description, is_nullable, kind: Kind::AnyOf(nodes) }),
        }
    }

    /// A schema without references, joins and choices.
    fn plain(&mut self, members: &Members, at: &str, depth: usize) -> Read<Node> {
        let choices = match (get(members, "const"), get(members, "enum")) {
            (Some(only), None) => Some(vec![only.clone()]),
            (Some(only), Some(Json::Array(values))) => {
                Some(values.iter().filter(|value| value.canonical() == only.canonical()).cloned().collect())
            }
            (None, Some(Json::Array(values))) => Some(values.clone()),
            (None, None) => None,
            (_, Some(_)) => return Err(Obstacle::new(at, "has an enum that is no list")),
        };
        let types = types(members, choices.as_deref(), at)?;
        let has_null = types.iter().any(|name| name == "null");
        let is_nullable = has_null && choices.as_ref().is_none_or(|choices| choices.contains(&Json::Null));
        let mut kinds = Vec::new();
        for name in types.iter().filter(|name| *name != "null") {
            // A number may be an integer already.
            if name == "integer" && types.iter().any(|other| other == "number") {
                continue;
            }
            kinds.extend(self.of_type(name, members, choices.as_deref(), at, depth)?);
        }
        self.losses.weakened.extend(
            ["not", "if"].into_iter().filter(|keyword| get(members, keyword).is_some()).map(|keyword| place(at, keyword)),
        );
        let description = described(members);
        match kinds.len() {
            0 if is_nullable => Ok(Node { description, is_nullable, kind: Kind::Null }),
            0 => Err(Obstacle::new(at, "takes no value")),
            1 => Ok(Node { description, is_nullable, kind: kinds.swap_remove(0) }),
            _ => {
                let node = |kind| Node { description: None, is_nullable: false, kind };
                Ok(Node { description, is_nullable, kind: Kind::AnyOf(kinds.into_iter().map(node).collect()) })
            }
        }
    }

    /// Nothing where the choices leave nothing of that type.
    fn of_type(&mut self, name: &str, members: &Members, choices: Option<&[Json]>, at: &str, depth: usize) -> Read<Option<Kind>> {
        if let Some(primitive) = Primitive::parse(name) {
            let choices: Option<Vec<Json>> =
                choices.map(|all| all.iter().filter(|value| primitive.takes(value)).cloned().collect());
            if choices.as_ref().is_some_and(Vec::is_empty) {
                return Ok(None);
            }
            let keywords: &[&str] = match primitive {
                Primitive::String => &["minLength", "maxLength", "pattern", "format"],
                Primitive::Number | Primitive::Integer => {
                    &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
                }
                Primitive::Boolean => &[],
            };
            let limits = self.limits(keywords, members, at);
            return Ok(Some(Kind::Scalar(Scalar { primitive, choices, limits })));
        }
        let is_listed = |value: &Json| match name {
            "object" => value.as_object().is_some(),
            _ => value.as_array().is_some(),
        };
        if let Some(choices) = choices {
            return if choices.iter().any(is_listed) { Err(Obstacle::new(at, "lists whole objects or lists")) } else { Ok(None) };
        }
        match name {
            "object" => self.object(members, at, depth).map(Some),
            "array" => self.array(members, at, depth).map(Some),
            unknown => Err(Obstacle::new(at, format!("is of the unknown type {unknown:?}"))),
        }
    }

    fn object(&mut self, members: &Members, at: &str, depth: usize) -> Read<Kind> {
        let named = get(members, "properties").and_then(Json::as_object).unwrap_or_default();
        let further = get(members, "additionalProperties");
        let has_patterns = get(members, "patternProperties").and_then(Json::as_object).is_some_and(|m| !m.is_empty());
        let takes_further = match further {
            None | Some(Json::Bool(false)) => has_patterns,
            Some(_) => true,
        };
        // Arguments without any name are a tool without parameters; a value of that kind is a map.
        let is_map = named.is_empty() && (takes_further || (further.is_none() && !at.is_empty()));
        if is_map || has_patterns || matches!(further, Some(Json::Object(schema)) if !schema.is_empty()) {
            return Err(Obstacle::new(at, "takes members of any name"));
        }
        if takes_further {
            self.losses.narrowed.push(place(at, "further members"));
        }
        let required = get(members, "required").and_then(Json::as_array).unwrap_or_default();
        let is_required = |name: &str| required.iter().any(|one| one.as_str() == Some(name));
        if let Some(name) = required.iter().filter_map(Json::as_str).find(|name| !named.iter().any(|(known, _)| known == name)) {
            return Err(Obstacle::new(at, format!("requires {name:?}, which it does not describe")));
        }
        for keyword in
            ["minProperties", "maxProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies"]
        {
            if get(members, keyword).is_some() {
                self.losses.weakened.push(place(at, keyword));
            }
        }
        let mut properties = Vec::with_capacity(named.len());
        for (name, schema) in named {
            let is_required = is_required(name);
            if *schema == Json::Bool(false) && !is_required {
                continue;
            }
            let at = place(at, name);
            let null_is_default = schema.get("default") == Some(&Json::Null);
            let node = self.node(schema, &at, depth + 1)?;
            properties.push(Property { name: name.clone(), node, is_required, null_is_default });
        }
        Ok(Kind::Object(properties))
    }

    fn array(&mut self, members: &Members, at: &str, depth: usize) -> Read<Kind> {
        let items = match get(members, "items") {
            Some(items @ Json::Object(_)) if get(members, "prefixItems").is_none() => items,
            Some(Json::Array(_)) => return Err(Obstacle::new(at, "describes its elements by their place")),
            _ if get(members, "prefixItems").is_some() => return Err(Obstacle::new(at, "describes its elements by their place")),
            Some(_) | None => return Err(Obstacle::new(at, "takes elements of any kind")),
        };
        for keyword in ["uniqueItems", "contains"] {
            if get(members, keyword).is_some_and(|value| *value != Json::Bool(false)) {
                self.losses.weakened.push(place(at, keyword));
            }
        }
        let items = Box::new(self.node(items, &format!("{at}[]"), depth + 1)?);
        Ok(Kind::Array { items, limits: self.limits(&["minItems", "maxItems"], members, at) })
    }

    /// The members that are such limits; in another dialect's form they are lost.
    fn limits(&mut self, keywords: &[&str], members: &Members, at: &str) -> Vec<(String, Json)> {
        let mut limits = Vec::new();
        for (keyword, value) in members.iter().filter(|(keyword, _)| keywords.contains(&keyword.as_str())) {
            let fits = match keyword.as_str() {
                "pattern" | "format" => value.as_str().is_some(),
                _ => matches!(value, Json::Number(_)),
            };
            if fits {
                limits.push((keyword.clone(), value.clone()));
            } else if *value != Json::Bool(false) {
                self.losses.weakened.push(place(at, keyword));
            }
        }
        limits
    }
}

/// The names of `type`, or what the keywords say of it.
fn types(members: &Members, choices: Option<&[Json]>, at: &str) -> Read<Vec<String>> {
    match get(members, "type") {
        Some(Json::String(name)) => return Ok(vec![name.clone()]),
        Some(Json::Array(names)) => {
            let names: Option<Vec<String>> = names.iter().map(|name| name.as_str().map(str::to_owned)).collect();
            return names.ok_or_else(|| Obstacle::new(at, "has a type that is no name"));
        }
        Some(_) => return Err(Obstacle::new(at, "has a type that is no name")),
        None => {}
    }
    if let Some(choices) = choices {
        let mut names: Vec<&str> = Vec::new();
        for choice in choices {
            let name = match choice {
                Json::Null => "null",
                Json::Bool(_) => "boolean",
                Json::Number(_) if Primitive::Integer.takes(choice) => "integer",
                Json::Number(_) => "number",
                Json::String(_) => "string",
                Json::Array(_) => "array",
                Json::Object(_) => "object",
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        return Ok(names.into_iter().map(str::to_owned).collect());
    }
    let says: [(&str, &[&str]); 4] = [
        ("object", &["properties", "required", "additionalProperties", "patternProperties"]),
        ("array", &["items", "prefixItems", "minItems", "maxItems"]),
        ("string", &["pattern", "format", "minLength", "maxLength"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let said = says.iter().find(|(_, keywords)| has_any(members, keywords));
    said.map(|(name, _)| vec![(*name).to_owned()]).ok_or_else(|| Obstacle::new(at, "takes values of any kind"))
}

/// The description, with the default when it is short: the model cannot leave an argument out to learn what happens.
fn described(members: &Members) -> Option<String> {
    const SHORT: usize = 40;
    let text = get(members, "description").and_then(Json::as_str).map(|text| tidy(text).into_owned()).unwrap_or_default();
    let default = get(members, "default").filter(|value| !matches!(value, Json::Null | Json::Array(_) | Json::Object(_)));
    let default =
        default.map(ToString::to_string).filter(|value| value.len() <= SHORT && !text.contains(value.trim_matches('"')));
    let text = match default {
        Some(default) if text.is_empty() => format!("Default: {default}."),
        Some(default) => format!("{text} Default: {default}."),
        None => text,
    };
    (!text.is_empty()).then_some(text)
}

fn has_any(members: &Members, keywords: &[&str]) -> bool {
    members.iter().any(|(keyword, _)| keywords.contains(&keyword.as_str()))
}

fn without(mut members: Members, keywords: &[&str]) -> Members {
    members.retain(|(keyword, _)| !keywords.contains(&keyword.as_str()));
    members
}

/// `filter` and `tags` are `filter.tags`.
fn place(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// What stands behind `#` where that is a pointer into the document.
fn pointer(reference: &str) -> Option<&str> {
    reference.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))
}

fn resolve<'a>(root: &'a Json, pointer: &str) -> Option<&'a Json> {
    pointer.split('/').skip(1).try_fold(root, |json, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match json {
            Json::Array(elements) => elements.get(step.parse::<usize>().ok()?),
            other => other.get(&step),
        }
    })
}

/// The last step of the pointer, in letters that every reader of pointers takes, and not taken yet.
fn unique_name(pointer: &str, taken: &[(String, Option<Node>)]) -> String {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    let mut name: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if name.is_empty() {
        name.push_str("part");
    }
    while taken.iter().any(|(other, _)| *other == name) {
        name.push('_');
    }
    name
}
