//! Failures of the core as gRPC statuses: one exhaustive match, with rich details a client library can read.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Kind, Violation};
use crate::register::RegisterError;
use crate::select::SelectError;

/// The status of a failure. Internals go to the log, not over the wire.
fn status(kind: Kind, message: &str, violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::new();
    for violation in violations {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    let code = match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict => Code::Aborted,
        Kind::Refused => Code::FailedPrecondition,
        Kind::Overloaded { retry_after } => {
            // A client that comes back within a millisecond is part of the load.
            details.set_retry_info(Some(retry_after.max(Duration::from_millis(10))));
            Code::ResourceExhausted
        }
        Kind::Unavailable => {
            details.set_retry_info(Some(Duration::from_secs(1)));
            Code::Unavailable
        }
        Kind::DeadlineExceeded => Code::DeadlineExceeded,
        Kind::Internal => {
            tracing::error!(error.message = message, "request failed inside");
            return Status::internal("internal error; the log has the details under this trace id");
        }
    };
    Status::with_error_details(code, message, details)
}

/// A request that is wrong.
pub(super) fn invalid(violations: &[Violation]) -> Status {
    let message = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    status(Kind::Invalid, &cut(message), violations)
}

/// Status messages travel in a header: past a few KiB proxies drop the whole answer, so the tail goes to the details alone.
fn cut(message: String) -> String {
    const MOST: usize = 1_024;
    match message.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}… (all in the details)", &message[..at]),
        None => message,
    }
}

impl From<SelectError> for Status {
    fn from(error: SelectError) -> Self {
        match error.violations() {
            [] => status(error.kind(), &error.to_string(), &[]),
            violations => invalid(violations),
        }
    }
}

impl From<RegisterError> for Status {
    fn from(error: RegisterError) -> Self {
        match error.violations() {
            [] => status(error.kind(), &cut(error.to_string()), &[]),
            violations => invalid(violations),
        }
    }
}

/// Nothing by that name.
pub(super) fn not_found(message: &str) -> Status {
    status(Kind::NotFound, message, &[])
}
