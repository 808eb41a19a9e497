//! A kept selection beside what it gives now, as a text and as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use serde_json::value::RawValue;

use super::difference::{Side, differences};
use crate::cli::Exit;
use crate::replay::{Outcome, Record};
use crate::rpc::proto::SelectToolsResponse;
use crate::rpc::replay::{Replayed, recorded};
use crate::rpc::to_json;

/// Tools of an answer that are shown.
const SHOWN: usize = 20;

/// Both.
pub(super) struct Seen<'a> {
    record: &'a Record,
    then: Option<SelectToolsResponse>,
    /// Or why it was not run again.
    now: Result<Replayed, String>,
    differences: Vec<String>,
    today: bool,
}

impl<'a> Seen<'a> {
    pub(super) fn of(record: &'a Record, now: Result<Replayed, String>, today: bool) -> Result<Self, Exit> {
        let then = recorded(record).map_err(Exit::failed)?;
        let mut seen = Self { record, then, now, differences: Vec::new(), today };
        if let (Some(then), Ok(now), Some(false)) = (&seen.then, &seen.now, seen.is_equal()) {
            let sides = [(then, &record.candidates), (&now.answer, &now.candidates)];
            let [then, now] = sides.map(|(answer, candidates)| Side { answer, candidates });
            seen.differences = differences(then, now);
            if record.made_with.version != env!("CARGO_PKG_VERSION") {
                let version = env!("CARGO_PKG_VERSION");
                seen.differences.push(format!("build: {} then, {version} now", record.made_with.version));
            }
        }
        Ok(seen)
    }

    /// Whether the answer is the same to the byte; today's catalogue may have another version. Nothing where there is none to compare.
    pub(super) fn is_equal(&self) -> Option<bool> {
        let (Outcome::Answer { sha256, .. }, Ok(now)) = (&self.record.outcome, &self.now) else { return None };
        let unversioned = |answer: &SelectToolsResponse| SelectToolsResponse { catalog_version: String::new(), ..answer.clone() };
        let same_tools = || self.then.as_ref().is_some_and(|then| unversioned(then) == unversioned(&now.answer));
        Some(*sha256 == now.sha256 || (self.today && same_tools()))
    }

    pub(super) fn text(&self) -> String {
        let Record { trace_id, selection_id, reason, took_us, made_with, .. } = self.record;
        let took = *took_us as f64 / 1e3;
        let mut lines = vec![
            format!("selection {selection_id} of trace {trace_id}, {}", ago(self.record.at_ms)),
            format!(
                "kept because: {}; took {took:.1} ms; model {}, numerics {}",
                reason.name(),
                made_with.model,
                made_with.numerics
            ),
        ];
        lines.extend(self.record.moment.by_words.iter().map(|why| format!("by words alone, then and again: {why}")));
        lines.extend(self.record.moment.not_reranked.iter().map(|why| format!("{why}, then and again")));
        if let Outcome::Error { code, message } = &self.record.outcome {
            lines.push(format!("recorded: {code}{}", if message.is_empty() { String::new() } else { format!(": {message}") }));
        }
        match (&self.now, &self.then) {
            (Err(why_not), then) => {
                lines.push(format!("not run again: {why_not}"));
                if let Some(then) = then {
                    lines.push(format!("the decision was {}", decision(then)));
                }
            }
            (Ok(now), None) => lines.push(format!("the same request gives now {}", decision(&now.answer))),
            (Ok(now), Some(_)) if self.is_equal() == Some(true) => {
                let tools = now.answer.tools.len();
                lines.push(format!("equal: {tools} tools, sha256 {}", now.sha256));
            }
            (Ok(now), Some(then)) => {
                lines.push(format!("different: {} tools then, {} now", then.tools.len(), now.answer.tools.len()));
                lines.extend(self.differences.iter().map(|difference| format!("  {difference}")));
            }
        }
        lines.join("\n")
    }

    pub(super) fn json(&self) -> Result<String, Exit> {
        let raw = |answer: &SelectToolsResponse| {
            let text = to_json(answer).map_err(Exit::failed)?;
            RawValue::from_string(text).map_err(|e| Exit::failed(e.to_string()))
        };
        let Record { trace_id, selection_id, at_ms, took_us, reason, .. } = self.record;
        let (sha256, error) = match &self.record.outcome {
            Outcome::Answer { sha256, .. } => (Some(sha256), None),
            Outcome::Error { code, message } => (None, Some(json!({ "code": code, "message": message }))),
        };
        let now = self.now.as_ref();
        let line = json!({
            "trace_id": trace_id, "selection_id": selection_id, "at_ms": at_ms, "took_us": took_us, "reason": reason.name(),
            "made_with": self.record.made_with,
            "equal": self.is_equal(),
            "differences": self.differences,
            "then": { "sha256": sha256, "error": error, "answer": self.then.as_ref().map(raw).transpose()? },
            "now": {
                "sha256": now.ok().map(|now| &now.sha256),
                "not_run": now.err(),
                "answer": now.ok().map(|now| raw(&now.answer)).transpose()?,
            },
        });
        Ok(line.to_string())
    }
}

fn decision(answer: &SelectToolsResponse) -> String {
    if let Some(no_match) = &answer.no_match {
        return format!("no tool: {}", no_match.detail);
    }
    let shown = answer.tools.iter().take(SHOWN).map(|tool| format!("{}/{} ({:.3})", tool.source, tool.tool, tool.score));
    let more = answer.tools.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{} tools: {}{more}", answer.tools.len(), shown.collect::<Vec<_>>().join(", "))
}

fn ago(at_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let seconds = u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(at_ms) / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7_199 => format!("{} min ago", seconds / 60),
        7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}
