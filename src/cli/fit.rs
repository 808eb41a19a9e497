//! `tool-router fit`: ranking weights and confidence from labelled requests, as a weights file.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::{Exit, output};
use crate::eval::dataset::{self, Dataset};
use crate::eval::fit;
use crate::eval::prepared::Prepared;
use crate::eval::{Model, whole_file};
use crate::index::EngineChoice;
use crate::rank::Weights;

/// Queries of a set among distractors: what is found is kept of every tool for every one of them.
const AMONG: usize = 200;

/// Flags of `fit`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file, for the embedder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A set and its split to learn from; may be repeated. Report on others
    #[arg(long = "set", required = true, value_name = "NAME[:SPLIT]")]
    sets: Vec<String>,
    /// Fit on every set among the tools of this folder as well, on 200 of its queries; may be repeated
    #[arg(long, value_name = "DIR")]
    distractors: Vec<PathBuf>,
    /// At most this many queries of a set, evenly spaced
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    max_queries: usize,
    /// The weights file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs with `model`.
///
/// # Errors
/// A set that cannot be used, or the model failed. Then nothing is written.
pub async fn run(arguments: Arguments, mut model: Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let bar = ProgressBar::new_spinner();
    let tick = || bar.inc(1);
    let mut sets = Vec::new();
    let alone: (&[PathBuf], usize) = (&[], arguments.max_queries);
    let among = (arguments.distractors.as_slice(), arguments.max_queries.min(AMONG));
    for (distractors, most) in [alone, among].into_iter().take(if arguments.distractors.is_empty() { 1 } else { 2 }) {
        for set in &arguments.sets {
            let choice = dataset::Choice { data: &arguments.data, set, distractors, max_queries: Some(most) };
            let data = Dataset::read(&choice).map_err(|e| failed(&e))?;
            bar.set_message(format!("{set}: {} tools", data.tools.len()));
            sets.push(Prepared::of(data, EngineChoice::Exact, &mut model, &tick).map_err(|e| failed(&e))?);
        }
    }
    bar.set_message("requests, then weights");
    // From the built-in numbers, so that two fits of the same sets are equal whatever file is in place.
    let (weights, fitted) = fit::fit(&sets, &Weights::default(), &model, &tick).await.map_err(|e| failed(&e))?;
    bar.finish_and_clear();
    write(&arguments.out, &weights)?;
    let rows = fitted.iter().map(|one| {
        let held_out = one.held_out.map_or_else(String::new, |held_out| format!("{held_out:.3}"));
        vec![
            one.set.clone(),
            one.tools.to_string(),
            one.queries.to_string(),
            format!("{:.3}", one.before),
            format!("{:.3}", one.after),
            held_out,
        ]
    });
    output::table(&["set", "tools", "queries", "built in", "fitted", "fitted on the others"], &[1, 2, 3, 4, 5], rows);
    output::line("mean of recall@5, nDCG@10 and COMP@10");
    output::line(&format!("{} for model {}", arguments.out.display(), model.id()));
    Ok(())
}

/// Writes a weights file, whole or not at all.
pub(super) fn write(path: &std::path::Path, weights: &Weights) -> Result<(), Exit> {
    let text = weights.to_text().map_err(|e| Exit::failed(e.to_string()))?;
    whole_file(path, text.as_bytes()).map_err(|e| Exit::failed(format!("{}: {e}", path.display())))
}
