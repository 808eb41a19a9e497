//! Failures of the core as gRPC statuses: one exhaustive match, with rich details a client library can read.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::error::{Kind, Violation};
use crate::register::RegisterError;
use crate::select::SelectError;
use crate::sources::SourceError;

/// The status of a failure. Internals go to the log, not over the wire.
fn status(kind: Kind, message: &str, violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::new();
    let mut room = DETAIL_BYTES;
    for violation in violations {
        let (field, description) = (clip(&violation.field, 200), clip(&violation.description, 300));
        match room.checked_sub(field.len() + description.len()) {
            Some(left) => room = left,
            None => break,
        }
        details.add_bad_request_violation(field, description);
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
    let count = if 1 < violations.len() { format!("{} violations: ", violations.len()) } else { String::new() };
    let message = count + &violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    status(Kind::Invalid, &cut(&message), violations)
}

/// Bytes of all violations in the details. They travel in a header as base64, and gRPC libraries drop an answer whose headers pass 8 KiB:
/// the caller would see a broken stream instead of the field.
const DETAIL_BYTES: usize = 3_000;
/// Bytes of the message as it travels, percent-encoded.
const MESSAGE_BYTES: usize = 1_500;

/// The message, short enough for its header.
fn cut(message: &str) -> String {
    let encoded = |c: char| if c.is_ascii_graphic() || c == ' ' { 1 } else { 3 * c.len_utf8() };
    let mut room = MESSAGE_BYTES;
    let end = message.char_indices().find_map(|(at, c)| match room.checked_sub(encoded(c)) {
        Some(left) => {
            room = left;
            None
        }
        None => Some(at),
    });
    end.map_or_else(|| message.to_owned(), |at| format!("{}...", &message[..at]))
}

/// At most `bytes` of `text`, cut between characters.
fn clip(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(bytes)])
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
            [] => status(error.kind(), &cut(&error.to_string()), &[]),
            violations => invalid(violations),
        }
    }
}

impl From<SourceError> for Status {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Register(error) => error.into(),
            other => status(other.kind(), &cut(&other.to_string()), &[]),
        }
    }
}

/// Nothing by that name.
pub(super) fn not_found(message: &str) -> Status {
    status(Kind::NotFound, message, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_fits_into_the_headers_of_any_client() {
        let violation = |i: usize| Violation::new(format!("tools[{i}].{}", "поле".repeat(40)), "ошибка 💥 ".repeat(4_000));
        let status = invalid(&(0..50).map(violation).collect::<Vec<_>>());
        let headers = status.into_http::<()>().headers().clone();
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(bytes < 8_192, "{bytes}");
        let one = invalid(&[violation(7)]);
        let violations = one.get_details_bad_request().unwrap().field_violations;
        assert!(violations[0].field.starts_with("tools[7]") && violations[0].description.ends_with("..."));
    }
}
