//! The map as a drawing: agents, then the router, then what is behind it. Drawn here and not by Graphviz, so that it needs nothing installed
//! and opens from a mail attachment; light or dark, as whoever looks at it has it.
//!
//! Three columns are all the layers there are, so the layout is a list of rows. Every edge that ends on the right has a row of its own
//! beside the party it ends at, and its figures stand there: labels in the middle of crossing lines would lie on each other.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::{Health, LABEL, busiest, drawn, figures, width};
use crate::cli::figures::{cut, span};
use crate::rpc::proto::map_node::Kind;
use crate::rpc::proto::{GetMapResponse, MapEdge, MapNode};

/// Room above the columns, for the titles.
const TOP: f64 = 84.0;
/// Height of a row: a line and the figures over it.
const ROW: f64 = 26.0;
/// Height of an agent: its calls of the router leave above its calls of tools.
const AGENT: f64 = 38.0;
/// Height of the router.
const ROUTER: f64 = 56.0;
/// Between two parties.
const GAP: f64 = 12.0;
/// Between parties of two kinds in a column, for the title of the second.
const GROUP: f64 = 34.0;
/// Width of a party.
const BOX: f64 = 226.0;
/// Left edges of the columns.
const COLUMNS: [f64; 3] = [24.0, 570.0, 1_116.0];
/// Width of the drawing.
const WIDTH: f64 = 1_366.0;
/// How far a line runs straight beside the party where its figures stand.
const STUB: f64 = 205.0;

const STYLE: &str = "
svg { --ground: #fcfcfa; --ink: #1d2126; --soft: #667; --line: #c9ccd1;
  --agent: #dbe9ff; --router: #d8f3dc; --store: #e9e9ec; --source: #fff0d2; --tool: #f1e4fc;
  --fine: #3a7d44; --ailing: #a86a10; --failing: #c0392b; --idle: #9aa0a8; }
@media (prefers-color-scheme: dark) { svg { --ground: #16191d; --ink: #e8eaed; --soft: #9aa3ad; --line: #444b54;
  --agent: #1f3557; --router: #1d4229; --store: #34373d; --source: #4a3a17; --tool: #3d2a50;
  --fine: #6fbf7b; --ailing: #e0a84a; --failing: #ff7b6b; --idle: #747c86; } }
text { font: 12px system-ui, sans-serif; fill: var(--ink); dominant-baseline: central; }
.title { font-size: 16px; font-weight: 600; } .soft { fill: var(--soft); }
.head { fill: var(--soft); font-weight: 600; }
.figures { font-size: 11px; paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.ground { fill: var(--ground); } .box { stroke: var(--line); }
.agent { fill: var(--agent); } .router { fill: var(--router); } .store { fill: var(--store); }
.source { fill: var(--source); } .tool { fill: var(--tool); }
.edge { fill: none; stroke-opacity: .75; }
.fine { stroke: var(--fine); } .ailing { stroke: var(--ailing); } .failing { stroke: var(--failing); }
.idle { stroke: var(--idle); stroke-dasharray: 4 4; }
.says-ailing { fill: var(--ailing); } .says-failing { fill: var(--failing); font-weight: 600; }
";

/// A party's place.
struct Place<'a> {
    node: &'a MapNode,
    column: usize,
    top: f64,
    height: f64,
    /// Rows that are taken by edges so far.
    rows: usize,
}

impl Place<'_> {
    fn middle(&self) -> f64 {
        self.top + self.height / 2.0
    }

    /// The height of the next row: below its middle, as the figures stand above.
    fn row(&mut self) -> f64 {
        self.rows += 1;
        self.top + (self.rows as f64 - 0.35) * ROW
    }
}

/// Draws the map.
pub(super) fn draw(map: &GetMapResponse) -> String {
    let (nodes, note) = drawn(map);
    let (mut places, bottom) = places(map, nodes);
    let height = bottom + 44.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Service map of a tool-router\">\n<style>{STYLE}</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    let window = span(map.window_ms);
    words(&mut out, "title", (COLUMNS[0], 24.0), "start", &format!("Who talks to whom, over the last {window}"));
    edges(&mut out, map, &mut places);
    heads(&mut out, &places);
    for place in &places {
        party(&mut out, place);
    }
    let legend = "Thickness: calls a second. Orange: more than one in a hundred failed; red: more than one in ten; dashed: nothing counted.";
    words(&mut out, "soft", (COLUMNS[0], height - 18.0), "start", legend);
    words(&mut out, "soft", (COLUMNS[2] + BOX, height - 18.0), "end", &note);
    out.push_str("</svg>");
    out
}

/// Where every party stands, and where the lowest ends.
fn places<'a>(map: &GetMapResponse, nodes: Vec<&'a MapNode>) -> (Vec<Place<'a>>, f64) {
    let mut incoming: HashMap<&str, usize> = HashMap::new();
    for edge in &map.edges {
        *incoming.entry(&edge.callee).or_default() += 1;
    }
    let mut places: Vec<Place<'_>> = Vec::with_capacity(nodes.len());
    let mut ends = [TOP; 3];
    let mut last = [None; 3];
    for node in nodes {
        let column = match node.kind() {
            Kind::Agent => 0,
            Kind::Router => 1,
            Kind::Store | Kind::Source | Kind::Tool | Kind::Unspecified => 2,
        };
        let rows = if column == 2 { incoming.get(node.id.as_str()).copied().unwrap_or(1).max(1) } else { 1 };
        let height = match column {
            0 => AGENT,
            1 => ROUTER,
            _ => rows as f64 * ROW,
        };
        if last[column].is_some_and(|kind| kind != node.kind()) {
            ends[column] += GROUP - GAP;
        }
        last[column] = Some(node.kind());
        places.push(Place { node, column, top: ends[column], height, rows: 0 });
        ends[column] += height + GAP;
    }
    let bottom = ends.into_iter().fold(0.0, f64::max);
    // Short columns stand in the middle of the long one.
    for place in &mut places {
        if place.column < 2 {
            place.top += (bottom - ends[place.column]) / 2.0;
        }
    }
    (places, bottom)
}

fn edges(out: &mut String, map: &GetMapResponse, places: &mut [Place<'_>]) {
    let index: HashMap<String, usize> = places.iter().enumerate().map(|(n, place)| (place.node.id.clone(), n)).collect();
    let busiest = busiest(&map.edges);
    let mut texts = String::new();
    for edge in &map.edges {
        let (Some(from), Some(to)) = (index.get(&edge.caller), index.get(&edge.callee)) else { continue };
        let ends_right = places[*to].column == 2;
        let (from_x, to_x) = (COLUMNS[places[*from].column] + BOX, COLUMNS[places[*to].column]);
        let from_y = match places[*from].node.kind() {
            Kind::Agent if ends_right => places[*from].top + AGENT * 0.78,
            Kind::Agent => places[*from].top + AGENT * 0.4,
            _ => places[*from].middle(),
        };
        let to_y = if ends_right { places[*to].row() } else { places[*to].middle() };
        // Straight where figures stand, also those of others; curved in between.
        let start = if places[*from].column == 0 { from_x + STUB } else { from_x };
        let end = if ends_right { to_x - STUB } else { to_x };
        let (class, width, bend) = (class(edge), width(edge, busiest), (end - start) * 0.5);
        let _ = writeln!(
            out,
            "<path class=\"edge {class}\" stroke-width=\"{width:.1}\" \
             d=\"M{from_x:.1} {from_y:.1}H{start:.1}C{:.1} {from_y:.1} {:.1} {to_y:.1} {end:.1} {to_y:.1}H{to_x:.1}\">\
             <title>{}</title></path>",
            start + bend,
            end - bend,
            escape(&format!("{} → {}: {}", edge.caller, edge.callee, told(edge)))
        );
        let (x, y, anchor) = if ends_right { (to_x - 8.0, to_y, "end") } else { (from_x + 8.0, from_y, "start") };
        words(&mut texts, &format!("figures says-{class}"), (x, y - 7.0 - width / 2.0), anchor, &figures(edge));
    }
    // Over all lines.
    out.push_str(&texts);
}

fn told(edge: &MapEdge) -> String {
    let figures = figures(edge);
    if figures.is_empty() { "nothing counted".to_owned() } else { format!("{} calls, {figures}", edge.calls) }
}

fn class(edge: &MapEdge) -> &'static str {
    match Health::of(edge) {
        Health::Idle => "idle",
        Health::Fine => "fine",
        Health::Ailing => "ailing",
        Health::Failing => "failing",
    }
}

/// A title above the first party of every kind.
fn heads(out: &mut String, places: &[Place<'_>]) {
    let mut seen = HashSet::new();
    for place in places {
        let kind = place.node.kind();
        if seen.insert(kind) {
            let (_, title) = kind_names(kind);
            words(out, "head", (COLUMNS[place.column], place.top - 12.0), "start", title);
        }
    }
}

fn party(out: &mut String, place: &Place<'_>) {
    let (x, y, height) = (COLUMNS[place.column], place.top, place.height);
    let (class, _) = kind_names(place.node.kind());
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"box {class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{BOX}\" height=\"{height:.1}\" rx=\"6\"/>",
        escape(&place.node.label)
    );
    words(out, "name", (x + 12.0, place.middle()), "start", &cut(&place.node.label, LABEL));
    out.push_str("</g>\n");
}

fn kind_names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Agent => ("agent", "Agents"),
        Kind::Router => ("router", "Router"),
        Kind::Store => ("store", "Store"),
        Kind::Source => ("source", "Sources"),
        Kind::Tool | Kind::Unspecified => ("tool", "Tools"),
    }
}

fn words(out: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
    if !text.is_empty() {
        let text = escape(text);
        let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }
}

/// As text and in a quoted attribute of XML, which knows fewer characters than a name may hold.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
