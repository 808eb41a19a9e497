//! `tool-router diet`: what the tools of a catalogue cost in every form, as a table or as JSON lines.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output};
use crate::compact::{Format, Tokenizer};
use crate::eval::dataset;
use crate::eval::diet::{Diet, Row, StepRow};
use crate::import::file;
use crate::tool::Tool;

/// Flags of `diet`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Files with tools, in any shape that `import file` reads
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "data", conflicts_with_all = ["data", "set"])]
    tools: Vec<PathBuf>,
    /// Folder that holds labelled sets
    #[arg(long, value_name = "DIR", requires = "set")]
    data: Option<PathBuf>,
    /// A set whose tools are measured
    #[arg(long, value_name = "NAME", requires = "data")]
    set: Option<String>,
    /// Whose tokens are counted
    #[arg(long, value_name = "NAME", default_value = "o200k_base")]
    tokenizer: String,
    /// Whose shape definitions have; `all` for every one
    #[arg(long, value_name = "FORMAT", default_value = "all")]
    format: String,
    /// One JSON object per format and fidelity, then one per step
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    let known = || Tokenizer::ALL.map(Tokenizer::name).join(", ");
    let tokenizer = Tokenizer::parse(&arguments.tokenizer)
        .ok_or_else(|| Exit::failed(format!("--tokenizer: {:?} is none of {}", arguments.tokenizer, known())))?;
    let formats = formats(&arguments.format)?;
    let tools = tools(arguments)?;
    if tools.is_empty() {
        return Err(Exit::failed("there are no tools to measure"));
    }
    let diet = Diet::of(&tools, tokenizer, &formats);
    if arguments.json {
        json(&diet, tokenizer);
    } else {
        print(&diet, tokenizer);
    }
    Ok(())
}

fn formats(name: &str) -> Result<Vec<Format>, Exit> {
    if name == "all" {
        return Ok(Format::ALL.to_vec());
    }
    let known = || Format::ALL.map(Format::name).join(", ");
    let format = Format::parse(name).ok_or_else(|| Exit::failed(format!("--format: {name:?} is none of all, {}", known())))?;
    Ok(vec![format])
}

fn tools(arguments: &Arguments) -> Result<Vec<Tool>, Exit> {
    if let (Some(data), Some(set)) = (&arguments.data, &arguments.set) {
        return dataset::tools(&data.join(set).join("tools.jsonl")).map_err(|error| Exit::failed(error.to_string()));
    }
    let mut all = Vec::new();
    for path in &arguments.tools {
        all.extend(file::read(path, None).map_err(|error| Exit::failed(error.to_string()))?.tools);
    }
    Ok(all)
}

fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

fn print(diet: &Diet, tokenizer: Tokenizer) {
    let row = |row: &Row| {
        let figures = [row.p50, row.p90, row.p99].map(|tokens| tokens.to_string());
        let mut cells = vec![row.format.to_owned(), row.form.to_owned(), format!("{:.1}", row.mean)];
        cells.extend(figures);
        cells.push(percent(row.share));
        cells
    };
    output::table(&["format", "form", "mean", "p50", "p90", "p99", "% of raw"], &[2, 3, 4, 5, 6], diet.rows.iter().map(row));
    output::line("");
    let step = |step: &StepRow| vec![step.name.to_owned(), format!("{:.1}", step.mean), percent(step.saved), percent(step.alone)];
    let header = ["lean, step by step", "mean", "saves, % of raw", "left out alone costs"];
    output::table(&header, &[1, 2, 3], diet.steps.iter().map(step));
    output::line(&format!(
        "{} tools, tokens of {}; raw is the publisher's definition in MCP's shape, minified",
        output::thousands(diet.tools as u64),
        tokenizer.name()
    ));
}

fn json(diet: &Diet, tokenizer: Tokenizer) {
    for row in &diet.rows {
        let line = serde_json::json!({
            "format": row.format, "form": row.form, "tokenizer": tokenizer.name(), "tools": diet.tools,
            "mean": row.mean, "p50": row.p50, "p90": row.p90, "p99": row.p99, "share_of_raw": row.share,
        });
        output::line(&line.to_string());
    }
    for step in &diet.steps {
        let line = serde_json::json!({ "step": step.name, "mean": step.mean, "saved": step.saved, "alone": step.alone });
        output::line(&line.to_string());
    }
}
