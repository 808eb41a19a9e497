//! What every call has around it: a span with W3C context, a deadline, one line in the log, one sample in the meters.

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, Instant};

use tonic::metadata::{KeyRef, MetadataMap};
use tonic::{Code, Response, Status};
use tracing::Instrument;

use crate::telemetry::recent::{Ended, UNKNOWN_AGENT};
use crate::telemetry::{self, AGENT_HEADER, Meters};

/// Runs a call and records it.
pub(super) async fn observe<T>(
    meters: &Meters,
    method: &'static str,
    metadata: &MetadataMap,
    work: impl Future<Output = Result<T, Status>>,
) -> Result<Response<T>, Status> {
    let carrier: Vec<(String, String)> = metadata
        .keys()
        .filter_map(|key| match key {
            KeyRef::Ascii(key) => Some((key.to_string(), metadata.get(key)?.to_str().ok()?.to_owned())),
            KeyRef::Binary(_) => None,
        })
        .filter(|(key, _)| telemetry::is_context_header(key))
        .collect();
    let named = agent(metadata);
    let span = telemetry::request_span(method, meters.server(), named.as_deref(), &carrier);
    let agent = named.as_deref().unwrap_or(UNKNOWN_AGENT);
    async {
        let started = Instant::now();
        let _active = meters.active(method);
        let mut unfinished = Unfinished { meters, method, agent, started, armed: true };
        let result = match asked_timeout(metadata) {
            // A moment before the transport would cut the call off without a word.
            Some(asked) => {
                let limit = asked.min(MAX_DEADLINE).saturating_sub(CUT_OFF_MARGIN);
                let late = |_| Status::deadline_exceeded("the caller's deadline has passed");
                tokio::time::timeout(limit, work).await.map_err(late).and_then(|result| result)
            }
            None => work.await,
        };
        unfinished.armed = false;
        let took = started.elapsed();
        let code = result.as_ref().map_or_else(Status::code, |_| Code::Ok);
        meters.call(method, code_name(code), took);
        note(meters, method, Some(agent), code, took);
        let duration_ms = took.as_secs_f64() * 1e3;
        match &result {
            // Method, status and all that is known of a selection are fields of the span.
            Ok(_) => tracing::info!(duration_ms, "call answered"),
            Err(status) => {
                tracing::info!(duration_ms, "call refused");
                // The reason may quote the caller's own text, which stays out of the log unless someone looks for it.
                tracing::debug!(error.message = status.message(), "call refused because");
            }
        }
        result.map(Response::new)
    }
    .instrument(span)
    .await
}

/// A call that is dropped half way, because its caller went, is counted and logged all the same.
struct Unfinished<'a> {
    meters: &'a Meters,
    method: &'static str,
    agent: &'a str,
    started: Instant,
    armed: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.armed {
            let took = self.started.elapsed();
            self.meters.call(self.method, code_name(Code::Cancelled), took);
            note(self.meters, self.method, Some(self.agent), Code::Cancelled, took);
            tracing::info!(duration_ms = took.as_secs_f64() * 1e3, "caller went");
        }
    }
}

/// Adds a selection's end to what the last minutes were like. Without an agent nobody knows who called: it was turned away at the door.
pub(super) fn note(meters: &Meters, method: &str, agent: Option<&str>, code: Code, took: Duration) {
    if matches!(method, "toolrouter.v1.ToolRouter/SelectTools" | "toolrouter.v1.ToolRouter/RankTools") {
        meters.recent().call(Instant::now(), agent, ended(code), took);
    }
}

/// The agent that calls, by its own word; nothing where it gives none.
pub(super) fn agent(metadata: &MetadataMap) -> Option<Cow<'_, str>> {
    let baggage = metadata.get_all("baggage").into_iter().filter_map(|value| value.to_str().ok());
    let header = metadata.get(AGENT_HEADER).and_then(|value| value.to_str().ok());
    telemetry::agent_name(baggage, header)
}

/// What a code says about the router; what the caller did wrong, or no longer wanted, is no error of it.
fn ended(code: Code) -> Ended {
    match code {
        Code::Unknown | Code::DeadlineExceeded | Code::Internal | Code::Unavailable | Code::DataLoss => Ended::Failed,
        Code::ResourceExhausted => Ended::Shed,
        _ => Ended::Well,
    }
}

/// How long before its deadline a call is answered with DEADLINE_EXCEEDED.
const CUT_OFF_MARGIN: Duration = Duration::from_millis(1);

/// Longest deadline that is believed; a longer one means "none", and time arithmetic stays far from its limits.
const MAX_DEADLINE: Duration = Duration::from_secs(3_600);

/// When the caller stops waiting: its `grpc-timeout`, or the configured default.
pub(super) fn deadline(metadata: &MetadataMap, default: Duration) -> Instant {
    Instant::now() + asked_timeout(metadata).unwrap_or(default).min(MAX_DEADLINE)
}

fn asked_timeout(metadata: &MetadataMap) -> Option<Duration> {
    metadata.get("grpc-timeout").and_then(|value| value.to_str().ok()).and_then(parse_timeout)
}

/// gRPC's timeout header: up to 8 digits and a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || 8 < digits.len() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(n * 3_600),
        "M" => Duration::from_secs(n * 60),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    })
}

/// gRPC's name of a code, as OpenTelemetry wants it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let check = |text, expected: Option<Duration>| assert_eq!(parse_timeout(text), expected, "{text}");
        check("5S", Some(Duration::from_secs(5)));
        check("250m", Some(Duration::from_millis(250)));
        check("99999999H", Some(Duration::from_secs(99_999_999 * 3_600)));
        check("123456789S", None);
        check("S", None);
        check("", None);
        check("5é", None);
        check("-5S", None);
    }
}
