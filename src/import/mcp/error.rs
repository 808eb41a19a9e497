//! Why a server's list could not be had. Each message says what happened and, where something can be done, what.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Kind;

/// Why there is no list. Whatever was listed before is not touched by it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum McpError {
    /// The program cannot be run.
    #[error("{program:?} cannot be started: {cause}")]
    Start {
        /// The program.
        program: String,
        /// The system's words.
        cause: String,
    },
    /// A file that the endpoint names is not usable.
    #[error("{} cannot be used: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The URL cannot be called.
    #[error("the URL {detail}")]
    Url {
        /// What is wrong with it.
        detail: String,
    },
    /// The program ended.
    #[error("the server ended ({status}){}", after(last_words))]
    Ended {
        /// How.
        status: String,
        /// What it wrote to standard error last.
        last_words: String,
    },
    /// The connection failed or broke.
    #[error("the server cannot be reached: {cause}")]
    Unreachable {
        /// The transport's words.
        cause: String,
    },
    /// It points elsewhere.
    #[error("the server redirects to {to}, another host: nothing was sent there; give that URL if it is meant")]
    Redirected {
        /// Where to, without its query.
        to: String,
    },
    /// It did not answer in time.
    #[error("the server did not {what} within {} s{}", limit.as_secs_f64(), after(last_words))]
    Late {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
        /// What it wrote that was no answer.
        last_words: String,
    },
    /// It wants credentials, or other ones.
    #[error("the server wants other credentials ({status}): give them in headers_file")]
    Denied {
        /// The HTTP status.
        status: String,
    },
    /// It answered with an error.
    #[error("the server refused {what}: {detail}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Its words.
        detail: String,
    },
    /// It does not speak MCP.
    #[error("what the server sends is not MCP: {detail}")]
    Protocol {
        /// What came.
        detail: String,
    },
    /// It has no tools and says so.
    #[error("the server declares no tools")]
    NoTools,
    /// A message over the limit.
    #[error("the server sent a message of over {limit} bytes")]
    MessageTooBig {
        /// The limit.
        limit: usize,
    },
    /// A list over the limit.
    #[error("the server's list has over {limit} bytes")]
    ListTooBig {
        /// The limit.
        limit: usize,
    },
    /// Too many tools.
    #[error("the server's list has over {limit} tools")]
    TooManyTools {
        /// The limit.
        limit: usize,
    },
    /// Too many pages.
    #[error("the server's list has over {limit} pages")]
    TooManyPages {
        /// The limit.
        limit: usize,
    },
    /// A page that leads back.
    #[error("the server's list goes round in circles: page {page} has the cursor of an earlier one")]
    Circle {
        /// Which page, from 1.
        page: usize,
    },
}

/// The last words, if any, as a clause.
fn after(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!("; it wrote: {words}") }
}

impl McpError {
    /// Its name in spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::File { .. } => "file",
            Self::Url { .. } => "url",
            Self::Ended { .. } => "ended",
            Self::Unreachable { .. } => "unreachable",
            Self::Redirected { .. } => "redirected",
            Self::Late { .. } => "timeout",
            Self::Denied { .. } => "denied",
            Self::Refused { .. } => "refused",
            Self::Protocol { .. } | Self::NoTools | Self::Circle { .. } => "protocol",
            Self::MessageTooBig { .. } | Self::ListTooBig { .. } | Self::TooManyTools { .. } | Self::TooManyPages { .. } => {
                "too_big"
            }
        }
    }

    /// How it is to be understood: the server's failures are an outage of the source, not the caller's mistake.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::Unavailable
    }
}
