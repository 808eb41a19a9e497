//! `tool-router texts`: the texts that tools are embedded by, as JSON lines, for whoever trains a model on them.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output};
use crate::catalog::views::ViewTexts;
use crate::eval::dataset;

/// Flags of `texts`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A tools.jsonl as labelled sets have: one object with id, name, description, input_schema and server a line
    #[arg(long, value_name = "FILE")]
    tools: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    for (id, tool) in dataset::named_tools(&arguments.tools).map_err(|error| Exit::failed(error.to_string()))? {
        let texts = ViewTexts::of(&tool);
        output::line(&serde_json::json!({ "id": id, "views": texts.base }).to_string());
    }
    Ok(())
}
