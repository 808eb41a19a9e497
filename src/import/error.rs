//! What keeps a file from being imported, in words that say where and what to do.

use std::fmt;
use std::io;

use crate::error::{Kind, Violation};

/// Why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not there, a directory, no permission, a broken disk.
    #[error("{file}: cannot be read: {cause}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's words.
        cause: io::Error,
    },
    /// Larger than a list of 100,000 tools.
    #[error("{file}: is larger than the limit of {limit} bytes; split it")]
    TooBig {
        /// The file.
        file: String,
        /// The most bytes that are read.
        limit: u64,
    },
    /// Not text, or text in another encoding.
    #[error("{file}: is not UTF-8 from byte {offset} on; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// Bytes before the first wrong one.
        offset: usize,
    },
    /// Nothing but blanks.
    #[error("{file}: is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// Ends in the middle of a value.
    #[error("{file}: ends in the middle of a JSON value, at line {line} column {column}; was it copied whole?")]
    Truncated {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Bytes, counted from 1.
        column: usize,
    },
    /// Not JSON.
    #[error("{file}: is not valid JSON at line {line} column {column}: {detail}")]
    Syntax {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Bytes, counted from 1.
        column: usize,
        /// The parser's words.
        detail: String,
    },
    /// JSON without a list of tools.
    #[error(
        "{file}: {found}; wanted an MCP tools/list answer, an OpenAI or Anthropic tools array, or JSON Lines with a tool per line"
    )]
    NoTools {
        /// The file.
        file: String,
        /// What is there instead.
        found: String,
    },
    /// JSON or YAML, but no `OpenAPI` document with operations.
    #[error("{file}: {found}; wanted an OpenAPI 3.0 or 3.1 document")]
    NotOpenApi {
        /// The file.
        file: String,
        /// What is there instead.
        found: String,
    },
    /// The source given for all tools cannot be one.
    #[error("{0}")]
    Source(Violation),
    /// Entries that cannot be taken.
    #[error("{file}: {}", Listed { problems, more: *more })]
    Entries {
        /// The file.
        file: String,
        /// At most [`MAX_PROBLEMS`](super::file::MAX_PROBLEMS), in file order. The field is the place:
        /// `tools[3].inputSchema`, `line 7: parameters`.
        problems: Vec<Violation>,
        /// How many there are beyond those.
        more: usize,
    },
}

impl ImportError {
    /// How it is to be understood.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { cause, .. } if cause.kind() == io::ErrorKind::NotFound => Kind::NotFound,
            Self::Unreadable { .. } => Kind::Unavailable,
            Self::TooBig { .. }
            | Self::NotUtf8 { .. }
            | Self::Empty { .. }
            | Self::Truncated { .. }
            | Self::Syntax { .. }
            | Self::NoTools { .. }
            | Self::NotOpenApi { .. }
            | Self::Source(_)
            | Self::Entries { .. } => Kind::Invalid,
        }
    }
}

struct Listed<'a> {
    problems: &'a [Violation],
    more: usize,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problems, more } = self;
        if let ([only], 0) = (problems, more) {
            return write!(f, "{only}");
        }
        write!(f, "{} problems, nothing was imported", problems.len() + more)?;
        problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        if *more == 0 { Ok(()) } else { write!(f, "\n  and {more} more") }
    }
}
