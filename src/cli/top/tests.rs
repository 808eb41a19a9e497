//! The screen, drawn into memory.

use super::view::Link;
use super::*;
use crate::rpc::proto::{Condition, SourceState, SourceStatus, StoreStatus, ToolRef, ToolTraffic, Traffic};

fn traffic(calls: u64) -> Traffic {
    Traffic {
        window_ms: 58_000,
        calls,
        errors: calls / 100,
        sheds: 0,
        lexical: calls / 50,
        no_match: calls / 20,
        p50_micros: Some(3_140),
        p95_micros: Some(8_200),
        p99_micros: Some(12_900),
        eligible_tokens: calls.saturating_mul(9_000),
        returned_tokens: calls.saturating_mul(700),
        saved_tokens: calls.saturating_mul(8_300),
    }
}

fn tool(source: &str, name: &str, returned: u64, calls: u64, errors: u64) -> ToolTraffic {
    let tool = Some(ToolRef { source: source.into(), tool: name.into() });
    ToolTraffic { tool, returned, calls, errors, p95_micros: (0 < calls).then_some(182_000) }
}

fn source(name: &str, state: SourceState, tools: u32) -> SourceStatus {
    SourceStatus { source: name.into(), state: state.into(), tools, age_ms: Some(42_000), ..Default::default() }
}

fn status(calls: u64) -> GetStatusResponse {
    GetStatusResponse {
        version: "0.1.0".into(),
        instance_id: "4f".into(),
        started_at_ms: 1_000_000,
        now_ms: 12_000_000,
        model_id: "tool-minilm-l6-int8".into(),
        enabled_tools: 1_087,
        store: Some(StoreStatus { place: "router.db".into(), up: true, away_ms: 0 }),
        total: Some(traffic(calls)),
        last_minute: Some(traffic(700)),
        tools: vec![
            tool("files", "read_file", 412, 380, 2),
            tool("mail", "send", 198, 40, 30),
            tool("npm/fs", "\u{1b}[2Jlist\nall", 77, 0, 0),
        ],
        sources: vec![source("files", SourceState::Synced, 7), source("tickets", SourceState::Failing, 12)],
        conditions: vec![Condition {
            name: "ToolRouterSourceDown".into(),
            severity: "ticket".into(),
            detail: "source tickets failed 4 times on end: it ended with code 1".into(),
            since_ms: Some(130_000),
        }],
        ..Default::default()
    }
}

/// A view that has seen a router with more and less to do.
fn seen(begun: Instant) -> View {
    let mut view = View::new("http://127.0.0.1:7431");
    let mut calls = 10_000;
    for n in 0..60_u64 {
        calls += 4 + (n * 7) % 19;
        view.take(begun + Duration::from_secs(n), Ok(status(calls)));
    }
    view
}

#[test]
fn a_router_at_work() {
    let begun = Instant::now();
    insta::assert_snapshot!(picture(&seen(begun), begun + Duration::from_secs(60), (100, 32)).unwrap(), @r"
     tool-router 0.1.0  up 3 h  1,087 tools  tool-minilm-l6-int8  http://127.0.0.1:7431
     live
    ╭ Selections ────────────────────────────────────────────╮╭ Duration, last minute ─────────────────╮
    │ 18.0/s now   12.1/s last minute   10,774 in all        ││ median  3.1 ms                         │
    │   █ ▂  ▄  ▆ ▁  ▃  ▅  █ ▂  ▄  ▆ ▁  ▃  ▅  █ ▂  ▄  ▆ ▁  ▃ ││ 95 %    8.2 ms                         │
    │  ██▂█ ▅█ ▇█▁█ ▄█ ▆█ ██▂█ ▅█ ▇█▁█ ▄█ ▆█ ██▂█ ▅█ ▇█▁█ ▄█ ││ 99 %    13 ms                          │
    │ █████▅██▇████▄██▆███████▅██▇████▄██▆███████▅██▇████▄██ ││ ██████████████████████████████████████ │
    │ errors   1.0 %    turned away 0 %                      ││ ██████████████████████████████████████ │
    │ by words 2.0 %    no tool     5.0 %                    ││ median over time                       │
    ╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────╯
    ╭ Tokens ──────────────────────────────────────────────────────────────────────────────────────────╮
    │ 92 % saved in the last minute, 149,400/s now; 89,424,200 in all (92 %)  ━━━━━━━━━━━━━━━━━━━━━━── │
    ╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
    ╭ Hottest tools, 15 min ─────────────────────────────────╮╭ Sources ───────────────────────────────╮
    │ tool                returned    calls  errors      p95 ││ source       state      tools   synced │
    │ files/read_file          412      380   0.5 %   182 ms ││ files        synced         7     42 s │
    │ mail/send                198       40    75 %   182 ms ││ tickets      failing       12     42 s │
    │ npm%2Ffs/�[2Jlis…         77        0       -        - ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    │                                                        ││                                        │
    ╰────────────────────────────────────────────────────────╯╰────────────────────────────────────────╯
    ╭ Conditions ──────────────────────────────────────────────────────────────────────────────────────╮
    │ ToolRouterSourceDown for 2 min: source tickets failed 4 times on end: it ended with code 1       │
    ╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
     q quit   p pause
    ");
}

#[test]
fn a_router_that_goes_away_and_comes_back() {
    let begun = Instant::now();
    let mut view = seen(begun);
    let at = |seconds| begun + Duration::from_secs(seconds);
    let shown = |view: &View, now| picture(view, now, (100, 32)).unwrap();
    view.take(at(60), Err("no router answers\nmore".into()));
    view.take(at(90), Err("no router answers".into()));
    let away = shown(&view, at(100));
    assert!(away.contains("away for 41 s; the figures are from before: no router answers"), "{away}");
    assert!(away.contains("- now") && away.contains("read_file"), "{away}");
    let points = view.calls.len();
    view.take(at(101), Ok(status(20_000)));
    assert_eq!((view.link.clone(), view.now, view.calls.len()), (Link::Live, None, points), "that is no rate of now");
    view.take(at(102), Ok(status(20_010)));
    assert_eq!(view.now.map(|rates| rates.calls), Some(10.0));
    view.take(at(103), Ok(GetStatusResponse { instance_id: "50".into(), ..status(3) }));
    assert_eq!((view.now, view.restarts), (None, 1));
    assert!(shown(&view, at(103)).contains("live; it began anew once"));
}

#[test]
fn a_pause_keeps_what_is_shown() {
    let begun = Instant::now();
    let mut view = seen(begun);
    view.toggle_pause();
    view.take(begun + Duration::from_secs(60), Err("gone".into()));
    assert!(picture(&view, begun, (100, 32)).unwrap().contains("paused"));
    view.toggle_pause();
    view.take(begun + Duration::from_secs(600), Ok(status(1_000_000)));
    assert_eq!(view.now, None, "ten minutes are no rate of now");
}

#[test]
fn any_window_and_any_moment_can_be_drawn() {
    let begun = Instant::now();
    let empty = View::new("http://127.0.0.1:7431");
    assert!(picture(&empty, begun, (100, 32)).unwrap().contains("asking the router"));
    let mut bare = View::new("x");
    bare.take(begun, Ok(GetStatusResponse::default()));
    let mut crowded = status(u64::MAX);
    crowded.tools = (0..200).map(|n| tool(&"s".repeat(256), &"도구".repeat(60), n, u64::MAX, u64::MAX)).collect();
    crowded.conditions = vec![Condition { detail: "x".repeat(5_000), ..Default::default() }; 50];
    let mut full = View::new(&"a".repeat(500));
    full.take(begun, Ok(crowded));
    for view in [&empty, &bare, &full, &seen(begun)] {
        for (width, height) in [(1, 1), (10, 5), (40, 12), (80, 24), (250, 80)] {
            picture(view, begun, (width, height)).unwrap();
        }
    }
}

#[test]
fn times_are_read() {
    let check = |text, expected: Result<u64, &str>| {
        let read = interval(text).map(|span| span.as_millis() as u64);
        assert_eq!(read.as_ref().map_err(String::as_str), expected.as_ref().map_err(|e| *e), "{text}");
    };
    check("500ms", Ok(500));
    check("2s", Ok(2_000));
    check("3", Ok(3_000));
    check("1m", Ok(60_000));
    check("0s", Err("is no time: write 500ms, 1s or 1m"));
    check("1h", Err("is no time: write 500ms, 1s or 1m"));
    check("-1s", Err("is no time: write 500ms, 1s or 1m"));
    check("1ms", Err("lies outside 100ms to 60m"));
    check("99999999m", Err("lies outside 100ms to 60m"));
}
