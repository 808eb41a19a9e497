//! OpenAI's `strict`: schemas that its decoder enforces, and the way back from what the model then sends.
//!
//! Every member has to be required there, so one that may be left out is shown as one that may be `null`, and a `null` that
//! comes back stands for "left out". Where the publisher takes `null` as well, the two cannot be told apart any more, and
//! leaving out is the reading that changes nothing at the other end.

use super::shape::{Kind, Losses, Node, Obstacle, Property, Shape};
use super::{Detail, array, object, text};
use crate::json::Json;

/// Formats that the decoder knows.
pub(super) const FORMATS: [&str; 9] = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
/// Looks at parts of a value: a choice that contains itself can be looked at in exponentially many ways.
const MAX_LOOKS: usize = 100_000;

/// The schema as the decoder takes it; what it cannot say goes to `losses`.
pub(super) fn write(shape: &Shape, detail: Detail, losses: &mut Losses) -> Json {
    let mut writer = Writer { shape, detail, losses };
    let Json::Object(mut members) = writer.node(&shape.root, "", false) else { return Json::Null };
    let others = shape.definitions.iter().enumerate().filter(|(place, _)| Some(*place) != shape.root_definition);
    let others: Vec<(String, Json)> =
        others.map(|(_, definition)| (definition.name.clone(), writer.node(&definition.node, &definition.name, false))).collect();
    if !others.is_empty() {
        members.push(("$defs".to_owned(), Json::Object(others)));
    }
    Json::Object(members)
}

struct Writer<'a> {
    shape: &'a Shape,
    detail: Detail,
    losses: &'a mut Losses,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node, at: &str, may_be_left_out: bool) -> Json {
        let takes_null = node.is_nullable || may_be_left_out;
        let description = node.description.as_deref().filter(|_| self.detail == Detail::Full).map(|d| ("description", text(d)));
        let null = || object([("type", text("null"))]);
        let inner = match &node.kind {
            Kind::Null => vec![("type", text("null"))],
            Kind::Scalar(scalar) => {
                let name = text(scalar.primitive.name());
                let mut members = vec![("type", if takes_null { array([name, text("null")]) } else { name })];
                if let Some(choices) = &scalar.choices {
                    let null = takes_null.then_some(Json::Null);
                    members.push(("enum", Json::Array(choices.iter().cloned().chain(null).collect())));
                }
                members.extend(description);
                let mut members = object(members);
                self.limits(&scalar.limits, at, &mut members);
                return members;
            }
            Kind::Object(properties) => self.object(properties, at),
            Kind::Array { items, limits } => {
                let mut members = object([("type", text("array")), ("items", self.node(items, &format!("{at}[]"), false))]);
                self.limits(limits, at, &mut members);
                return wrapped(members, description, takes_null);
            }
            Kind::AnyOf(nodes) => {
                for (i, node) in nodes.iter().enumerate() {
                    if nodes.iter().skip(i + 1).any(|other| node.is_mistakable_for(other)) {
                        self.losses.weakened.push(if at.is_empty() { "anyOf".to_owned() } else { format!("{at}.anyOf") });
                        break;
                    }
                }
                let nodes = nodes.iter().map(|node| self.node(node, at, false)).collect::<Vec<_>>();
                let choices = Json::Array(nodes.into_iter().chain(takes_null.then(null)).collect());
                return object(description.into_iter().chain([("anyOf", choices)]));
            }
            Kind::Recursive(place) => {
                let name = self.shape.definitions.get(*place).map(|d| d.name.as_str()).unwrap_or_default();
                let is_root = Some(*place) == self.shape.root_definition;
                let target = if is_root { "#".to_owned() } else { format!("#/$defs/{name}") };
                // The decoder takes nothing beside a reference.
                let reference = object([("$ref", text(&target))]);
                return if takes_null { wrapped(reference, description, true) } else { reference };
            }
        };
        wrapped(object(inner), description, takes_null && node.kind != Kind::Null)
    }

    fn object(&mut self, properties: &[Property], at: &str) -> Vec<(&'static str, Json)> {
        let mut named = Vec::with_capacity(properties.len());
        for property in properties {
            let at = if at.is_empty() { property.name.clone() } else { format!("{at}.{}", property.name) };
            if !property.is_required && !property.null_is_default && self.shape.takes_null(&property.node) {
                self.losses.narrowed.push(format!("{at}: null, which stands for leaving it out"));
            }
            named.push((property.name.clone(), self.node(&property.node, &at, !property.is_required)));
        }
        let required = properties.iter().map(|property| text(&property.name)).collect();
        vec![
            ("type", text("object")),
            ("properties", Json::Object(named)),
            ("required", Json::Array(required)),
            ("additionalProperties", Json::Bool(false)),
        ]
    }

    fn limits(&mut self, limits: &[(String, Json)], at: &str, members: &mut Json) {
        let Json::Object(members) = members else { return };
        for (keyword, value) in limits {
            let is_known = match keyword.as_str() {
                "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
                // Groups that look around are not in the decoder's dialect, nor is much else that starts so.
                "pattern" => value.as_str().is_some_and(|pattern| !pattern.contains("(?")),
                "minLength" | "maxLength" => false,
                _ => true,
            };
            if is_known && self.detail == Detail::Full {
                members.push((keyword.clone(), value.clone()));
            } else if !is_known {
                self.losses.weakened.push(if at.is_empty() { keyword.clone() } else { format!("{at}.{keyword}") });
            }
        }
    }
}

/// With its description, and with `null` beside it where that will do as well.
fn wrapped(schema: Json, description: Option<(&'static str, Json)>, takes_null: bool) -> Json {
    if takes_null {
        let null = object([("type", text("null"))]);
        return object(description.into_iter().chain([("anyOf", array([schema, null]))]));
    }
    let Json::Object(mut members) = schema else { return schema };
    members.extend(description.map(|(key, value)| (key.to_owned(), value)));
    Json::Object(members)
}

/// `arguments`, made for what [`write()`] wrote, as the publisher's schema has them: a `null` that stands for "left out" is left
/// out. What was not made for that schema stays as it is.
pub(super) fn restore(shape: &Shape, arguments: &Json) -> Result<Json, Obstacle> {
    let mut restorer = Restorer { shape, looks: 0 };
    restorer.value(&shape.root, arguments)
}

struct Restorer<'a> {
    shape: &'a Shape,
    looks: usize,
}

impl Restorer<'_> {
    fn value(&mut self, node: &Node, value: &Json) -> Result<Json, Obstacle> {
        match (&node.kind, value) {
            (Kind::Object(properties), Json::Object(members)) => {
                let mut kept = Vec::with_capacity(members.len());
                for (name, value) in members {
                    let restored = match properties.iter().find(|property| property.name == *name) {
                        Some(property) if *value == Json::Null && !property.is_required => continue,
                        Some(property) => self.value(&property.node, value)?,
                        None => value.clone(),
                    };
                    kept.push((name.clone(), restored));
                }
                Ok(Json::Object(kept))
            }
            (Kind::Array { items, .. }, Json::Array(elements)) => {
                Ok(Json::Array(elements.iter().map(|element| self.value(items, element)).collect::<Result<_, _>>()?))
            }
            (Kind::AnyOf(nodes), value) => {
                // As it was made first; then without what a model forgot.
                for is_exact in [true, false] {
                    for node in nodes {
                        if self.takes(node, value, is_exact)? {
                            return self.value(node, value);
                        }
                    }
                }
                Ok(value.clone())
            }
            (Kind::Recursive(place), value) => match self.shape.definitions.get(*place) {
                Some(definition) => {
                    self.look()?;
                    self.value(&definition.node, value)
                }
                None => Ok(value.clone()),
            },
            (Kind::Null | Kind::Scalar(_) | Kind::Object(_) | Kind::Array { .. }, value) => Ok(value.clone()),
        }
    }

    fn look(&mut self) -> Result<(), Obstacle> {
        self.looks += 1;
        if MAX_LOOKS < self.looks { Err(Obstacle::new("", "can be read in too many ways")) } else { Ok(()) }
    }

    /// Whether `value` is one of `node`, limits aside. Not `is_exact`: members that may be left out may be missing.
    fn takes(&mut self, node: &Node, value: &Json, is_exact: bool) -> Result<bool, Obstacle> {
        self.look()?;
        if *value == Json::Null {
            return Ok(self.shape.takes_null(node));
        }
        match (&node.kind, value) {
            (Kind::Scalar(scalar), value) => {
                let is_choice = |choices: &Vec<Json>| choices.iter().any(|choice| choice.canonical() == value.canonical());
                Ok(scalar.primitive.takes(value) && scalar.choices.as_ref().is_none_or(is_choice))
            }
            (Kind::Object(properties), Json::Object(members)) => {
                if members.iter().any(|(name, _)| !properties.iter().any(|property| property.name == *name)) {
                    return Ok(false);
                }
                for property in properties {
                    let fits = match value.get(&property.name) {
                        None => !is_exact && !property.is_required,
                        Some(Json::Null) if !property.is_required => true,
                        Some(value) => self.takes(&property.node, value, is_exact)?,
                    };
                    if !fits {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Kind::Array { items, .. }, Json::Array(elements)) => {
                for element in elements {
                    if !self.takes(items, element, is_exact)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Kind::AnyOf(nodes), value) => {
                for node in nodes {
                    if self.takes(node, value, is_exact)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (Kind::Recursive(place), value) => match self.shape.definitions.get(*place) {
                Some(definition) => self.takes(&definition.node, value, is_exact),
                None => Ok(false),
            },
            (Kind::Null | Kind::Object(_) | Kind::Array { .. }, _) => Ok(false),
        }
    }
}
