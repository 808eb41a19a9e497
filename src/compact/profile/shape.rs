//! What a schema asks for, as far as model APIs can be told: named members, lists, choices, primitives.
//!
//! The profiles are written from this and not from JSON Schema itself, whose keywords mean something only together. Every part
//! is a conjunction, so leaving a constraint out makes a schema take more, never less; what was left out is remembered, and so
//! is what can no longer be said.

use crate::json::Json;

/// Arguments of one tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Its kind is [`Kind::Object`].
    pub(super) root: Node,
    /// Parts that contain themselves.
    pub(super) definitions: Vec<Definition>,
    /// Which of them the whole is, where a part refers to that.
    pub(super) root_definition: Option<usize>,
    /// What reading it cost.
    pub(super) losses: Losses,
}

/// A part that contains itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// Unique among them.
    pub(super) name: String,
    pub(super) node: Node,
}

/// What one value has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) description: Option<String>,
    /// Whether `null` will do as well.
    pub(super) is_nullable: bool,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but `null`.
    Null,
    Scalar(Scalar),
    Object(Vec<Property>),
    Array {
        items: Box<Node>,
        limits: Vec<(String, Json)>,
    },
    /// At least one of these, none of which is a choice itself.
    AnyOf(Vec<Node>),
    /// As [`Shape::definitions`] has it at this place.
    Recursive(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) primitive: Primitive,
    /// The only values, none of them `null`.
    pub(super) choices: Option<Vec<Json>>,
    /// `pattern`, `maximum` and the like, as they were written.
    pub(super) limits: Vec<(String, Json)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Primitive {
    String,
    Number,
    Integer,
    Boolean,
}

impl Primitive {
    /// As `type` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::String, Self::Number, Self::Integer, Self::Boolean].into_iter().find(|primitive| primitive.name() == name)
    }

    /// Whether `value` is one.
    pub(super) fn takes(self, value: &Json) -> bool {
        match (self, value) {
            (Self::String, Json::String(_)) | (Self::Boolean, Json::Bool(_)) | (Self::Number, Json::Number(_)) => true,
            // `1.0` is an integer as well.
            (Self::Integer, Json::Number(_)) => !value.canonical().contains("e-"),
            (Self::String | Self::Boolean | Self::Number | Self::Integer, _) => false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) node: Node,
    pub(super) is_required: bool,
    /// Whether the publisher says that leaving it out is the same as `null`.
    pub(super) null_is_default: bool,
}

/// What a profile's schema does not say that the publisher's says, each with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Constraints that are gone: arguments may pass that the publisher's schema refuses.
    pub(super) weakened: Vec<String>,
    /// Arguments that the publisher's schema takes and that can no longer be given.
    pub(super) narrowed: Vec<String>,
}

/// Losses that a summary names.
const TOLD: usize = 3;

impl Losses {
    /// In words; empty when there are none.
    pub(super) fn summary(&self) -> String {
        let some = |what: &str, places: &[String]| {
            let told = places.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = places.len().saturating_sub(TOLD);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            if places.is_empty() { String::new() } else { format!("{what}: {told}{more}") }
        };
        let parts = [some("not checked by the API", &self.weakened), some("cannot be given", &self.narrowed)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// Why a schema has no such shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// The value: `filter.tags[]`; empty for the arguments as a whole.
    pub(super) at: String,
    pub(super) why: String,
}

impl Obstacle {
    pub(super) fn new(at: &str, why: impl Into<String>) -> Self {
        Self { at: at.to_owned(), why: why.into() }
    }
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", if self.at.is_empty() { "the whole" } else { &self.at }, self.why)
    }
}

impl Shape {
    /// Whether `null` passes for `node`.
    pub(super) fn takes_null(&self, node: &Node) -> bool {
        node.is_nullable
            || match &node.kind {
                Kind::Null => true,
                // Circles are refused when they are read, so this ends.
                Kind::Recursive(place) => self.definitions.get(*place).is_some_and(|d| self.takes_null(&d.node)),
                Kind::AnyOf(nodes) => nodes.iter().any(|node| self.takes_null(node)),
                Kind::Scalar(_) | Kind::Object(_) | Kind::Array { .. } => false,
            }
    }
}

impl Node {
    /// Whether nothing that is written for `self` passes for what `other` was read from. `false` where that is not plain to see.
    pub(super) fn excludes(&self, other: &Self) -> bool {
        if (self.is_nullable || self.kind == Kind::Null) && (other.is_nullable || other.kind == Kind::Null) {
            return false;
        }
        match (&self.kind, &other.kind) {
            (Kind::Scalar(a), Kind::Scalar(b)) => {
                let is_number = |p: Primitive| matches!(p, Primitive::Number | Primitive::Integer);
                if a.primitive != b.primitive && !(is_number(a.primitive) && is_number(b.primitive)) {
                    return true;
                }
                let (Some(a), Some(b)) = (&a.choices, &b.choices) else { return false };
                let canonical = |choices: &[Json]| choices.iter().map(Json::canonical).collect::<std::collections::HashSet<_>>();
                canonical(a).is_disjoint(&canonical(b))
            }
            (Kind::Object(ours), Kind::Object(theirs)) => {
                theirs.iter().filter(|p| p.is_required).any(|their| match ours.iter().find(|our| our.name == their.name) {
                    None => true,
                    Some(our) => our.is_required && our.node.excludes(&their.node),
                })
            }
            (Kind::Recursive(_) | Kind::AnyOf(_), _)
            | (_, Kind::Recursive(_) | Kind::AnyOf(_))
            | (Kind::Array { .. }, Kind::Array { .. })
            | (Kind::Null, Kind::Null) => false,
            (Kind::Null | Kind::Scalar(_) | Kind::Object(_) | Kind::Array { .. }, _) => true,
        }
    }

    /// Whether one value may be written for both, and stand for different arguments in each.
    pub(super) fn is_mistakable_for(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Object(ours), Kind::Object(theirs)) => {
                let same_names = ours.len() == theirs.len() && ours.iter().all(|our| theirs.iter().any(|t| t.name == our.name));
                same_names && self.kind != other.kind && !self.excludes(other)
            }
            (Kind::Array { items: ours, .. }, Kind::Array { items: theirs, .. }) => ours.is_mistakable_for(theirs),
            (Kind::Recursive(_) | Kind::AnyOf(_), Kind::Scalar(_) | Kind::Null) | (Kind::Scalar(_) | Kind::Null, _) => false,
            (Kind::Recursive(_) | Kind::AnyOf(_), _) | (_, Kind::Recursive(_) | Kind::AnyOf(_)) => self.kind != other.kind,
            (Kind::Object(_) | Kind::Array { .. }, _) => false,
        }
    }
}
