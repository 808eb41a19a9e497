//! What is stored of a tool, and one atomic step from one version of a tenant's catalogue to the next.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::compact::Costs;
use crate::index::vector::Codes;
use crate::tool::{Fingerprint, ModelName, TenantId, Tool, ToolId};

/// Whether selections may return a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Selectable.
    Enabled,
    /// Registered, never selected.
    Disabled,
}

impl State {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// A registered tool with everything that was decided once, at registration.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What the publisher wrote.
    pub tool: Tool,
    /// The name a model sees.
    pub model_name: ModelName,
    /// Hash of the content.
    pub fingerprint: Fingerprint,
    /// Whether selections may return it.
    pub state: State,
    /// Order of first registration within the tenant: breaks ties of rank.
    pub position: u64,
    /// First registration, ms since the Unix epoch.
    pub registered_at_ms: u64,
    /// Last change of content, ms since the Unix epoch.
    pub updated_at_ms: u64,
    /// Token cost of every form.
    pub costs: Costs,
}

impl Record {
    /// The record of a tool that is registered for the first time.
    #[must_use]
    pub fn fresh(tool: Tool, model_name: ModelName, position: u64) -> Self {
        Self {
            fingerprint: tool.fingerprint(),
            costs: Costs::of(&tool, &model_name),
            state: State::Enabled,
            position,
            registered_at_ms: 0,
            updated_at_ms: 0,
            model_name,
            tool,
        }
    }
}

/// The version of a tenant's catalogue. The epoch is drawn when the tenant is first stored, so versions of two stores never meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Which history.
    pub epoch: u32,
    /// Which step of it.
    pub number: u64,
}

impl Version {
    /// The version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// Reads what `Display` wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.split_once('.')?;
        let version = Self { epoch: u32::from_str_radix(epoch, 16).ok()?, number: number.parse().ok()? };
        (version.to_string() == text).then_some(version)
    }
}

/// Opaque to callers: they compare it for equality and pass it back.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}", self.epoch, self.number)
    }
}

/// SHA-256 of an embedded text: vectors are found again by what they are of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextHash(pub [u8; 32]);

impl TextHash {
    /// The hash of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Debug for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextHash({})", hex::encode(&self.0[..6]))
    }
}

/// One atomic step: all of it is stored, then all of it is published.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose catalogue.
    pub tenant: TenantId,
    /// Who asked for it, for the audit.
    pub actor: String,
    /// The version this step is based on; the store refuses any other.
    pub from: Version,
    /// The version after it.
    pub to: Version,
    /// Tools that are new or have changed.
    pub upserts: Vec<Record>,
    /// Tools that go.
    pub removals: Vec<ToolId>,
    /// Texts that no tool has any more: their vectors go.
    pub dropped_texts: Vec<TextHash>,
    /// The model of `vectors`.
    pub model_id: String,
    /// Vectors that were not stored yet.
    pub vectors: Vec<(TextHash, Codes)>,
}
