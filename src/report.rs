//! Taking reports of tool calls: each outcome is checked, its tool looked up, and counted or refused by itself.
//!
//! A tool that the caller's catalogue does not have is refused. Whatever is counted by name is then bounded by what is registered, and a
//! caller that reports a million names makes nothing grow. A disabled tool counts: it is known, and calls of it may still be under way.

use std::sync::Arc;
use std::time::Duration;

use crate::browse::{self, Wanted};
use crate::catalog::TenantCatalog;
use crate::clock::Clock;
use crate::error::Violation;
use crate::outcomes::{Counted, Outcome, Outcomes, Refusal, Reported, SelectionId, Shown};
use crate::select::Answer;
use crate::tool::ToolId;

/// Most outcomes of a report.
pub const MAX_OUTCOMES: usize = 500;
/// Longest latency: a day. What takes longer was forgotten, not slow.
const MAX_LATENCY_MS: f64 = 86_400_000.0;
/// Most tokens of a turn: a hundred times the largest context there is.
const MAX_TOKENS: u64 = 100_000_000;
/// Longest name of an error's class, in bytes.
const MAX_CLASS_BYTES: usize = 64;
/// Longest id of a selection, in bytes: ours have 32, and another router's may differ.
const MAX_SELECTION_BYTES: usize = 64;
/// Longest id of a call, in bytes.
const MAX_CALL_BYTES: usize = 128;
/// Highest place: as many tools as a list may have, and some for lists that agents made of several.
const MAX_PLACE: u32 = 1_000;
/// Longest detail of a refusal, in bytes: it may quote a name, and five hundred of them are one answer.
const MAX_DETAIL_BYTES: usize = 300;

/// An outcome as it was reported.
#[derive(Clone, Debug)]
pub struct Input {
    /// The tool.
    pub tool: Wanted,
    /// How the call went.
    pub outcome: Outcome,
    /// What kind of failure; empty for none.
    pub error_class: String,
    /// How long it took, milliseconds.
    pub latency_ms: Option<f64>,
    /// Input tokens of the turn.
    pub input_tokens: Option<u64>,
    /// Output tokens of the turn.
    pub output_tokens: Option<u64>,
    /// The selection; empty for none.
    pub selection_id: String,
    /// The call; empty for none.
    pub call_id: String,
    /// W3C traceparent of the selection; empty for none.
    pub traceparent: String,
    /// Place in the selection's list.
    pub place: Option<u32>,
}

/// An outcome that was not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Its place in the report, from 0.
    pub index: usize,
    /// What is wrong with which field.
    pub violation: Violation,
    /// The kind of it.
    pub refusal: Refusal,
}

/// What became of a report.
#[derive(Debug, Default)]
pub struct Report {
    /// What was counted, in order.
    pub accepted: Vec<Counted>,
    /// How many were counted before.
    pub duplicates: usize,
    /// What was not taken, in order.
    pub refused: Vec<Refused>,
}

/// Takes reports, and what they refer to. A cheap handle.
#[derive(Clone)]
pub struct Reporter {
    outcomes: Arc<Outcomes>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

impl Reporter {
    /// Counts in `outcomes` by the time of `clock`.
    #[must_use]
    pub fn new(outcomes: Arc<Outcomes>, clock: Arc<dyn Clock>) -> Self {
        Self { outcomes, clock }
    }

    /// What is counted.
    #[must_use]
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Remembers what a selection showed. Tools that its caller brought along are nobody's to count: only those in `catalog` are.
    pub fn shown(&self, catalog: &TenantCatalog, id: SelectionId, answer: &Answer, traceparent: String, agent: Arc<str>) {
        let registered = |(tool, place): (&ToolId, u32)| Some((catalog.get(tool)?.record.tool.id.clone(), place));
        let tools = answer.tools.iter().map(|tool| &tool.id).zip(1..).filter_map(registered).collect();
        let shown = Shown { tenant: catalog.tenant().clone(), tools, traceparent, agent };
        self.outcomes.shown(id, shown, self.clock.now_ms());
    }

    /// Counts a report of `agent`, which is empty for a caller without a name. Outcomes that could not be read are in it as what is wrong
    /// with them.
    ///
    /// # Errors
    /// No outcomes, or too many.
    pub fn report(
        &self,
        catalog: &TenantCatalog,
        agent: &str,
        inputs: Vec<Result<Input, Violation>>,
    ) -> Result<Report, Violation> {
        if inputs.is_empty() {
            return Err(Violation::new("outcomes", "is empty: report at least one"));
        }
        if MAX_OUTCOMES < inputs.len() {
            return Err(Violation::new("outcomes", format!("has {} entries, the limit is {MAX_OUTCOMES}", inputs.len())));
        }
        let (now_ms, mut report) = (self.clock.now_ms(), Report::default());
        for (index, input) in inputs.into_iter().enumerate() {
            let checked =
                input.map_err(|violation| (violation, Refusal::Invalid)).and_then(|input| checked(catalog, agent, input));
            match checked {
                Ok(reported) => match self.outcomes.count(catalog.tenant(), reported, now_ms) {
                    Some(counted) => report.accepted.push(counted),
                    None => report.duplicates += 1,
                },
                Err((violation, refusal)) => {
                    let violation = Violation { description: short(violation.description), ..violation };
                    report.refused.push(Refused { index, violation, refusal });
                }
            }
        }
        Ok(report)
    }
}

/// One that can be counted, or what is wrong first.
fn checked(catalog: &TenantCatalog, agent: &str, input: Input) -> Result<Reported, (Violation, Refusal)> {
    if let Some(violation) = complaint(&input) {
        return Err((violation, Refusal::Invalid));
    }
    let entry = browse::find(catalog, &input.tool).map_err(|words| {
        let field = match input.tool {
            Wanted::Id(_) => "tool",
            Wanted::ModelName(_) => "model_name",
        };
        (Violation::new(field, words), Refusal::UnknownTool)
    })?;
    Ok(Reported {
        tool: entry.record.tool.id.clone(),
        outcome: input.outcome,
        error_class: input.error_class,
        // Within the limit, as was checked.
        latency: input.latency_ms.map(|ms| Duration::from_secs_f64(ms.max(0.0) / 1e3)),
        input_tokens: input.input_tokens,
        output_tokens: input.output_tokens,
        selection_id: input.selection_id,
        call_id: input.call_id,
        // As W3C has it for senders of garbage: no link, and nothing else is the worse for it.
        traceparent: Some(input.traceparent).filter(|text| is_traceparent(text)).unwrap_or_default(),
        place: input.place,
        agent: agent.to_owned(),
    })
}

fn complaint(input: &Input) -> Option<Violation> {
    let too_long = [
        ("selection_id", &input.selection_id, MAX_SELECTION_BYTES),
        ("error_class", &input.error_class, MAX_CLASS_BYTES),
        ("call_id", &input.call_id, MAX_CALL_BYTES),
    ];
    if let Some((field, text, most)) = too_long.into_iter().find(|(_, text, most)| *most < text.len()) {
        return Some(Violation::new(field, format!("has {} bytes, the limit is {most}", text.len())));
    }
    let in_class = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !input.error_class.bytes().all(in_class) {
        let words = format!("is {:?}, it may hold A-Z, a-z, 0-9, `_`, `.` and `-`", input.error_class);
        return Some(Violation::new("error_class", words));
    }
    // Not a number is in no range.
    if let Some(ms) = input.latency_ms.filter(|ms| !(0.0..=MAX_LATENCY_MS).contains(ms)) {
        return Some(Violation::new("latency_ms", format!("is {ms:?}, it must be 0 to {MAX_LATENCY_MS}")));
    }
    let tokens = [("input_tokens", input.input_tokens), ("output_tokens", input.output_tokens)];
    if let Some((field, Some(tokens))) = tokens.into_iter().find(|(_, tokens)| tokens.is_some_and(|n| MAX_TOKENS < n)) {
        return Some(Violation::new(field, format!("is {tokens}, the limit is {MAX_TOKENS}")));
    }
    let place = input.place.filter(|place| !(1..=MAX_PLACE).contains(place))?;
    Some(Violation::new("place", format!("is {place}, it must be 1 to {MAX_PLACE}")))
}

/// Whether a text has the form of a W3C traceparent, version 00.
fn is_traceparent(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        2 | 35 | 52 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 55 && text.starts_with("00-") && text.bytes().enumerate().all(fits)
}

fn short(mut text: String) -> String {
    if MAX_DETAIL_BYTES < text.len() {
        text.truncate(text.floor_char_boundary(MAX_DETAIL_BYTES));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests;
