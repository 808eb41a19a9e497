//! Lines of the directory: tools that are worth knowing of and did not fit as objects, as text, not to be called.

use super::tokens::Tokenizer;
use crate::tool::{ModelName, TokenCount, Tool};

/// What a line says of its tool; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Line {
    /// Name and first sentence.
    Name,
    /// Signature and first sentence.
    Signature,
}

/// What a directory begins with.
pub(super) const DIRECTORY_HEADER: &str = "More tools:\n";

impl Line {
    /// All of them, smallest first.
    pub const ALL: [Self; 2] = [Self::Name, Self::Signature];

    /// `name` or `signature`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Signature => "signature",
        }
    }

    /// The line.
    #[must_use]
    pub fn text(self, tool: &Tool, model_name: &ModelName) -> String {
        format!(
            "{}: {}",
            model_name.as_str(),
            tool.description.split('.').next().unwrap_or_default().replace(char::is_control, " ")
        )
    }
}

/// The whole directory.
#[must_use]
pub fn directory<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        if out.is_empty() {
            out.push_str(DIRECTORY_HEADER);
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Tokens of a directory apart from its lines.
#[must_use]
pub fn directory_frame(tokenizer: Tokenizer) -> TokenCount {
    tokenizer.count(DIRECTORY_HEADER)
}

/// Tokens of a line within a directory.
#[must_use]
pub fn directory_line_tokens(line: &str, tokenizer: Tokenizer) -> TokenCount {
    tokenizer.count(&format!("{line}\n"))
}
