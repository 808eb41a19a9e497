//! The subset of OpenAPI 3.0 that `parameters` of a Gemini function declaration takes.
//!
//! There is no reference, so what contains itself is written out once and cut where it would begin again: the member that would
//! hold it goes, and where it cannot go the schema has no such form. A choice stands alone, so its description moves into its
//! branches. Enums are of texts only; other values are told in the description.

use super::shape::{Kind, Losses, Node, Obstacle, Primitive, Property, Scalar, Shape};
use super::{Detail, array, object, text};
use crate::json::Json;

/// Parts that are written: what contains itself twice doubles with every level.
const MAX_PARTS: usize = 5_000;

/// Formats by type.
pub(super) fn is_format(primitive: &str, format: &str) -> bool {
    match primitive {
        "string" => format == "date-time",
        "number" => matches!(format, "float" | "double"),
        "integer" => matches!(format, "int32" | "int64"),
        _ => false,
    }
}

/// Whether a parameter may have that name.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The schema as `parameters` takes it; what it cannot say goes to `losses`.
pub(super) fn write(shape: &Shape, detail: Detail, losses: &mut Losses) -> Result<Json, Obstacle> {
    let mut writer = Writer { shape, detail, losses, open: Vec::new(), parts: 0 };
    if let Some(whole) = shape.root_definition {
        writer.open.push(whole);
    }
    match writer.node(&shape.root, "")? {
        Some(schema) => Ok(schema),
        None => Err(Obstacle::new("", "contains itself")),
    }
}

struct Writer<'a> {
    shape: &'a Shape,
    detail: Detail,
    losses: &'a mut Losses,
    /// Definitions that are being written.
    open: Vec<usize>,
    parts: usize,
}

impl Writer<'_> {
    /// Nothing where the part would begin again.
    fn node(&mut self, node: &Node, at: &str) -> Result<Option<Json>, Obstacle> {
        self.parts += 1;
        if MAX_PARTS < self.parts {
            return Err(Obstacle::new(at, format!("has more than {MAX_PARTS} parts when it is written out")));
        }
        let mut members = match &node.kind {
            Kind::Null => return Err(Obstacle::new(at, "takes nothing but null")),
            Kind::Scalar(scalar) => self.scalar(scalar, node.description.as_deref(), at)?,
            Kind::Object(properties) => match self.object(properties, at)? {
                Some(members) => members,
                None => return Ok(None),
            },
            Kind::Array { items, limits } => {
                let Some(items) = self.node(items, &format!("{at}[]"))? else { return Ok(None) };
                let mut members = vec![("type", text("array")), ("items", items)];
                self.limits("array", limits, at, &mut members);
                members
            }
            Kind::AnyOf(nodes) => return self.choice(nodes, node, at),
            Kind::Recursive(place) => {
                let Some(definition) = self.shape.definitions.get(*place) else { return Ok(None) };
                if self.open.contains(place) {
                    self.losses.narrowed.push(format!("{at}: another level of {}", definition.name));
                    return Ok(None);
                }
                self.open.push(*place);
                let inner = Node {
                    description: node.description.clone().or_else(|| definition.node.description.clone()),
                    is_nullable: node.is_nullable || definition.node.is_nullable,
                    kind: definition.node.kind.clone(),
                };
                let written = self.node(&inner, at);
                self.open.pop();
                return written;
            }
        };
        let has_description = members.iter().any(|(key, _)| *key == "description");
        if let Some(description) = node.description.as_deref().filter(|_| self.detail == Detail::Full && !has_description) {
            members.push(("description", text(description)));
        }
        if node.is_nullable {
            members.push(("nullable", Json::Bool(true)));
        }
        Ok(Some(object(members)))
    }

    fn choice(&mut self, nodes: &[Node], whole: &Node, at: &str) -> Result<Option<Json>, Obstacle> {
        let mut written = Vec::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            let branch = Node {
                description: node.description.clone().or_else(|| whole.description.clone().filter(|_| i == 0)),
                is_nullable: whole.is_nullable || node.is_nullable,
                kind: node.kind.clone(),
            };
            written.extend(self.node(&branch, at)?);
        }
        Ok(if written.len() < 2 { written.pop() } else { Some(object([("anyOf", Json::Array(written))])) })
    }

    fn object(&mut self, properties: &[Property], at: &str) -> Result<Option<Vec<(&'static str, Json)>>, Obstacle> {
        let (mut named, mut required) = (Vec::with_capacity(properties.len()), Vec::new());
        for property in properties {
            let at = if at.is_empty() { property.name.clone() } else { format!("{at}.{}", property.name) };
            if !is_name(&property.name) {
                return Err(Obstacle::new(
                    &at,
                    "is no name for a parameter: a letter or _, then letters, digits and _, 64 at most",
                ));
            }
            match self.node(&property.node, &at)? {
                Some(schema) => {
                    named.push((property.name.clone(), schema));
                    required.extend(property.is_required.then(|| text(&property.name)));
                }
                None if property.is_required => return Ok(None),
                None => {}
            }
        }
        if named.is_empty() && !at.is_empty() {
            return Err(Obstacle::new(at, "is an object without members"));
        }
        let mut members = vec![("type", text("object")), ("properties", Json::Object(named))];
        if !required.is_empty() {
            members.push(("required", Json::Array(required)));
        }
        Ok(Some(members))
    }

    fn scalar(&mut self, scalar: &Scalar, description: Option<&str>, at: &str) -> Result<Vec<(&'static str, Json)>, Obstacle> {
        let primitive = scalar.primitive.name();
        let mut members = vec![("type", text(primitive))];
        if let Some(choices) = &scalar.choices {
            if scalar.primitive == Primitive::String {
                let said: Vec<Json> = choices.iter().filter(|choice| choice.as_str() != Some("")).cloned().collect();
                if said.is_empty() {
                    return Err(Obstacle::new(at, "takes nothing but the empty text"));
                }
                if said.len() < choices.len() {
                    self.losses.narrowed.push(format!("{at}: the empty text"));
                }
                members.extend([("format", text("enum")), ("enum", Json::Array(said))]);
            } else {
                self.losses.weakened.push(format!("{at}.enum"));
                let all = array(choices.iter().cloned()).to_string();
                let one_of = format!("One of {}.", all.trim_matches(['[', ']']).replace(',', ", "));
                let told = description.map_or(one_of.clone(), |description| format!("{description} {one_of}"));
                members.push(("description", text(&told)));
            }
        }
        self.limits(primitive, &scalar.limits, at, &mut members);
        Ok(members)
    }

    fn limits(&mut self, kind: &str, limits: &[(String, Json)], at: &str, members: &mut Vec<(&'static str, Json)>) {
        const KNOWN: [&str; 7] = ["minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "pattern"];
        for (keyword, value) in limits {
            let known = match keyword.as_str() {
                "format" => {
                    let has_format = members.iter().any(|(key, _)| *key == "format");
                    (!has_format && value.as_str().is_some_and(|format| is_format(kind, format))).then_some("format")
                }
                other => KNOWN.into_iter().find(|known| *known == other),
            };
            match known {
                Some(keyword) if self.detail == Detail::Full => members.push((keyword, value.clone())),
                Some(_) => {}
                None => self.losses.weakened.push(format!("{at}.{keyword}")),
            }
        }
    }
}
