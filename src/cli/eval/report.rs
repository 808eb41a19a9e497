//! `tool-router eval report`: results files as one HTML page.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, output};
use crate::eval::report::{self, GrowthRow};
use crate::eval::results::Results;

/// Flags of `eval report`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Results files of `eval --out`, all with the same model
    #[arg(required = true, value_name = "FILE")]
    results: Vec<PathBuf>,
    /// What `eval growth --json` printed
    #[arg(long, value_name = "FILE")]
    growth: Option<PathBuf>,
    /// The page
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    let mut all: Option<Results> = None;
    for path in &arguments.results {
        let more = Results::read(path).map_err(|e| Exit::failed(e.to_string()))?;
        match &mut all {
            None => all = Some(more),
            Some(all) if all.model == more.model => {
                all.runs.extend(more.runs);
                all.abstentions.extend(more.abstentions);
            }
            Some(all) => {
                let (path, found, first) = (path.display(), more.model, &all.model);
                return Err(Exit::failed(format!("{path} is of model {found}, the first results file of {first}")));
            }
        }
    }
    let growth = arguments.growth.as_deref().map(rows).transpose()?;
    match all {
        Some(results) => write(&arguments.out, &results, growth.as_deref()),
        None => Err(Exit::failed("no results file was named")),
    }
}

/// Writes the page, whole or not at all, and says where.
pub(super) fn write(path: &Path, results: &Results, growth: Option<&[GrowthRow]>) -> Result<(), Exit> {
    let page = report::html(results, growth);
    crate::eval::whole_file(path, page.as_bytes()).map_err(|e| Exit::failed(format!("report {}: {e}", path.display())))?;
    output::complain(&format!("the report is in {}", path.display()));
    Ok(())
}

/// The lines of a growth table that are rows; its last line is about the whole.
fn rows(path: &Path) -> Result<Vec<GrowthRow>, Exit> {
    let wrong = |detail: String| Exit::failed(format!("{} is not what `eval growth --json` prints: {detail}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| Exit::failed(format!("{}: {e}", path.display())))?;
    let mut rows = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let value: serde_json::Value = serde_json::from_str(line).map_err(|e| wrong(format!("line {number}: {e}")))?;
        if value.get("tools_returned").is_some() || value.get("tokens_returned").is_some() {
            rows.push(serde_json::from_value(value).map_err(|e| wrong(format!("line {number}: {e}")))?);
        }
    }
    if rows.is_empty() { Err(wrong("it has no row".to_owned())) } else { Ok(rows) }
}
