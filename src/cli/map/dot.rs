//! The map for Graphviz. Nodes have names of our own making; what others wrote stands in quoted labels alone.

use std::collections::HashMap;
use std::fmt::Write;

use super::{Health, LABEL, busiest, drawn, figures, width};
use crate::cli::figures::cut;
use crate::rpc::proto::GetMapResponse;
use crate::rpc::proto::map_node::Kind;

/// Draws the map; `dot -Tsvg` lays it out.
pub(super) fn draw(map: &GetMapResponse) -> String {
    let mut out =
        String::from("digraph tool_router {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=11, style=filled];\n");
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=9];\n");
    let (nodes, note) = drawn(map);
    let _ = writeln!(out, "  label={};", quoted(&note));
    let names: HashMap<&str, usize> = nodes.iter().enumerate().map(|(n, node)| (node.id.as_str(), n)).collect();
    for (n, node) in nodes.iter().enumerate() {
        let (shape, colour) = match node.kind() {
            Kind::Agent => ("ellipse", "#dbe9ff"),
            Kind::Router => ("box", "#d8f3dc"),
            Kind::Store => ("cylinder", "#ececec"),
            Kind::Source => ("component", "#fff1d6"),
            Kind::Tool | Kind::Unspecified => ("note", "#f5e6ff"),
        };
        let (label, tooltip) = (quoted(&cut(&node.label, LABEL)), quoted(&node.id));
        let _ = writeln!(out, "  n{n} [label={label}, tooltip={tooltip}, shape={shape}, fillcolor=\"{colour}\"];");
    }
    let busiest = busiest(&map.edges);
    for edge in &map.edges {
        // An edge to a party that is not in the map would make one up.
        let (Some(from), Some(to)) = (names.get(edge.caller.as_str()), names.get(edge.callee.as_str())) else { continue };
        let (colour, style) = match Health::of(edge) {
            Health::Idle => ("#999999", "dashed"),
            Health::Fine => ("#3a7d44", "solid"),
            Health::Ailing => ("#b7791f", "solid"),
            Health::Failing => ("#c0392b", "solid"),
        };
        let (label, width) = (quoted(&figures(edge)), width(edge, busiest));
        let _ = writeln!(out, "  n{from} -> n{to} [label={label}, color=\"{colour}\", style={style}, penwidth={width:.1}];");
    }
    out.push('}');
    out
}

/// A quoted string that shows as `text`: Graphviz reads escapes and HTML entities within quotes too.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
