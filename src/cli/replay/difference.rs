//! What differs between two answers, for people: tools first, since they are what a caller notices.

use std::collections::HashMap;

use crate::cli::select::fidelity;
use crate::replay::Candidate;
use crate::rpc::proto::{Mode, SelectToolsResponse, SelectedTool};

/// Scores that differ by less are printed alike.
const SAME_SCORE: f32 = 0.000_5;

/// An answer with the ranking that it was made from.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) answer: &'a SelectToolsResponse,
    pub(super) candidates: &'a [Candidate],
}

/// One line for everything that differs; none where all is the same.
pub(super) fn differences(then: Side<'_>, now: Side<'_>) -> Vec<String> {
    let mut lines = tools(then, now);
    let (a, b) = (then.answer, now.answer);
    let mut line = |what: &str, a: String, b: String| {
        if a != b {
            lines.push(format!("{what}: {a} then, {b} now"));
        }
    };
    line("mode", mode(a), mode(b));
    line("degraded", or_none(&a.degraded_reason), or_none(&b.degraded_reason));
    line("no match", no_match(a), no_match(b));
    line("confidence", confidence(a.confidence), confidence(b.confidence));
    let usage = |answer: &SelectToolsResponse| answer.usage.unwrap_or_default();
    let (used, uses) = (usage(a), usage(b));
    line("tokens returned", used.returned_tokens.to_string(), uses.returned_tokens.to_string());
    line("tools that could be selected", used.eligible_tools.to_string(), uses.eligible_tools.to_string());
    line("their tokens", used.eligible_tokens.to_string(), uses.eligible_tokens.to_string());
    line("catalogue", a.catalog_version.clone(), b.catalog_version.clone());
    line("left out", dropped(a), dropped(b));
    // Texts are too long to be shown here; --json has them.
    let texts = [
        ("prompt", a.prompt == b.prompt),
        ("directory", a.directory == b.directory && a.listed == b.listed),
        ("tool references", a.tool_references_json == b.tool_references_json),
        ("condensed conversation", a.condensed == b.condensed),
        ("explanations", a.explanations == b.explanations),
        ("continuity", a.continuity == b.continuity),
    ];
    lines.extend(texts.into_iter().filter(|(_, same)| !same).map(|(what, _)| format!("{what}: another text")));
    lines
}

type Id<'a> = (&'a str, &'a str);

fn id(tool: &SelectedTool) -> Id<'_> {
    (&tool.source, &tool.tool)
}

fn tools(then: Side<'_>, now: Side<'_>) -> Vec<String> {
    let places = |side: Side<'_>| -> HashMap<(String, String), usize> {
        let named = |tool: &SelectedTool| (tool.source.clone(), tool.tool.clone());
        side.answer.tools.iter().map(named).zip(1..).collect()
    };
    let (before, after) = (places(then), places(now));
    let key = |(source, tool): Id<'_>| (source.to_owned(), tool.to_owned());
    let mut lines = Vec::new();
    for (tool, place) in then.answer.tools.iter().zip(1..) {
        let (source, name) = id(tool);
        match after.get(&key(id(tool))) {
            None => lines.push(format!("- {source}/{name}, in place {place} then{}", ranked(now.candidates, id(tool)))),
            Some(at) => {
                let other = at.checked_sub(1).and_then(|at| now.answer.tools.get(at));
                let changes = other.map(|other| changes(tool, other, (place, *at), then, now)).unwrap_or_default();
                if !changes.is_empty() {
                    lines.push(format!("~ {source}/{name}: {}", changes.join("; ")));
                }
            }
        }
    }
    for (tool, place) in now.answer.tools.iter().zip(1..).filter(|(tool, _)| !before.contains_key(&key(id(tool)))) {
        let (source, name) = id(tool);
        lines.push(format!("+ {source}/{name}, in place {place} now{}", ranked(then.candidates, id(tool))));
    }
    lines
}

/// Where a tool that is missing from the list stood in the ranking.
fn ranked(candidates: &[Candidate], id: Id<'_>) -> String {
    let place = candidates.iter().position(|candidate| (candidate.source.as_str(), candidate.tool.as_str()) == id);
    match place {
        _ if candidates.is_empty() => String::new(),
        Some(place) => format!(" (ranked {} in the other)", place + 1),
        None => " (not ranked in the other)".to_owned(),
    }
}

fn changes(a: &SelectedTool, b: &SelectedTool, places: (usize, usize), then: Side<'_>, now: Side<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    let mut change = |what: &str, a: String, b: String| {
        if a != b {
            changes.push(format!("{what} {a} -> {b}"));
        }
    };
    change("place", places.0.to_string(), places.1.to_string());
    if SAME_SCORE <= (a.score - b.score).abs() {
        let score = |tool: &SelectedTool, side: Side<'_>| format!("{:.3}{}", tool.score, parts(side.candidates, id(tool)));
        change("score", score(a, then), score(b, now));
    } else {
        change("score", a.score.to_string(), b.score.to_string());
    }
    change("confidence", confidence(a.confidence), confidence(b.confidence));
    change("fidelity", fidelity(a.fidelity()).to_owned(), fidelity(b.fidelity()).to_owned());
    change("tokens", a.tokens.to_string(), b.tokens.to_string());
    change("model name", a.model_name.clone(), b.model_name.clone());
    if a.definition_json != b.definition_json {
        changes.push("its definition is another".to_owned());
    }
    if a.reasons != b.reasons {
        changes.push("its reasons are others".to_owned());
    }
    changes
}

fn parts(candidates: &[Candidate], id: Id<'_>) -> String {
    let of = candidates.iter().find(|candidate| (candidate.source.as_str(), candidate.tool.as_str()) == id);
    let Some(candidate) = of else { return String::new() };
    let meaning = candidate.best.map_or_else(String::new, |best| format!("meaning {best:.3}, "));
    format!(" ({meaning}words {:.3}, name {:.2})", candidate.words, candidate.named)
}

fn mode(answer: &SelectToolsResponse) -> String {
    match answer.mode() {
        Mode::Unspecified => "none",
        Mode::Semantic => "semantic",
        Mode::Lexical => "lexical",
    }
    .to_owned()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "no".to_owned() } else { format!("{text:?}") }
}

fn no_match(answer: &SelectToolsResponse) -> String {
    answer.no_match.as_ref().map_or_else(|| "no".to_owned(), |no_match| no_match.detail.clone())
}

fn confidence(confidence: Option<f32>) -> String {
    confidence.map_or_else(|| "none".to_owned(), |confidence| format!("{confidence:.4}"))
}

fn dropped(answer: &SelectToolsResponse) -> String {
    let one = |dropped: &crate::rpc::proto::DroppedTool| format!("{}/{} ({})", dropped.source, dropped.tool, dropped.detail);
    let all: Vec<String> = answer.dropped.iter().map(one).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::proto::{Fidelity, NoMatch};

    fn tool(name: &str, score: f32) -> SelectedTool {
        let (source, tool) = ("files".to_owned(), name.to_owned());
        SelectedTool { source, tool, score, fidelity: Fidelity::Full.into(), tokens: 50, ..SelectedTool::default() }
    }

    fn candidate(name: &str, best: f32) -> Candidate {
        let (source, tool) = ("files".to_owned(), name.to_owned());
        Candidate { source, tool, score: 0.5, best: Some(best), mean: None, words: 0.25, named: 0.5 }
    }

    #[test]
    fn tools_that_came_went_and_moved_are_told() {
        let answer = |tools| SelectToolsResponse { tools, mode: Mode::Semantic.into(), ..SelectToolsResponse::default() };
        let then = answer(vec![tool("read", 0.9), tool("write", 0.8), tool("list", 0.7)]);
        let mut now = answer(vec![tool("write", 0.8), tool("read", 0.7), tool("stat", 0.6)]);
        now.tools[0].fidelity = Fidelity::Lean.into();
        now.tools[0].definition_json = "{}".to_owned();
        now.no_match = Some(NoMatch { detail: "nothing seems to fit".to_owned(), ..NoMatch::default() });
        let (of_then, of_now) = ([candidate("read", 0.8), candidate("stat", 0.1)], [candidate("read", 0.6)]);
        let (then, now) = (Side { answer: &then, candidates: &of_then }, Side { answer: &now, candidates: &of_now });
        insta::assert_snapshot!(differences(then, now).join("\n"), @r"
        ~ files/read: place 1 -> 2; score 0.900 (meaning 0.800, words 0.250, name 0.50) -> 0.700 (meaning 0.600, words 0.250, name 0.50)
        ~ files/write: place 2 -> 1; fidelity full -> lean; its definition is another
        - files/list, in place 3 then (not ranked in the other)
        + files/stat, in place 3 now (ranked 2 in the other)
        no match: no then, nothing seems to fit now
        ");
        assert!(differences(then, then).is_empty());
    }
}
