//! The real embedder: fastembed over ONNX Runtime, from a checked model directory. With its child, the one file that names either.

pub mod cross;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fastembed::{InitOptionsUserDefined, OutputKey, QuantizationMode, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use sha2::{Digest, Sha256};

use super::model_dir::{Manifest, ModelFiles, Pooling};
use super::{EmbedError, Embedder, Embedding, LoadError, Loaded, ModelInfo};
use crate::index::vector::UnitVector;

/// Below this a processor computes another model. Sound int8 kernels give .991 to .996 on the probes, saturating ones under .97.
const PROBE_FLOOR: f32 = 0.98;
/// Most pieces of one text: four runs of 128 tokens bound a 32 KiB query to about 70 ms. The first two and the last two are taken,
/// since a request stands before or after what was pasted with it.
const MAX_PIECES: usize = 4;

/// Where to find what, and how many sessions to make.
#[derive(Clone, Debug)]
pub struct OnnxOptions {
    /// The model directory.
    pub model_dir: PathBuf,
    /// Places to look for the shared library, best first.
    pub runtime_candidates: Vec<PathBuf>,
    /// Sessions for queries: one per worker thread. One more is made for registrations.
    pub workers: usize,
}

/// Loads the runtime and the model, and checks both.
///
/// # Errors
/// Anything missing, damaged or computing wrong vectors, each in one line.
pub fn load(options: &OnnxOptions) -> Result<Loaded, LoadError> {
    let files = ModelFiles::read(&options.model_dir)?;
    let environment = environment(&options.runtime_candidates)?;
    let background = Box::new(OnnxEmbedder::new(&files, environment.clone())?);
    let mut sessions = Vec::with_capacity(options.workers);
    for _ in 0..options.workers.max(1) {
        sessions.push(OnnxEmbedder::new(&files, environment.clone())?);
    }
    let numerics = match sessions.first_mut() {
        Some(first) => check_probes(first, &files.manifest)?,
        None => String::new(),
    };
    let info = ModelInfo {
        id: files.id.clone(),
        dimension: files.manifest.dimension,
        numerics,
        query_prefix: files.manifest.query_prefix.clone(),
        passage_prefix: files.manifest.passage_prefix.clone(),
        scripts: files.manifest.scripts.clone(),
    };
    Ok(Loaded { info, embedders: sessions.into_iter().map(|s| Box::new(s) as Box<dyn Embedder>).collect(), background })
}

/// One environment per process is all that ONNX Runtime allows, so it is kept for good.
fn environment(candidates: &[PathBuf]) -> Result<ort::environment::Environment, LoadError> {
    static ENVIRONMENT: Mutex<Option<ort::environment::Environment>> = Mutex::new(None);
    let mut kept = ENVIRONMENT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = kept.as_ref() {
        return Ok(environment.clone());
    }
    let found = candidates.iter().find(|path| is_bare_name(path) || path.is_file()).ok_or_else(|| LoadError::RuntimeMissing {
        looked_at: candidates.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "),
    })?;
    let refused = |detail: String| {
        if is_bare_name(found) {
            let looked_at = candidates.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
            LoadError::RuntimeMissing { looked_at }
        } else {
            LoadError::Runtime { path: found.clone(), detail }
        }
    };
    let builder = ort::init_from(found).map_err(|e| refused(e.to_string()))?;
    let environment = builder.with_name("tool-router").with_telemetry(false).build().map_err(|e| refused(e.to_string()))?;
    *kept = Some(environment.clone());
    Ok(environment)
}

/// A name without a folder is the system loader's to find.
fn is_bare_name(path: &Path) -> bool {
    path.components().count() == 1 && path.is_relative()
}

fn check_probes(embedder: &mut OnnxEmbedder, manifest: &Manifest) -> Result<String, LoadError> {
    let mut seen = Sha256::new();
    for (i, probe) in manifest.probes.iter().enumerate() {
        let failed = |detail: String| LoadError::Graph { name: manifest.name.clone(), detail };
        let vector = embedder.embed(&probe.text).map_err(|e| failed(e.to_string()))?;
        if vector.dimension() != manifest.dimension {
            return Err(LoadError::Dimension {
                name: manifest.name.clone(),
                expected: manifest.dimension,
                found: vector.dimension(),
            });
        }
        let expected = UnitVector::new(probe.vector.clone()).ok_or_else(|| failed(format!("probe {i} is no vector")))?;
        let cosine = vector.cosine(&expected);
        if cosine < PROBE_FLOOR {
            return Err(LoadError::Probe {
                name: manifest.name.clone(),
                probe: i,
                cosine,
                floor: PROBE_FLOOR,
                float_model: manifest.float_model.clone(),
            });
        }
        for number in vector.as_slice() {
            seen.update(number.to_le_bytes());
        }
    }
    Ok(hex::encode(seen.finalize())[..16].to_owned())
}

/// Where the graph gives the vectors of its tokens, as fastembed looks for them.
const STATES: &[OutputKey] = &[OutputKey::OnlyOne, OutputKey::ByName("text_embeds"), OutputKey::ByName("last_hidden_state")];

struct OnnxEmbedder {
    model: TextEmbedding,
    pooling: fastembed::Pooling,
    max_tokens: usize,
}

impl OnnxEmbedder {
    fn new(files: &ModelFiles, environment: ort::environment::Environment) -> Result<Self, LoadError> {
        let manifest = &files.manifest;
        let tokenizer = TokenizerFiles {
            tokenizer_file: files.take("tokenizer.json")?,
            config_file: files.take("config.json")?,
            special_tokens_map_file: files.take("special_tokens_map.json")?,
            tokenizer_config_file: files.take("tokenizer_config.json")?,
        };
        let pooling = match manifest.pooling {
            Pooling::Mean => fastembed::Pooling::Mean,
            Pooling::Cls => fastembed::Pooling::Cls,
        };
        let model = UserDefinedEmbeddingModel::new(files.take(&manifest.file)?, tokenizer)
            .with_pooling(pooling.clone())
            .with_quantization(QuantizationMode::Dynamic);
        // One intra-op thread: parallelism comes from workers, and spinning helper threads would steal their cores.
        let options = InitOptionsUserDefined::new()
            .with_environment(environment)
            .with_max_length(manifest.max_tokens)
            .with_intra_threads(1);
        let model = TextEmbedding::try_new_from_user_defined(model, options)
            .map_err(|e| LoadError::Graph { name: manifest.name.clone(), detail: e.to_string() })?;
        Ok(Self { model, pooling, max_tokens: manifest.max_tokens })
    }

    fn run(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let mut vectors = self.model.embed([text], None).map_err(|e| EmbedError::Run { detail: e.to_string() })?;
        vectors.pop().ok_or(EmbedError::NotAVector)
    }

    /// Byte ranges of the pieces with their token counts. Short texts skip the second look: a token is at least one byte.
    fn pieces(&self, text: &str) -> Result<Vec<(std::ops::Range<usize>, usize)>, EmbedError> {
        if text.len() + 2 <= self.max_tokens {
            return Ok(vec![(0..text.len(), text.len())]);
        }
        let encoding = self.model.tokenizer.encode(text, true).map_err(|e| EmbedError::Run { detail: e.to_string() })?;
        let mut all: Vec<(std::ops::Range<usize>, usize)> = Vec::new();
        for part in std::iter::once(&encoding).chain(encoding.get_overflowing()) {
            // Special tokens have the empty range.
            let offsets: Vec<_> = part.get_offsets().iter().filter(|(start, end)| start < end).collect();
            if let (Some(first), Some(last)) = (offsets.first(), offsets.last()) {
                all.push((first.0..last.1, offsets.len()));
            }
        }
        if MAX_PIECES < all.len() {
            all.drain(MAX_PIECES / 2..all.len() - MAX_PIECES / 2);
        }
        if all.is_empty() {
            all.push((0..text.len(), 1));
        }
        Ok(all)
    }
}

/// Sums of token vectors: a text's when its pieces are put together, and each part's.
#[derive(Default)]
struct Sums(Vec<f32>);

impl Sums {
    fn add(&mut self, numbers: &[f32], weight: f32) {
        self.0.resize(numbers.len().max(self.0.len()), 0.0);
        self.0.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number * weight);
    }
}

impl OnnxEmbedder {
    /// Adds to each part's sums the vectors of its words in the piece of `text` that begins at byte `start`, and gives the piece's own
    /// vector, from one run.
    fn run_parts(
        &mut self,
        piece: &str,
        start: usize,
        parts: &[Range<usize>],
        sums: &mut [Sums],
    ) -> Result<Vec<f32>, EmbedError> {
        let failed = |detail: String| EmbedError::Run { detail };
        let encoding = self.model.tokenizer.encode(piece, true).map_err(|e| failed(e.to_string()))?;
        let batches = self.model.transform([piece], None).map_err(|e| failed(e.to_string()))?.into_raw();
        let batch = batches.first().ok_or(EmbedError::NotAVector)?;
        let states = batch.select_output(&STATES).map_err(|e| failed(e.to_string()))?;
        let rows = states.shape().last().copied().filter(|n| 0 < *n).zip(states.as_slice());
        if let (Some((dimension, numbers)), fastembed::Pooling::Mean) = (rows, &self.pooling) {
            for (row, (from, to)) in numbers.chunks_exact(dimension).zip(encoding.get_offsets()) {
                // Special tokens have the empty range, and are no part's.
                let of_token = |part: &&Range<usize>| from < to && part.contains(&(start + from));
                let part = parts.iter().position(|part| of_token(&part));
                if let Some(sums) = part.and_then(|part| sums.get_mut(part)) {
                    sums.add(row, 1.0);
                }
            }
        }
        let pooled = batch.select_and_pool_output(&STATES, Some(self.pooling.clone())).map_err(|e| failed(e.to_string()))?;
        Ok(pooled.iter().copied().collect())
    }
}

impl Embedder for OnnxEmbedder {
    fn embed(&mut self, text: &str) -> Result<UnitVector, EmbedError> {
        Ok(self.embed_parts(text, &[])?.whole)
    }

    fn embed_parts(&mut self, text: &str, parts: &[Range<usize>]) -> Result<Embedding, EmbedError> {
        let pieces = self.pieces(text)?;
        let mut sums: Vec<Sums> = parts.iter().map(|_| Sums::default()).collect();
        let mut whole = Sums::default();
        let is_one = pieces.len() == 1;
        for (range, tokens) in pieces {
            let range = if is_one { 0..text.len() } else { range };
            let piece = text.get(range.clone()).unwrap_or(text);
            let vector = if parts.is_empty() { self.run(piece)? } else { self.run_parts(piece, range.start, parts, &mut sums)? };
            if is_one {
                whole.0 = vector;
            } else {
                // Each piece weighs as many tokens as it has, as if one long run had been pooled.
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
                whole.add(&vector, tokens as f32 / length);
            }
        }
        let whole = UnitVector::new(whole.0).ok_or(EmbedError::NotAVector)?;
        Ok(Embedding { whole, parts: sums.into_iter().map(|sums| UnitVector::new(sums.0)).collect() })
    }
}
