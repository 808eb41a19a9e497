//! Why a change was not made, in words for the caller.

use crate::embed::EmbedError;
use crate::error::{Kind, Violation};
use crate::store::StoreError;

/// Why a change was not made. The catalogue is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Something in the request is wrong.
    #[error("{} invalid: {}", count(violations.len(), "field is", "fields are"), first(violations))]
    Invalid {
        /// Each thing that is wrong.
        violations: Vec<Violation>,
    },
    /// Tools that were named do not exist.
    #[error("{} of source {source_name:?} not found: {}", count(names.len(), "tool", "tools"), names.join(", "))]
    NotFound {
        /// The source.
        source_name: String,
        /// The names.
        names: Vec<String>,
    },
    /// The source has no tools.
    #[error("source {source_name:?} is not registered")]
    NoSuchSource {
        /// The source.
        source_name: String,
    },
    /// `expected_version` is not current.
    #[error("expected_version is {expected:?}, the catalogue is at {current:?}: read it again")]
    VersionMoved {
        /// What the caller expected.
        expected: String,
        /// What is current.
        current: String,
    },
    /// The mass-removal hold.
    #[error(
        "source {source_name:?} would lose {removed} of its {of} tools: nothing was changed; set allow_mass_removal if that is meant"
    )]
    MassRemoval {
        /// The source.
        source_name: String,
        /// How many would go.
        removed: usize,
        /// How many it has.
        of: usize,
    },
    /// A version that was asked for has not arrived.
    #[error(
        "min_catalog_version is {wanted:?}, this router has {current:?} and did not get there before the deadline: ask again"
    )]
    Behind {
        /// What was asked for.
        wanted: String,
        /// What is here.
        current: String,
    },
    /// A version that was asked for will never arrive.
    #[error("min_catalog_version {wanted:?} belongs to another history than {current:?}: list the tools again")]
    OtherHistory {
        /// What was asked for.
        wanted: String,
        /// What is here.
        current: String,
    },
    /// Too many registrations at once.
    #[error("{limit} registrations are under way, the limit is {limit}")]
    Overloaded {
        /// The limit.
        limit: usize,
    },
    /// Too many followers at once.
    #[error("{limit} watchers follow the catalogue, which is the limit")]
    TooManyWatchers {
        /// The limit.
        limit: usize,
    },
    /// The model failed on a text.
    #[error("a tool could not be embedded: {0}")]
    Embed(#[from] EmbedError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of ours died.
    #[error("the registration task failed: {detail}")]
    Task {
        /// What is known.
        detail: String,
    },
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn first(violations: &[Violation]) -> String {
    violations.first().map(ToString::to_string).unwrap_or_default()
}

impl RegisterError {
    /// How a caller is to understand it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid { .. } => Kind::Invalid,
            Self::NotFound { .. } | Self::NoSuchSource { .. } => Kind::NotFound,
            Self::VersionMoved { .. } => Kind::Conflict,
            Self::MassRemoval { .. } | Self::OtherHistory { .. } => Kind::Refused,
            Self::Behind { .. } => Kind::Unavailable,
            Self::Overloaded { .. } | Self::TooManyWatchers { .. } => {
                Kind::Overloaded { retry_after: std::time::Duration::from_secs(1) }
            }
            Self::Embed(_) | Self::Task { .. } => Kind::Internal,
            Self::Store(error) => error.kind(),
        }
    }

    /// The fields that are wrong, for a rich error.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid { violations } => violations,
            _ => &[],
        }
    }
}

impl From<Violation> for RegisterError {
    fn from(violation: Violation) -> Self {
        Self::Invalid { violations: vec![violation] }
    }
}
