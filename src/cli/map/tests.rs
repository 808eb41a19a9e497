//! Drawings stay whole whatever parties are called.

use proptest::prelude::*;

use super::*;

fn node(kind: Kind, id: &str, label: &str) -> MapNode {
    MapNode { id: id.into(), kind: kind.into(), label: label.into() }
}

fn edge(from: &str, to: &str, calls: u64, errors: u64) -> MapEdge {
    let ratio = if calls == 0 { 0.0 } else { errors as f64 / calls as f64 };
    MapEdge {
        caller: from.into(),
        callee: to.into(),
        calls,
        errors,
        rate: calls as f64 / 900.0,
        error_ratio: ratio,
        p95_micros: (0 < calls).then_some(12_345),
    }
}

/// A map where every name is `name`, as far as that goes.
fn named(name: &str) -> GetMapResponse {
    let (agent, tool, source) = (format!("agent:{name}"), format!("tool:{name}"), format!("source:{name}"));
    GetMapResponse {
        at_ms: 1,
        window_ms: 900_000,
        nodes: vec![
            node(Kind::Agent, &agent, name),
            node(Kind::Router, "router", "tool-router"),
            node(Kind::Store, "store", name),
            node(Kind::Source, &source, name),
            node(Kind::Tool, &tool, name),
            node(Kind::Tool, "tool:idle", "idle"),
        ],
        edges: vec![
            edge(&agent, "router", 900, 1),
            edge(&agent, &tool, 90, 30),
            edge("router", &source, 3, 0),
            edge("router", "store", 0, 0),
            edge("router", "nobody", 7, 0),
        ],
    }
}

/// Follows Graphviz's grammar as far as strings go: what is outside of them is ours alone.
fn assert_dot(text: &str) {
    let mut chars = text.chars();
    let mut outside = String::new();
    while let Some(c) = chars.next() {
        if c != '"' {
            outside.push(c);
            continue;
        }
        loop {
            match chars.next().expect("the string ends") {
                '"' => break,
                '\\' => assert!(matches!(chars.next(), Some('"' | '\\')), "an escape of ours"),
                c => assert!(!c.is_control(), "{c:?} in a string"),
            }
        }
    }
    let ours = |c: char| c.is_ascii_alphanumeric() || " \n{}[]=,;->_.".contains(c);
    assert!(outside.chars().all(ours), "{outside}");
    assert_eq!(outside.matches('{').count(), outside.matches('}').count());
}

/// Follows XML's grammar as far as this drawing uses it.
fn assert_xml(text: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (words, tail) = rest.split_at(at);
        assert_text(words);
        let end = tail.find('>').expect("the tag ends");
        let (tag, after) = (&tail[1..end], &tail[end + 1..]);
        assert!(!tag.contains('<'), "{tag}");
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphabetic).collect();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "{tag}");
        } else {
            let quotes = tag.matches('"').count();
            assert!(quotes.is_multiple_of(2) && tag.split('"').step_by(2).all(|outside| !outside.contains('&')), "{tag}");
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} stay open, then {rest:?}");
}

fn assert_text(text: &str) {
    assert!(
        text.chars()
            .all(|c| c == '\n' || !c.is_control() && !matches!(c, '>' | '"' | '\u{fffe}' | '\u{ffff}') || text.contains("svg {")),
        "{text:?}"
    );
    for (at, _) in text.match_indices('&') {
        let entity = text[at..].split(';').next().unwrap_or_default();
        assert!(["&amp", "&lt", "&gt", "&quot", "&#39"].contains(&entity), "{text:?}");
    }
}

fn check(name: &str) {
    let map = named(name);
    assert_dot(&dot::draw(&map));
    assert_xml(&svg::draw(&map));
}

#[test]
fn names_of_others_break_no_drawing() {
    for name in [
        "",
        "planner",
        "a\"b\\",
        "\"];}",
        "a\nb\r\0c",
        "<script>alert(1)</script>",
        "&lt;&#x41;",
        "]]>--><!--",
        "\u{ffff}\u{202e}",
    ] {
        check(name);
    }
    check(&"n".repeat(300));
    check(&"도".repeat(300));
    check(&"\\".repeat(299));
}

proptest! {
    #[test]
    fn no_text_breaks_a_drawing(name in any::<String>()) {
        check(&name);
    }
}

#[test]
fn a_map_for_graphviz() {
    let text = dot::draw(&named("a\"b"));
    assert!(text.contains(r#"n0 [label="a\"b", tooltip="agent:a\"b", shape=ellipse"#), "{text}");
    assert!(
        text.contains(
            r#"n0 -> n4 [label="0.10/s · 33 % failed · p95 12 ms", color="\#c0392b", style=solid"#.replace('\\', "").as_str()
        ),
        "{text}"
    );
    assert!(text.contains("n1 -> n2 [label=\"\", color=\"#999999\", style=dashed"), "{text}");
    assert_eq!(text.matches("->").count(), 4, "an edge to a party that is not there is left out");
}

#[test]
fn a_map_as_a_drawing() {
    let text = svg::draw(&named("planner"));
    for words in [
        "1.0/s · 0.1 % failed · p95 12 ms",
        "0.10/s · 33 % failed",
        "Agents",
        "Sources",
        "over the last 15 min",
        "one more tool was returned",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains(">idle<"), "tools that nobody called are only counted");
    let empty = svg::draw(&GetMapResponse::default());
    assert_xml(&empty);
}
