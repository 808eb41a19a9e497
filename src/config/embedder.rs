//! `[embedder]`: what turns text into vectors.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which embedder.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The model in `model_dir`, over ONNX Runtime.
    #[default]
    Onnx,
    /// Hashed words: no model, knows spelling but not meaning. For trials and tests.
    Hashing,
}

/// The embedder and its queue.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embedder {
    /// Which one.
    pub kind: Kind,
    /// The model directory. Looked for from the working folder, then beside the program and in the folders above it.
    pub model_dir: PathBuf,
    /// ONNX Runtime's shared library. Absent: `.runtime/` as `make setup` leaves it, then `ORT_DYLIB_PATH`, then the system's.
    pub runtime_library: Option<PathBuf>,
    /// Worker threads for queries, each with a model of its own (about 60 MiB): 1 to 64. Absent: one per processor core. One more, of low
    /// priority, embeds registrations.
    pub workers: Option<usize>,
    /// Most queries waiting for a worker: 1 or more. Past it callers are told to come back.
    pub queue_limit: usize,
}

impl Default for Embedder {
    fn default() -> Self {
        Self {
            kind: Kind::default(),
            model_dir: "models/tool-minilm-l6-int8".into(),
            runtime_library: None,
            workers: None,
            queue_limit: 256,
        }
    }
}
