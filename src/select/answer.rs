//! What a selection returns, and how it puts its reasons into words.

use crate::catalog::{TextHash, Version};
use crate::compact::profile::Profile;
use crate::compact::{Fidelity, Line};
use crate::rank::{Scored, Standing};
use crate::tool::{ModelName, TokenCount, ToolId};

/// The tools for a turn. Equal for equal requests to an equal catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Best first.
    pub tools: Vec<Selected>,
    /// The whole list, ready to paste; what was counted. Empty when there is no tool.
    pub prompt: String,
    /// The tools as references to paste, where that was asked for; not counted.
    pub tool_references: String,
    /// Tools to know of, as text, where that was asked for; empty when none is listed.
    pub directory: String,
    /// The tools of the directory, in its order.
    pub listed: Vec<Listed>,
    /// What became of the list before, where the caller wants it kept.
    pub stay: Option<Stay>,
    /// What it costs and saves.
    pub usage: Usage,
    /// Why there is no tool.
    pub no_match: Option<NoMatch>,
    /// How likely it is that any tool fits, in `[0, 1]`; nothing where that is not calibrated.
    pub confidence: Option<f32>,
    /// Candidates that a caller would miss.
    pub dropped: Vec<Dropped>,
    /// How the tools were found.
    pub mode: Mode,
    /// Why by words alone, and why not reranked though it should be; empty otherwise.
    pub degraded_reason: String,
    /// The catalogue's version.
    pub version: Version,
    /// The fate of the tools the caller asked about.
    pub explanations: Vec<Explanation>,
    /// What the conversation became, as a query; empty where a query was asked.
    pub condensed: String,
}

impl Answer {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        let tools = self
            .tools
            .iter()
            .map(|tool| size_of::<Selected>() + tool.definition.len() + tool.profile_detail.len() + texts(&tool.reasons));
        let dropped = self.dropped.iter().map(|dropped| size_of::<Dropped>() + dropped.detail.len());
        let explained = self.explanations.iter().map(|e| size_of::<Explanation>() + e.fate.len() + texts(&e.reasons));
        let listed = self.listed.iter().map(|listed| size_of::<Listed>() + texts(&listed.reasons));
        let stay = self.stay.as_ref().map_or(0, |stay| stay.detail.len());
        let tools = tools.chain(listed);
        size_of::<Self>()
            + stay
            + self.directory.len()
            + self.prompt.len()
            + self.tool_references.len()
            + self.condensed.len()
            + tools.chain(dropped).chain(explained).sum::<usize>()
    }
}

/// A tool to offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// Who it is.
    pub id: ToolId,
    /// Its name in the prompt.
    pub model_name: ModelName,
    /// Rank score.
    pub score: f32,
    /// How likely it is that it fits, in `[0, 1]`; nothing where that is not calibrated.
    pub confidence: Option<f32>,
    /// How much is shown.
    pub fidelity: Fidelity,
    /// Tokens of its entry.
    pub tokens: TokenCount,
    /// Its entry.
    pub definition: String,
    /// The dialect of its schema: the one asked for, or LEAN where it has no such form.
    pub profile: Profile,
    /// Whether that schema differs from the publisher's in more than the dialect.
    pub is_lossy: bool,
    /// How it differs, or why it has no such form.
    pub profile_detail: String,
    /// Of `definition`, where the caller wants lists to stay.
    pub hash: String,
    /// Why it is here, when asked.
    pub reasons: Vec<String>,
}

/// A tool to know of.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Who it is.
    pub id: ToolId,
    /// Its name in the directory.
    pub model_name: ModelName,
    /// Rank score.
    pub score: f32,
    /// How likely it is that it fits, in `[0, 1]`; nothing where that is not calibrated.
    pub confidence: Option<f32>,
    /// How much is said.
    pub line: Line,
    /// Tokens of its line.
    pub tokens: TokenCount,
    /// Why it is here, when asked.
    pub reasons: Vec<String>,
}

/// What became of the list before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// What kind of change it is.
    pub change: Change,
    /// So many of its tools, from the first on, are in their places with their bytes.
    pub kept_tools: usize,
    /// Why it is not simply appended to; empty where it is.
    pub detail: String,
}

/// How a list follows the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    First,
    /// It begins with it.
    Appended,
    /// It does not.
    Rebuilt,
}

/// Says which text a definition is: 64 bits are enough, since two texts of one tool are compared.
#[must_use]
pub(super) fn definition_hash(definition: &str) -> String {
    let TextHash(hash) = TextHash::of(definition);
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What the list costs and saves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Every eligible tool at FULL.
    pub eligible_tokens: u64,
    /// Prompt and directory, exactly.
    pub returned: TokenCount,
    /// The part of it that is the directory.
    pub directory: TokenCount,
    /// What the vendor adds around it.
    pub overhead: TokenCount,
    /// The cap.
    pub max_tokens: TokenCount,
    /// How many tools were eligible.
    pub eligible_tools: usize,
}

impl Usage {
    /// Tokens not sent.
    #[must_use]
    pub fn saved(&self) -> u64 {
        self.eligible_tokens.saturating_sub(u64::from(self.returned.0))
    }
}

/// How tools were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By meaning and words.
    Semantic,
    /// By words alone.
    Lexical,
}

impl Mode {
    /// In metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Lexical => "lexical",
        }
    }
}

/// Why no tool is returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoMatch {
    /// No enabled tool exists.
    EmptyCatalog {
        /// How many exist at all.
        registered: usize,
    },
    /// The scope leaves none.
    EmptyScope {
        /// How many there are without it.
        enabled: usize,
    },
    /// Nothing in common with the query.
    NothingRelevant,
    /// It is too unlikely that any fits.
    LowConfidence {
        /// How likely it is, in `[0, 1]`.
        confidence: f32,
        /// How likely it would have to be.
        least: f32,
    },
    /// Even the smallest is over the cap.
    OverBudget {
        /// What the smallest would need, frame included.
        smallest: TokenCount,
        /// The cap.
        max_tokens: TokenCount,
    },
}

impl NoMatch {
    /// In metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EmptyCatalog { .. } => "empty_catalog",
            Self::EmptyScope { .. } => "empty_scope",
            Self::NothingRelevant => "nothing_relevant",
            Self::LowConfidence { .. } => "low_confidence",
            Self::OverBudget { .. } => "over_budget",
        }
    }

    /// In words.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::EmptyCatalog { registered: 0 } => "no tool is registered".to_owned(),
            Self::EmptyCatalog { registered } => format!("all {registered} registered tools are disabled"),
            Self::EmptyScope { enabled } => format!("the scope leaves none of {enabled} enabled tools"),
            Self::LowConfidence { confidence, least } => {
                format!("nothing seems to fit: the confidence that any tool does is {confidence:.3}, the least is {least:.3}")
            }
            Self::NothingRelevant => "no tool has anything in common with the query".to_owned(),
            Self::OverBudget { smallest, max_tokens } => {
                format!("max_tokens is {max_tokens}, the smallest candidate needs {smallest}")
            }
        }
    }
}

/// A candidate that is not in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Who it is.
    pub id: ToolId,
    /// Why.
    pub cause: DropCause,
    /// Why, in words.
    pub detail: String,
}

/// Why a candidate is not in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DropCause {
    /// Its smallest form does not fit.
    OverBudget {
        /// What that form needs.
        needs: TokenCount,
        /// What was left.
        left: TokenCount,
    },
    /// The list is full.
    MaxTools {
        /// `max_tools`.
        limit: usize,
    },
    /// It is too unlikely that it fits.
    LowConfidence {
        /// How likely it is; in `[0, 1]` where that is calibrated, else its score.
        confidence: f32,
        /// How likely it would have to be.
        least: f32,
    },
    /// The list before is kept, and is worth enough without it.
    NotMissed,
    /// Pinned, and not there.
    NotFound,
    /// Pinned, and disabled.
    Disabled,
    /// Pinned, and out of scope.
    OutOfScope,
}

impl DropCause {
    /// In words.
    #[must_use]
    pub fn detail(&self, id: &ToolId) -> String {
        match self {
            Self::OverBudget { needs, left } => format!("needs {needs} tokens in its smallest form, {left} were left"),
            Self::MaxTools { limit } => format!("max_tools ({limit}) was reached"),
            Self::LowConfidence { confidence, least } => format!("its confidence is {confidence:.3}, the least is {least:.3}"),
            Self::NotMissed => "the list before is kept, and is worth enough without it".to_owned(),
            Self::NotFound => format!("{id} is not registered"),
            Self::Disabled => format!("{id} is disabled"),
            Self::OutOfScope => format!("{id} is out of scope"),
        }
    }
}

/// The fate of a tool the caller asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Who it is.
    pub id: ToolId,
    /// What happened to it.
    pub fate: String,
    /// Its place in the ranking, from 1.
    pub rank: Option<usize>,
    /// Its score.
    pub score: Option<f32>,
    /// The parts of the score.
    pub reasons: Vec<String>,
}

/// The parts of a score in words. `id` tells which tool a slot is.
pub(super) fn reasons<'a>(scored: Option<&Scored>, pinned: bool, id: impl Fn(u32) -> Option<&'a ToolId>) -> Vec<String> {
    let mut reasons = Vec::new();
    if pinned {
        reasons.push("pinned by the caller".to_owned());
    }
    let Some(scored) = scored else { return reasons };
    if scored.mentioned {
        reasons.push("the query names it".to_owned());
    }
    if let Some(with) = scored.with.and_then(&id) {
        reasons.push(format!("used together with {with}, by an example of both"));
    }
    if let Some(dense) = scored.dense {
        reasons.push(format!("meaning: best view {:.3}, mean of views {:.3}", dense.best, dense.mean));
    }
    if 0.0005 <= scored.common.abs() {
        reasons.push(format!("common: {:+.3} for what it has in common with all tools", -scored.common));
    }
    if 0.0 < scored.lexical {
        reasons.push(format!("words: {:.3} of the best match", scored.lexical));
    }
    if 0.0 < scored.favour {
        reasons.push(format!("conversation: {:.3} because it or its source was called before", scored.favour));
    }
    if 0.0 < scored.parts {
        reasons.push(format!("parts: {:.3} for fitting a part of the request", scored.parts));
    }
    if 0.0 < scored.named {
        reasons.push(format!("name: {:.0} % of its words are in the request", scored.named.sqrt() * 100.0));
    }
    if let Some(reranked) = scored.reranked {
        reasons.push(format!("reranker: {reranked:.2}"));
    }
    reasons.extend(scored.standing.and_then(|standing| rivalry(standing, id(scored.slot)?, id)));
    reasons
}

/// How a tool stands among its look-alikes, in words.
fn rivalry<'a>(standing: Standing, own: &ToolId, id: impl Fn(u32) -> Option<&'a ToolId>) -> Option<String> {
    match standing {
        Standing::Tied { with, more } => {
            let other = id(with)?;
            let more = if 0 < more { format!(" and {more} more") } else { String::new() };
            let open = if own.source() == other.source() { "does not say which" } else { "does not say which source" };
            Some(format!("ties with {other}{more}: the request {open}"))
        }
        Standing::Preferred { to } => {
            Some(format!("preferred to its look-alike {}: the request says more of its source or name", id(to)?))
        }
    }
}
