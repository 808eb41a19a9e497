//! The words of an answer: may the tool be found, and what speaks against it.

use crate::error::Violation;

/// May the tool be indexed?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Allow,
    /// It must not reach a catalogue; the findings say why.
    Refuse,
}

/// Which check a finding comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A character that a reader does not see, or that changes what is seen around it.
    HiddenCharacter,
    /// A `$ref` to another document: fetching it would let the publisher change the tool after it was checked.
    RemoteReference,
    /// A `$ref` to a place that the document does not have.
    DanglingReference,
    /// References that lead back to themselves without a property or item between: no value can be checked against them.
    CyclicReference,
    /// An input schema for something else than an object: arguments are named.
    RootType,
    /// A schema with more parts than any reader needs.
    TooLarge,
    /// Stands for the findings beyond the limit.
    FurtherFindings,
}

impl Rule {
    /// The stable name, for logs, metrics and policies.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::HiddenCharacter => "unicode.hidden",
            Self::RemoteReference => "schema.remote_ref",
            Self::DanglingReference => "schema.dangling_ref",
            Self::CyclicReference => "schema.cyclic_ref",
            Self::RootType => "schema.root_type",
            Self::TooLarge => "schema.too_large",
            Self::FurtherFindings => "gate.further_findings",
        }
    }
}

/// One thing that speaks against a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub rule: Rule,
    /// Where, as the publisher would name it: `description`, `input_schema.properties.path.enum[2]`,
    /// `input_schema.properties: key "pa\u{200b}th"`. Safe to print: hidden characters are escaped, long keys cut.
    pub field: String,
    /// What stands there; lowercase, no full stop, safe to print.
    pub description: String,
}

impl From<Finding> for Violation {
    fn from(finding: Finding) -> Self {
        Self { field: finding.field, description: format!("{} ({})", finding.description, finding.rule.code()) }
    }
}
