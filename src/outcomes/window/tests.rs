//! The last hour against a list of everything that happened.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::outcomes::{Cited, Outcome};

const NOW: u64 = 29_000_000 * MINUTE_MS;

fn counted(agent: &str, tool: &str, outcome: Outcome, latency_ms: u64) -> Counted {
    Counted {
        tenant: TenantId::default(),
        tool: ToolId::new("s", tool).unwrap(),
        outcome,
        error_class: String::new(),
        latency: Some(Duration::from_millis(latency_ms)),
        input_tokens: None,
        output_tokens: None,
        place: None,
        agent: agent.into(),
        traceparent: String::new(),
        selection: Cited::Nothing,
        is_kept: true,
    }
}

/// `agent>tool calls/errors`, with `_OTHER` for those without figures of their own.
fn told(window: &Window, minutes: u64, now_ms: u64) -> Vec<String> {
    let name = |edge: &Edge| edge.tool.as_ref().map_or(OTHER.to_owned(), |(_, tool)| tool.name().to_owned());
    let edges = window.edges(minutes, now_ms);
    edges.iter().map(|edge| format!("{}>{} {}/{}", edge.agent, name(edge), edge.calls, edge.errors)).collect()
}

#[test]
fn totals_and_edges_of_the_asked_minutes() {
    let mut window = Window::default();
    window.call(&counted("planner", "read", Outcome::Ok, 10), NOW);
    window.call(&counted("planner", "read", Outcome::Timeout, 900), NOW + MINUTE_MS);
    window.call(&counted("", "write", Outcome::Cancelled, 10), NOW + MINUTE_MS);
    window.shown(&TenantId::default(), &ToolId::new("s", "write").unwrap(), NOW + 2 * MINUTE_MS);
    let now = NOW + 2 * MINUTE_MS;
    assert_eq!(told(&window, 60, now), [">write 1/0", "planner>read 2/1"]);
    assert_eq!(told(&window, 2, now), [">write 1/0", "planner>read 1/1"]);
    assert!(told(&window, 1, now).is_empty());
    let tools = window.tools(60, now);
    let names: Vec<_> = tools.iter().map(|t| (t.tool.as_ref().unwrap().1.name(), t.returned, t.calls, t.errors)).collect();
    assert_eq!(names, [("read", 0, 2, 1), ("write", 1, 1, 0)]);
    assert!(Duration::from_millis(500) < tools[0].p95.unwrap());
    assert_eq!(window.tools(1, now)[0].p95, None);
    assert_eq!(Window::length(2, now + 1_000), Duration::from_millis(MINUTE_MS + 1_000));
}

#[test]
fn names_are_bounded_and_free_again_after_an_hour() {
    let mut window = Window::bounded(2, 3, 4);
    for agent in ["a", "b", "c", "d"] {
        for tool in ["1", "2", "3", "4", "5"] {
            window.call(&counted(agent, tool, Outcome::Ok, 1), NOW);
        }
    }
    // Agents without a place come first by name; pairs past the fourth share their agent's.
    assert_eq!(told(&window, 60, NOW), ["_OTHER>_OTHER 10/0", "a>1 1/0", "a>2 1/0", "a>3 1/0", "a>_OTHER 2/0", "b>_OTHER 5/0"]);
    assert_eq!(window.tools(60, NOW).last().unwrap().tool, None);
    let later = NOW + 60 * MINUTE_MS;
    window.call(&counted("d", "5", Outcome::Ok, 1), later);
    assert_eq!(told(&window, 60, later), ["d>5 1/0"]);
}

#[test]
fn a_flood_stays_bounded() {
    let mut window = Window::default();
    for i in 0..200_000_u64 {
        let (agent, tool) = (format!("agent-{}", i % 1_000), format!("tool-{}", i % 7_919));
        window.call(&counted(&agent, &tool, Outcome::Error, i), NOW + i * 20);
    }
    let now = NOW + 200_000 * 20;
    assert_eq!(window.tools(60, now).len(), MAX_TOOLS + 1);
    assert!(window.minutes.len() <= 60 && window.minutes.iter().all(|m| m.edges.len() <= MAX_EDGES + MAX_AGENTS + 1));
    assert!(window.edges(60, now).len() <= (MAX_AGENTS + 1) * (MAX_TOOLS + 1));
}

#[test]
fn a_clock_that_is_set_back_loses_little_and_one_that_leaps_loses_the_past() {
    let mut window = Window::default();
    window.call(&counted("a", "t", Outcome::Ok, 1), NOW);
    window.call(&counted("a", "t", Outcome::Ok, 1), NOW - 5 * MINUTE_MS);
    assert_eq!(told(&window, 60, NOW), ["a>t 2/0"]);
    window.call(&counted("a", "t", Outcome::Ok, 1), NOW - 90 * MINUTE_MS);
    assert_eq!(told(&window, 60, NOW - 90 * MINUTE_MS), ["a>t 1/0"]);
    window.call(&counted("a", "t", Outcome::Ok, 1), NOW + 900 * MINUTE_MS);
    assert_eq!(window.minutes.len(), 1);
}

proptest! {
    #[test]
    fn is_the_end_of_a_list(events in prop::collection::vec((0..4_u64, 0..3_u8, 0..5_u8, any::<bool>()), 0..200), minutes in 1..80_u64) {
        let (mut window, mut list, mut now) = (Window::default(), Vec::new(), NOW);
        for (wait, agent, tool, failed) in events {
            now += wait * 7 * MINUTE_MS / 3;
            let (agent, tool) = (format!("a{agent}"), format!("t{tool}"));
            window.call(&counted(&agent, &tool, if failed { Outcome::Error } else { Outcome::Ok }, 1), now);
            list.push((now, agent, tool, failed));
        }
        let from = (minute_of(now) + 1 - minutes.min(60)) * MINUTE_MS;
        let mut expected: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
        for (_, agent, tool, failed) in list.into_iter().filter(|(at, ..)| from <= *at) {
            let counts = expected.entry((agent, tool)).or_default();
            *counts = (counts.0 + 1, counts.1 + u64::from(failed));
        }
        let expected: BTreeSet<String> =
            expected.into_iter().map(|((agent, tool), (calls, errors))| format!("{agent}>{tool} {calls}/{errors}")).collect();
        prop_assert_eq!(told(&window, minutes, now).into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
