//! Flags that name labelled sets, for the commands that search them all at one go.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Exit;
use crate::eval::dataset::{Choice, Dataset};

/// Which sets, and what they are searched with.
#[derive(Args, Debug)]
pub(super) struct Sets {
    /// Configuration file, for the embedder, the ranking and the index
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A set and its split; may be repeated
    #[arg(long = "set", required = true, value_name = "NAME[:SPLIT]")]
    sets: Vec<String>,
}

impl Sets {
    /// Reads all of them before anything is embedded: a broken line is told at once.
    pub(super) fn read(&self, distractors: &[PathBuf], max_queries: Option<usize>) -> Result<Vec<Dataset>, Exit> {
        let one = |set: &String| Dataset::read(&Choice { data: &self.data, set, distractors, max_queries });
        self.sets.iter().map(one).collect::<Result<_, _>>().map_err(|e| Exit::failed(e.to_string()))
    }
}
