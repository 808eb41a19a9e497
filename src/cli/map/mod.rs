//! `tool-router map`: who talks to whom, for programs (JSON), for Graphviz (DOT) and for people (SVG).
//!
//! Nothing that others wrote is trusted here: an agent names itself, and a tool's name may hold quotes, line breaks or markup.

mod dot;
mod svg;

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::Connection;
use super::figures::{duration, rate, ratio};
use super::{Exit, output};
use crate::rpc::proto::map_node::Kind;
use crate::rpc::proto::{GetMapResponse, MapEdge, MapNode};

/// A form of the map.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// The message as JSON
    Json,
    /// For Graphviz
    Dot,
    /// A drawing
    Svg,
}

/// Flags of `map`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// In which form
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Where to write it; without it standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let map = arguments.connection.open().await?.map().await?;
    let text = match arguments.format {
        Format::Json => crate::rpc::to_json(&map).map_err(Exit::failed)?,
        Format::Dot => dot::draw(&map),
        Format::Svg => svg::draw(&map),
    };
    match arguments.output {
        Some(path) => {
            std::fs::write(&path, text + "\n").map_err(|e| Exit::failed(format!("{} cannot be written: {e}", path.display())))
        }
        None => {
            output::line(&text);
            Ok(())
        }
    }
}

/// Columns of a label; the whole name is in its tooltip.
const LABEL: usize = 31;

/// How badly an edge fails: an operator sees the colour before the figure.
#[derive(Clone, Copy, PartialEq)]
enum Health {
    /// Nothing was counted.
    Idle,
    /// At most one in a hundred.
    Fine,
    /// At most one in ten.
    Ailing,
    /// More.
    Failing,
}

impl Health {
    fn of(edge: &MapEdge) -> Self {
        match edge.error_ratio {
            _ if edge.calls == 0 => Self::Idle,
            share if share <= 0.01 => Self::Fine,
            share if share <= 0.1 => Self::Ailing,
            _ => Self::Failing,
        }
    }
}

/// Who is drawn, and a word on tools that are not: those that were only returned would be a heap without a line.
fn drawn(map: &GetMapResponse) -> (Vec<&MapNode>, String) {
    let called: HashSet<&str> = map.edges.iter().map(|edge| edge.callee.as_str()).collect();
    let (shown, hidden): (Vec<_>, Vec<_>) =
        map.nodes.iter().partition(|node| node.kind() != Kind::Tool || called.contains(node.id.as_str()));
    let note = match hidden.len() {
        0 => String::new(),
        1 => "one more tool was returned; no call of it was reported".to_owned(),
        n => format!("{n} more tools were returned; no call of them was reported"),
    };
    (shown, note)
}

/// Rate, share of errors and p95 of an edge; empty where nothing was counted.
fn figures(edge: &MapEdge) -> String {
    if edge.calls == 0 {
        return String::new();
    }
    let errors = if edge.errors == 0 { String::new() } else { format!(" · {} failed", ratio(edge.error_ratio)) };
    let p95 = edge.p95_micros.map_or_else(String::new, |micros| format!(" · p95 {}", duration(micros)));
    format!("{}{errors}{p95}", rate(edge.rate))
}

/// How thick an edge is, from 1 to 6: by the root of its rate, so that the area tells it.
fn width(edge: &MapEdge, busiest: f64) -> f64 {
    if 0.0 < busiest { 1.0 + 5.0 * (edge.rate / busiest).clamp(0.0, 1.0).sqrt() } else { 1.0 }
}

fn busiest(edges: &[MapEdge]) -> f64 {
    edges.iter().map(|edge| edge.rate).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests;
