//! Text in, unit vector out.
//!
//! An [`Embedder`] turns one text into one vector. One text per run, always: a dynamically quantised model scales its integers to the
//! whole batch, so a neighbour would change a text's vector (cosine down to .986 beside a longer one) and equal requests would stop
//! giving equal answers. The [`Pool`] owns one embedder per worker thread and keeps registrations from delaying queries.

pub mod hashing;
pub mod model_dir;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod pool;

use std::ops::Range;
use std::path::PathBuf;

pub use self::pool::{Pool, PoolOptions, QueryError};
use crate::index::vector::UnitVector;

/// Turns text into vectors. Owned by one thread at a time, hence `&mut self`.
pub trait Embedder: Send {
    /// The vector of `text`; text past the model's limit is taken in pieces.
    ///
    /// # Errors
    /// The model's run failed. Nothing in a text should make it, and the caller answers without the vector.
    fn embed(&mut self, text: &str) -> Result<UnitVector, EmbedError>;

    /// The vector of `text`, and one for each of `parts`, which are byte ranges of it, from the same run: a part's vector is of its words
    /// as they are meant in the whole. `None` for a part the model says nothing about; all of them with a model that gives no vectors of
    /// words.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    fn embed_parts(&mut self, text: &str, parts: &[Range<usize>]) -> Result<Embedding, EmbedError> {
        Ok(Embedding { whole: self.embed(text)?, parts: vec![None; parts.len()] })
    }
}

/// The vectors of a text and its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Of the text.
    pub whole: UnitVector,
    /// Of each part that was asked for.
    pub parts: Vec<Option<UnitVector>>,
}

/// What makes vectors comparable, and what tells two builds' vectors apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// Name and content hash: vectors of another id are never compared with this model's.
    pub id: String,
    /// Numbers per vector.
    pub dimension: usize,
    /// Hash of the probe vectors as this processor computes them: integer kernels differ by processor.
    pub numerics: String,
    /// Put before a query; part of how the model was trained.
    pub query_prefix: String,
    /// Put before a tool's text.
    pub passage_prefix: String,
    /// ISO 15924 codes of the scripts that it reads; empty: all.
    pub scripts: Vec<String>,
}

/// A model ready to run.
pub struct Loaded {
    /// What it is.
    pub info: ModelInfo,
    /// One per worker for queries.
    pub embedders: Vec<Box<dyn Embedder>>,
    /// One more, for registrations.
    pub background: Box<dyn Embedder>,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("info", &self.info).field("embedders", &self.embedders.len()).finish()
    }
}

/// One text could not be embedded.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EmbedError {
    /// The runtime's run failed.
    #[error("the model failed: {detail}")]
    Run {
        /// The runtime's words.
        detail: String,
    },
    /// The model gave something that is no direction: zeros, NaN.
    #[error("the model gave no usable vector")]
    NotAVector,
    /// The worker panicked; it goes on with the next text.
    #[error("the embed worker panicked")]
    Panicked,
    /// The pool is shut down.
    #[error("the embedder is shut down")]
    Stopped,
}

/// A model could not be loaded. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the model directory cannot be read.
    #[error("model file {} cannot be read ({source}): restore it, or point {key} at a model directory", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The setting that names its directory.
        key: &'static str,
        /// The system's words.
        source: std::io::Error,
    },
    /// The manifest does not say what it must.
    #[error("model manifest {} is not usable: {detail}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file is not the one the manifest was made for.
    #[error("model file {} has sha256 {found}, the manifest says {expected}: it is damaged or from another model", path.display())]
    WrongHash {
        /// The file.
        path: PathBuf,
        /// The manifest's hash.
        expected: String,
        /// The file's hash.
        found: String,
    },
    /// The runtime's shared library is not there.
    #[error("ONNX Runtime was not found (looked at {looked_at}): run `make setup`, or set embedder.runtime_library")]
    RuntimeMissing {
        /// Where it was looked for.
        looked_at: String,
    },
    /// The library does not load or is of another version.
    #[error("ONNX Runtime {} does not load ({detail}): run `make setup` for the version this build needs", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        detail: String,
    },
    /// The graph or the tokenizer is not accepted.
    #[error("model {name} does not load: {detail}")]
    Graph {
        /// The model.
        name: String,
        /// The runtime's words.
        detail: String,
    },
    /// The vectors have another length than the manifest says.
    #[error("model {name} gives {found} numbers per text, its manifest says {expected}")]
    Dimension {
        /// The model.
        name: String,
        /// What the manifest says.
        expected: usize,
        /// What the model gives.
        found: usize,
    },
    /// This processor computes something else than the model was made for.
    #[error(
        "model {name} computes wrong vectors on this processor (probe {probe}: cosine {cosine:.4}, at least {floor} is needed): use the float model, {float_model}"
    )]
    Probe {
        /// The model.
        name: String,
        /// Which probe, from 0.
        probe: usize,
        /// Cosine to the float model's vector.
        cosine: f32,
        /// The least that is accepted.
        floor: f32,
        /// The model to use instead.
        float_model: String,
    },
    /// The same of a reranker.
    #[error(
        "reranker {name} computes wrong scores on this processor (probe {probe}: {found:.3} instead of {expected:.3}, {tolerance} off at most): use the float model, {float_model}"
    )]
    ProbeScore {
        /// The model.
        name: String,
        /// Which probe, from 0.
        probe: usize,
        /// The logit that came out.
        found: f32,
        /// The float model's logit.
        expected: f32,
        /// How far off is accepted.
        tolerance: f32,
        /// The model to use instead.
        float_model: String,
    },
}
