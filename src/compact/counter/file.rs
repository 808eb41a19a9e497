//! A tokenizer in the form that Hugging Face publishes, `tokenizer.json`, for models whose vocabulary is not built in.
//!
//! Nothing else names the crate. The file comes from whoever runs the router, the text from publishers: what a regular expression of the file
//! cannot take, or what the model has no tokens for, must not end the process and must not make a text look short. Such a text counts as
//! many tokens as it has bytes, which no vocabulary exceeds on text that it can read. Text is counted as text, as in
//! [`Tokenizer`](super::Tokenizer): neither special tokens in it nor those that a model adds around it, and nothing is cut off or padded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use tokenizers::Tokenizer as Published;

use crate::tool::TokenCount;

/// What every list is made of; a vocabulary that has nothing for it is for something else.
const PROBE: &str = r#"{"type":"function","function":{"name":"read_file","description":"Reads a file."}}"#;
/// Longest part of the crate's own words that a message repeats.
const DETAIL_CHARS: usize = 200;

/// A tokenizer, read.
pub struct TokenizerFile {
    published: Published,
    digest: [u8; 32],
}

impl std::fmt::Debug for TokenizerFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TokenizerFile").field(&hex::encode(self.digest)).finish()
    }
}

/// Bytes that are no tokenizer, in words that follow the name of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No JSON at all.
    #[error("is not JSON: {detail}")]
    NotJson {
        /// Where it is not.
        detail: String,
    },
    /// Some other JSON.
    #[error("is not a tokenizer.json: {detail}")]
    NotATokenizer {
        /// What is missing.
        detail: String,
    },
    /// It reads, and cannot split a tool definition.
    #[error("cannot count a tool definition: {detail}")]
    CannotCount {
        /// Why.
        detail: String,
    },
}

impl TokenizerFile {
    /// Reads `bytes`, the content of a `tokenizer.json`.
    ///
    /// # Errors
    /// They are not JSON, not a tokenizer, or one that has no tokens for a tool definition.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|e| FileError::NotJson { detail: e.to_string() })?;
        // A part of the file may be something that the crate asserts about.
        let read = catch_unwind(AssertUnwindSafe(|| Published::from_bytes(bytes)));
        let read = read.unwrap_or_else(|_| Err("a part of it is damaged".into()));
        let mut published = read.map_err(|e| FileError::NotATokenizer { detail: short(&e.to_string()) })?;
        let whole = published.with_truncation(None).map(|_| ());
        whole.map_err(|e| FileError::NotATokenizer { detail: short(&e.to_string()) })?;
        published.with_padding(None);
        published.set_encode_special_tokens(true);
        let file = Self { published, digest: Sha256::digest(bytes).into() };
        match file.tokens(PROBE) {
            Ok(0) => Err(FileError::CannotCount { detail: "it has no token for any of its characters".into() }),
            Ok(_) => Ok(file),
            Err(detail) => Err(FileError::CannotCount { detail }),
        }
    }

    /// The hash of the file.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// How many tokens `text` is.
    #[must_use]
    pub fn count(&self, text: &str) -> TokenCount {
        let tokens = self.tokens(text).unwrap_or(text.len());
        TokenCount(u32::try_from(tokens).unwrap_or(u32::MAX))
    }

    fn tokens(&self, text: &str) -> Result<usize, String> {
        let encoded = catch_unwind(AssertUnwindSafe(|| self.published.encode_fast(text, false)));
        let encoded = encoded.unwrap_or_else(|_| Err("a regular expression of it gives up".into()));
        encoded.map(|encoding| encoding.len()).map_err(|e| short(&e.to_string()))
    }
}

/// One line, not the file.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(DETAIL_CHARS).collect()
}
