//! `tool-router check-config`: everything `serve` would refuse, without starting anything.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, output};
use crate::config::{self, Overrides};

/// Flags of `check-config`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The configuration file; without it the defaults and the environment are checked
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The configuration in force, as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    let config = config::load(arguments.config.as_deref(), &Overrides::default()).map_err(|e| Exit::bad_config(&e))?;
    if arguments.json {
        output::line(&serde_json::to_string(&config).map_err(|e| Exit::failed(e.to_string()))?);
    } else {
        output::line("the configuration is usable");
    }
    Ok(())
}
