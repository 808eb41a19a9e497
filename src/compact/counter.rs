//! Counts in the tokens of the model that a list is for.
//!
//! Two vocabularies are counted at registration ([`Tokenizer`]). For a model with another one there are two ways: its tokenizer file,
//! which counts exactly but only when asked, and an estimate, which is a count in one of the two times a factor that somebody measured,
//! with a margin. Vendors also add a prompt of their own around tools, which no count of a list can see; how long it is is part of a
//! counter, so that a cap means what is paid for.

mod estimate;
mod file;
mod known;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use self::estimate::{Day, Estimate, EstimateError};
pub use self::file::{FileError, TokenizerFile};
pub use self::known::Counters;
use super::directory::{DIRECTORY_HEADER, directory_frame};
use super::render::{frame, list_tokens};
use super::tokens::Tokenizer;
use crate::tool::TokenCount;

/// Whose tokens are counted. A cheap handle; equal when everything that it counts by is.
#[derive(Clone, Debug)]
pub struct Counter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Box<str>,
    kind: Kind,
    overhead: Overhead,
    frame: TokenCount,
    fingerprint: [u8; 32],
}

/// How a [`Counter`] counts.
#[derive(Debug)]
pub enum Kind {
    /// Exactly, as at registration.
    Exact(Tokenizer),
    /// By a factor.
    Estimated(Estimate),
    /// Exactly, by a tokenizer file, when asked.
    File(Box<TokenizerFile>),
}

/// Tokens that a vendor adds around the tools it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overhead {
    /// Once, when there is any tool.
    pub tools: TokenCount,
    /// For each tool.
    pub per_tool: TokenCount,
}

impl Overhead {
    /// Around so many tools.
    #[must_use]
    pub fn around(self, tools: usize) -> TokenCount {
        let each = u64::from(self.per_tool.0).saturating_mul(tools as u64);
        let all = if tools == 0 { 0 } else { each.saturating_add(u64::from(self.tools.0)) };
        TokenCount(u32::try_from(all).unwrap_or(u32::MAX))
    }
}

impl Counter {
    /// One of that name.
    #[must_use]
    pub fn new(name: &str, kind: Kind, overhead: Overhead) -> Self {
        let counted_by = match &kind {
            Kind::Exact(tokenizer) => tokenizer.name().to_owned(),
            Kind::Estimated(estimate) => estimate.to_string(),
            Kind::File(file) => hex::encode(file.digest()),
        };
        let identity = format!("{name}\n{counted_by}\n{} {}", overhead.tools, overhead.per_tool);
        let fingerprint = Sha256::digest(identity.as_bytes()).into();
        let brackets = match &kind {
            Kind::Exact(tokenizer) => frame(*tokenizer),
            Kind::Estimated(estimate) => estimate.of(frame(estimate.base())),
            Kind::File(file) => file.count("[\n") + file.count("\n]"),
        };
        Self(Arc::new(Inner { name: name.into(), kind, overhead, frame: brackets + overhead.tools, fingerprint }))
    }

    /// That of an exact vocabulary, under its own name and without overhead.
    #[must_use]
    pub fn exact(tokenizer: Tokenizer) -> Self {
        Self::new(tokenizer.name(), Kind::Exact(tokenizer), Overhead::default())
    }

    /// What requests call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How it counts.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// What the vendor adds.
    #[must_use]
    pub fn overhead(&self) -> Overhead {
        self.0.overhead
    }

    /// A hash of everything that it counts by.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// The vocabulary whose counts at registration it starts from. A file has none; there it only tells sizes apart.
    #[must_use]
    pub fn base(&self) -> Tokenizer {
        match self.kind() {
            Kind::Exact(tokenizer) => *tokenizer,
            Kind::Estimated(estimate) => estimate.base(),
            Kind::File(_) => Tokenizer::O200kBase,
        }
    }

    /// How many tokens `text` is.
    #[must_use]
    pub fn count(&self, text: &str) -> TokenCount {
        match self.kind() {
            Kind::Exact(tokenizer) => tokenizer.count(text),
            Kind::Estimated(estimate) => estimate.of(estimate.base().count(text)),
            Kind::File(file) => file.count(text),
        }
    }

    /// How many tokens a text is that has `base` tokens of [`base`](Self::base). The text is only made where that does not tell.
    #[must_use]
    pub fn cost<T: AsRef<str>>(&self, base: TokenCount, text: impl FnOnce() -> T) -> TokenCount {
        match self.kind() {
            Kind::Exact(_) => base,
            Kind::Estimated(estimate) => estimate.of(base),
            Kind::File(file) => file.count(text().as_ref()),
        }
    }

    /// Tokens of a [`prompt`](super::prompt) apart from its items, with what the vendor adds once.
    #[must_use]
    pub fn frame(&self) -> TokenCount {
        self.0.frame
    }

    /// Tokens of a [`directory`](super::directory()) apart from its lines.
    #[must_use]
    pub fn directory_frame(&self) -> TokenCount {
        self.cost(directory_frame(self.base()), || format!("{DIRECTORY_HEADER}\n"))
    }

    /// Tokens of the list `prompt`, what the vendor adds apart; `lines` are the [`line_tokens`](super::line_tokens) of its items by
    /// [`base`](Self::base).
    ///
    /// An estimate of the whole is at most the sum of those of its lines and brackets, because each of them was rounded up.
    #[must_use]
    pub fn list_tokens(&self, lines: &[[TokenCount; 2]], prompt: &str) -> TokenCount {
        self.cost(list_tokens(lines, self.base()), || prompt)
    }
}

impl PartialEq for Counter {
    fn eq(&self, other: &Self) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Counter {}

impl Hash for Counter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fingerprint.hash(state);
    }
}

#[cfg(test)]
mod tests;
