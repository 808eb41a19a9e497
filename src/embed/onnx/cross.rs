//! The real reranker: fastembed's cross-encoder over ONNX Runtime, from a checked model directory that the user brings.

use std::path::PathBuf;

use fastembed::{RerankInitOptionsUserDefined, TextRerank, TokenizerFiles, UserDefinedRerankingModel};

use super::environment;
use crate::embed::LoadError;
use crate::embed::model_dir::cross::{CrossFiles, CrossManifest, PROBE_TOLERANCE};
use crate::rank::rerank::{LoadedReranker, RerankError, Reranker};

/// Characters of a query per token of the model's limit: about half of what the limit holds, so that the tool's text has the other half.
const CHARS_PER_TOKEN: usize = 2;

/// Where to find what, and how many sessions to make.
#[derive(Clone, Debug)]
pub struct CrossOptions {
    /// The model directory.
    pub model_dir: PathBuf,
    /// Places to look for the shared library, best first.
    pub runtime_candidates: Vec<PathBuf>,
    /// Sessions: one per worker thread.
    pub workers: usize,
}

/// Loads the runtime and the model, and checks both.
///
/// # Errors
/// Anything missing, damaged or computing wrong scores, each in one line.
pub fn load(options: &CrossOptions) -> Result<LoadedReranker, LoadError> {
    let files = CrossFiles::read(&options.model_dir)?;
    let environment = environment(&options.runtime_candidates)?;
    check_output(&files, &environment)?;
    let mut first = CrossEncoder::new(&files, environment.clone())?;
    check_probes(&mut first, &files.manifest)?;
    let mut rerankers: Vec<Box<dyn Reranker>> = vec![Box::new(first)];
    while rerankers.len() < options.workers {
        rerankers.push(Box::new(CrossEncoder::new(&files, environment.clone())?));
    }
    Ok(LoadedReranker { id: files.id, rerankers })
}

/// fastembed takes the first column of `logits` and panics where there is none; of two columns the first is often "not relevant".
fn check_output(files: &CrossFiles, environment: &ort::environment::Environment) -> Result<(), LoadError> {
    let failed = |detail: String| LoadError::Graph { name: files.manifest.name.clone(), detail };
    let graph = files.take(&files.manifest.file)?;
    let session = ort::session::Session::builder(environment).map_err(|e| failed(e.to_string()))?;
    let session = { session }.commit_from_memory(&graph).map_err(|e| failed(e.to_string()))?;
    let logits = session.outputs().iter().find(|output| output.name() == "logits");
    match logits.and_then(|output| output.dtype().tensor_shape()).map(|shape| shape.to_vec()).as_deref() {
        Some([_, 1 | -1]) => Ok(()),
        Some(shape) => Err(failed(format!("its output `logits` has the shape {shape:?}, it must be [batch, 1]"))),
        None => Err(failed("it has no output `logits`, a tensor of [batch, 1]".to_owned())),
    }
}

fn check_probes(model: &mut CrossEncoder, manifest: &CrossManifest) -> Result<(), LoadError> {
    for (i, probe) in manifest.probes.iter().enumerate() {
        let failed = |e: RerankError| LoadError::Graph { name: manifest.name.clone(), detail: e.to_string() };
        let found = model.pair(&probe.query, &probe.passage).map_err(failed)?;
        // Not `PROBE_TOLERANCE < …`: NaN is off too.
        let is_right = (found - probe.score).abs() <= PROBE_TOLERANCE;
        if !is_right {
            return Err(LoadError::ProbeScore {
                name: manifest.name.clone(),
                probe: i,
                found,
                expected: probe.score,
                tolerance: PROBE_TOLERANCE,
                float_model: manifest.float_model.clone(),
            });
        }
    }
    Ok(())
}

struct CrossEncoder {
    model: TextRerank,
    max_tokens: usize,
}

impl CrossEncoder {
    fn new(files: &CrossFiles, environment: ort::environment::Environment) -> Result<Self, LoadError> {
        let manifest = &files.manifest;
        let tokenizer = TokenizerFiles {
            tokenizer_file: files.take("tokenizer.json")?,
            config_file: files.take("config.json")?,
            special_tokens_map_file: files.take("special_tokens_map.json")?,
            tokenizer_config_file: files.take("tokenizer_config.json")?,
        };
        let model = UserDefinedRerankingModel::new(files.take(&manifest.file)?, tokenizer);
        // One intra-op thread: parallelism comes from workers, and spinning helper threads would steal their cores.
        let options = RerankInitOptionsUserDefined::new()
            .with_environment(environment)
            .with_max_length(manifest.max_tokens)
            .with_intra_threads(1);
        let model = TextRerank::try_new_from_user_defined(model, options)
            .map_err(|e| LoadError::Graph { name: manifest.name.clone(), detail: e.to_string() })?;
        Ok(Self { model, max_tokens: manifest.max_tokens })
    }

    fn pair(&mut self, query: &str, passage: &str) -> Result<f32, RerankError> {
        let query = ends(query, self.max_tokens * CHARS_PER_TOKEN);
        // One pair per run: in a batch a dynamically quantised model scales one pair by another, and the shorter is padded.
        let scored = self.model.rerank(query.as_str(), [passage], false, Some(1));
        let scored = scored.map_err(|e| RerankError::Run { detail: e.to_string() })?;
        scored.first().map(|result| result.score).ok_or(RerankError::Count { expected: 1, found: 0 })
    }
}

impl Reranker for CrossEncoder {
    fn score(&mut self, query: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError> {
        passages.iter().map(|passage| self.pair(query, passage)).collect()
    }
}

/// A text of more than `most` characters as its two ends: a request stands before or after what was pasted with it. It also bounds what
/// cutting into tokens costs, which is done anew for every pair.
fn ends(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let half = most / 2;
    let (head, tail) = (text.chars().take(half), text.chars().skip(count - half));
    head.chain([' ']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_query_keeps_its_ends() {
        assert_eq!(ends("short", 5), "short");
        assert_eq!(ends("begin, something pasted, 끝", 6), "beg , 끝");
        assert_eq!(ends("", 0), "");
    }
}
