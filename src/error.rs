//! What kind of failure a caller sees.
//!
//! Every module has its own error enum with fields; `kind()` sorts its variants into these few, and the edge turns a kind
//! into a wire code in one `match`. So no part of the core knows gRPC or HTTP codes, and no code is chosen twice.

use std::time::Duration;

/// How a failure is to be understood by the one who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong and will stay wrong: mend it.
    Invalid,
    /// What was named does not exist, or is not the caller's to see.
    NotFound,
    /// The state moved on under the caller: read again, then retry.
    Conflict,
    /// Understood, and held back on purpose (the gate, a mass removal).
    Refused,
    /// Too much at once: retry after the given time.
    Overloaded {
        /// When a retry may succeed.
        retry_after: Duration,
    },
    /// A part the call needs is away: retry later or elsewhere.
    Unavailable,
    /// The caller's deadline would pass, or has passed.
    DeadlineExceeded,
    /// A fault of ours. The details go to the log, not to the caller.
    Internal,
}

/// One thing wrong with one field of a request: the field, the limit and the value, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field as the caller wrote it, for example `tools[3].input_schema_json`.
    pub field: String,
    /// What is wrong, the limit and the value; lowercase, no full stop.
    pub description: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }

    /// The same violation seen from outside: `schema.type` inside `tools[3]` becomes `tools[3].schema.type`.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        Self { field: format!("{outer}.{}", self.field), description: self.description }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}

/// The innermost words of an error: transports wrap "connection refused" in layers of "transport error", which may repeat a URL and the key
/// in it.
#[must_use]
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
