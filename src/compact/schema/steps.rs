//! The steps of LEAN, each of which can be left out: what one saves is measured by making all others.

/// One step. In the order in which they are told; what they do does not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Drops `$schema`, `$id`, `$comment`, `title`, examples, `x-…`, empty lists, and descriptions that repeat the name. Generators
    /// write most of them; nobody reads them. Accepts the same.
    Annotations,
    /// Writes a definition that is referred to once where it is used, and drops those that nothing refers to. Accepts the same.
    References,
    /// A choice between constants becomes an `enum`, whose values say what they are in the description. Accepts the same.
    Constants,
    /// A choice between types becomes a list of types, a choice with one way that way: `anyOf [T, null]` is `type: [T, "null"]`.
    /// Accepts the same; that `null` is allowed stays, since a model may send it and the tool takes it.
    Unions,
    /// Drops `additionalProperties: false`: a model does not invent names when it is shown some. Accepts more.
    Closed,
    /// Drops defaults that are empty, long, or said in the description too. Accepts the same.
    Defaults,
    /// Drops limits that tell a model nothing: formats of machine numbers, bounds of 32 and 53 bits, "not empty", patterns of
    /// described strings. Accepts more.
    Limits,
    /// Keeps of a parameter's description the first sentence, and later ones that say how to fill it in. Accepts the same.
    ParameterTexts,
    /// Keeps of the tool's description the first sentence, and later ones that say when and how not to use it.
    ToolText,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Annotations,
        Self::References,
        Self::Constants,
        Self::Unions,
        Self::Closed,
        Self::Defaults,
        Self::Limits,
        Self::ParameterTexts,
        Self::ToolText,
    ];

    /// What it does, in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Annotations => "annotations dropped",
            Self::References => "definitions used once written in place",
            Self::Constants => "constants as an enum",
            Self::Unions => "unions as a list of types",
            Self::Closed => "additionalProperties: false dropped",
            Self::Defaults => "empty and repeated defaults dropped",
            Self::Limits => "limits that say nothing dropped",
            Self::ParameterTexts => "parameter descriptions shortened",
            Self::ToolText => "tool description shortened",
        }
    }
}

/// A set of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps(u16);

impl Steps {
    /// LEAN.
    pub const ALL: Self = Self((1 << Step::ALL.len()) - 1);
    /// White space alone.
    pub const NONE: Self = Self(0);

    /// Whether `step` is made.
    #[must_use]
    pub fn has(self, step: Step) -> bool {
        self.0 & (1 << step as u16) != 0
    }

    /// These and `step`.
    #[must_use]
    pub fn with(self, step: Step) -> Self {
        Self(self.0 | (1 << step as u16))
    }

    /// These but `step`.
    #[must_use]
    pub fn without(self, step: Step) -> Self {
        Self(self.0 & !(1 << step as u16))
    }
}
