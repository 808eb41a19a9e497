//! `tool-router calibrate`: a weights file whose confidence fits one catalogue.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::{Exit, fit, output};
use crate::eval::Model;
use crate::eval::dataset::{self, Dataset};
use crate::eval::fit::{calibrate_by_labels, calibrate_by_own_requests};
use crate::eval::prepared::Prepared;
use crate::import::file;
use crate::index::EngineChoice;

/// Flags of `calibrate`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file, for the embedder and the weights to start from
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Without labels: a file with tools, as for `import file`; may be repeated
    #[arg(long, required_unless_present = "data", conflicts_with = "data", value_name = "FILE")]
    tools: Vec<PathBuf>,
    /// With labels: the folder that holds the set
    #[arg(long, requires = "set", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The set, whose requests say which tools they need
    #[arg(long, requires = "data", value_name = "NAME[:SPLIT]")]
    set: Option<String>,
    /// The split of the set whose requests need no tool [default: requests that come with the program]
    #[arg(long, requires = "data", value_name = "SPLIT")]
    none: Option<String>,
    /// At most this many requests that need tools, evenly spaced
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    max_queries: usize,
    /// The new weights file, for `ranking.weights_file`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs with `model`.
///
/// # Errors
/// Tools or labels that cannot be used, too few of them, or the model failed. Then nothing is written.
pub async fn run(arguments: Arguments, mut model: Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let start = model.policy().weights.as_ref().clone();
    let bar = ProgressBar::new_spinner();
    bar.set_message("tools and requests");
    let tick = || bar.inc(1);
    let weights = match (&arguments.data, &arguments.set) {
        (Some(data), Some(set)) => {
            let choice = dataset::Choice { data, set, distractors: &[], max_queries: Some(arguments.max_queries) };
            let labelled = Dataset::read(&choice).map_err(|e| failed(&e))?;
            let none = arguments.none.as_deref().map(|split| labelled.read_none(data, split)).transpose();
            let none = none.map_err(|e| failed(&e))?.unwrap_or_default();
            let set = Prepared::of(labelled, EngineChoice::Exact, &mut model, &tick).map_err(|e| failed(&e))?;
            calibrate_by_labels(&set, &none, &start, &model).await
        }
        _ => {
            let mut tools = Vec::new();
            for path in &arguments.tools {
                tools.extend(file::read(path, None).map_err(|e| failed(&e))?.tools);
            }
            let data = Dataset::unlabelled(tools);
            let set = Prepared::of(data, EngineChoice::Exact, &mut model, &tick).map_err(|e| failed(&e))?;
            calibrate_by_own_requests(&set, &start, &model).await
        }
    };
    let weights = weights.map_err(|e| failed(&e))?;
    bar.finish_and_clear();
    fit::write(&arguments.out, &weights)?;
    if let (Some(before), Some(after)) = (&start.confidence, &weights.confidence) {
        output::line(&format!(
            "bias {:.2} → {:.2}, slope {:.2} → {:.2}, nothing fits below {:.3} → {:.3}",
            before.bias, after.bias, before.slope, after.slope, before.abstain_below, after.abstain_below
        ));
    }
    output::line(&format!("{} for model {}: set ranking.weights_file to it", arguments.out.display(), model.id()));
    Ok(())
}
