//! Between selections and their replay records: what is kept of a call, and a request that is run again.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prost::Message;
use serde_json::value::RawValue;
use tonic::{Code, Response, Status};

use super::convert::{self, Include};
use super::observe::code_name;
use super::{from_json, proto, to_json};
use crate::catalog::TenantCatalog;
use crate::replay::{Candidate, Draft, Outcome, Reason, Record, Recorder, Redact, Told};
use crate::select::{Again, Answer, CANDIDATES, Selector, Trace};
use crate::store::ring::hash_bytes;

/// Longer requests are not kept: what would be copied for every call is not to be felt.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// A call that may be kept when it has ended.
pub(super) struct Taking<'a> {
    recorder: &'a Recorder,
    /// As it came, which answering it uses up; nothing where it is too long.
    request: Option<proto::SelectToolsRequest>,
    is_asked: bool,
    started: Instant,
}

/// How far a call came.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) trace_id: String,
    pub(super) catalogue: Option<Arc<TenantCatalog>>,
    pub(super) tokenizer: Option<String>,
    pub(super) answered: Option<Answered>,
}

/// An answer, and how it was told.
pub(super) struct Answered {
    pub(super) answer: Arc<Answer>,
    pub(super) trace: Trace,
    pub(super) include: Include,
    pub(super) explain: bool,
}

impl<'a> Taking<'a> {
    /// Where selections are kept.
    pub(super) fn begin(recorder: Option<&'a Recorder>, request: &proto::SelectToolsRequest) -> Option<Self> {
        let copied = || (request.encoded_len() <= MAX_REQUEST_BYTES).then(|| request.clone());
        let is_asked = request.keep_replay;
        recorder.map(|recorder| Self { recorder, request: copied(), is_asked, started: Instant::now() })
    }

    /// Hands the call over, where there is a reason to keep it. `current` gives the catalogue to calls that came to none.
    pub(super) fn end(
        self,
        seen: Seen,
        result: &Result<Response<proto::SelectToolsResponse>, Status>,
        current: impl FnOnce() -> Arc<TenantCatalog>,
    ) {
        let took = self.started.elapsed();
        let Some(reason) = self.reason(&seen, result, took) else { return };
        let Self { recorder, request, .. } = self;
        let Some(request) = request else { return recorder.give_up() };
        let selection_id = match result {
            Ok(response) => response.get_ref().meta.as_ref().map(|meta| meta.selection_id.clone()).unwrap_or_default(),
            Err(_) => format!("{:032x}", rand::random::<u128>()),
        };
        let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let bytes = request.encoded_len() as u64;
        let failed = result.as_ref().err().map(|status| (code_name(status.code()), status.message().to_owned()));
        let Seen { trace_id, catalogue, tokenizer, answered } = seen;
        let (answered, trace) = match answered {
            Some(Answered { answer, trace, include, explain }) => (Some((answer, include, explain)), trace),
            None => (None, Trace::default()),
        };
        let tell = move |redact| {
            let outcome = match (answered, failed) {
                (Some((answer, include, explain)), None) => answer_told(&answer, include, explain, redact)?,
                (_, failed) => {
                    let (code, message) = failed.unwrap_or_default();
                    // It may quote the caller's own text.
                    let message = if redact == Redact::None { message } else { String::new() };
                    Outcome::Error { code: code.to_owned(), message }
                }
            };
            let kept = if redact == Redact::None { Some(raw(&request)?) } else { None };
            Ok(Told { request: kept, request_sha256: sha256(&request), outcome })
        };
        recorder.offer(Draft {
            trace_id,
            selection_id,
            at_ms: u64::try_from(at_ms).unwrap_or(u64::MAX),
            took,
            reason,
            catalogue: catalogue.unwrap_or_else(current),
            tokenizer,
            trace,
            bytes,
            tell: Box::new(tell),
        });
    }

    fn reason<T>(&self, seen: &Seen, result: &Result<T, Status>, took: Duration) -> Option<Reason> {
        let moment = seen.answered.as_ref().map(|answered| &answered.trace.moment);
        match result.as_ref().map_or_else(Status::code, |_| Code::Ok) {
            Code::Unknown | Code::Internal | Code::DeadlineExceeded | Code::Unavailable => Some(Reason::Error),
            Code::ResourceExhausted => Some(Reason::Shed),
            Code::Ok if self.recorder.options().slow < took => Some(Reason::Slow),
            Code::Ok if moment.is_some_and(|moment| !moment.is_usual()) => Some(Reason::Degraded),
            Code::Ok if self.is_asked => Some(Reason::Asked),
            // What the caller got wrong is told to the caller.
            _ => None,
        }
    }
}

/// The answer without `meta`, where everything lives that differs between two equal ones.
fn bare(answer: &Answer, include: Include, explain: bool) -> proto::SelectToolsResponse {
    let told = convert::answer(answer, include, explain, &Trace::default(), (String::new(), String::new(), String::new()));
    proto::SelectToolsResponse { meta: None, ..told }
}

fn answer_told(answer: &Answer, include: Include, explain: bool, redact: Redact) -> Result<Outcome, String> {
    let mut message = bare(answer, include, explain);
    let sha256 = sha256(&message);
    if redact == Redact::Text {
        message.condensed = String::new();
    }
    Ok(Outcome::Answer { sha256, answer: raw(&message)? })
}

fn raw<M: prost::Name>(message: &M) -> Result<Box<RawValue>, String> {
    RawValue::from_string(to_json(message)?).map_err(|e| e.to_string())
}

fn sha256(message: &impl Message) -> String {
    hex::encode(hash_bytes(&message.encode_to_vec()))
}

/// What a selection that was run again gave.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The answer, without `meta`.
    pub answer: proto::SelectToolsResponse,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// The head of the ranking, best first.
    pub candidates: Vec<Candidate>,
}

/// Runs a recorded request again, in `catalogue`.
///
/// # Errors
/// The request was not kept, or is none that this router takes; the model failed.
pub async fn run_again(
    record: &Record,
    selector: &Selector,
    catalogue: &Arc<TenantCatalog>,
    again: &Again,
) -> Result<Replayed, String> {
    let request = record.request.as_ref().ok_or("the request was not kept")?;
    let mut request: proto::SelectToolsRequest = from_json(request.get()).map_err(|e| format!("the request: {e}"))?;
    if let Some(tokenizer) = &record.tokenizer {
        // Which one counts where a request names none is a setting, and may be another now.
        request.budget.get_or_insert_default().tokenizer = Some(tokenizer.clone());
    }
    let words = |violations: Vec<crate::error::Violation>| {
        let all = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        format!("this router, as it is configured, does not take the request: {all}")
    };
    let (input, include) = convert::input(request).map_err(words)?;
    let request = selector.check(input).map_err(words)?;
    let (answer, trace) = selector.select_again(catalogue, &request, again).await.map_err(|e| e.to_string())?;
    // Everything is waited for, so what is momentary now and was not then is a failure of this run.
    let (then, now) = (&again.moment, &trace.moment);
    let is_worse = (then.by_words.is_none() && now.by_words.is_some())
        || (then.not_reranked.is_none() && now.not_reranked.is_some())
        || (then.late.is_none() && now.late.is_some());
    if is_worse {
        return Err(format!("running it again did not work as it should: {}", answer.degraded_reason));
    }
    let answer = bare(&answer, include, request.explain);
    let candidates = trace.ranked.iter().take(CANDIDATES).filter_map(|scored| Candidate::of(catalogue, scored)).collect();
    Ok(Replayed { sha256: sha256(&answer), answer, candidates })
}

/// The answer that was recorded; nothing where there was none.
///
/// # Errors
/// It is no answer of this build.
pub fn recorded(record: &Record) -> Result<Option<proto::SelectToolsResponse>, String> {
    match &record.outcome {
        Outcome::Answer { answer, .. } => from_json(answer.get()).map(Some).map_err(|e| format!("the answer: {e}")),
        Outcome::Error { .. } => Ok(None),
    }
}
