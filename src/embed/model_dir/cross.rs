//! The model directory of a reranker: a cross-encoder that the user brings, with a manifest in the manner of the embedder's.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Contents, FORMAT, MANIFEST, read_manifest};
use crate::embed::LoadError;

/// The setting that names the directory.
const KEY: &str = "reranker.model_dir";
/// Fewest tokens of a pair: three special ones, and one of each text.
const MIN_TOKENS: usize = 5;
/// How far a probe's logit may be off the float model's. Where a score turns over, 0.5 is 0.12 of a score in `[0, 1]`: int8 kernels are
/// off by less, saturating ones and other models by whole units.
pub const PROBE_TOLERANCE: f32 = 0.5;
/// The probes' logits must lie further apart than this: else a model that says one thing of every pair would pass.
const MIN_SPAN: f32 = 2.0 * PROBE_TOLERANCE;

/// `manifest.json` of a reranker; `models/README.md` explains the fields.
#[derive(Clone, Debug, Deserialize)]
pub struct CrossManifest {
    /// The model's name.
    pub name: String,
    /// The graph's file name.
    pub file: String,
    /// SHA-256 in hex of every file, by name.
    pub files: BTreeMap<String, String>,
    /// Most tokens of a pair, special tokens included.
    pub max_tokens: usize,
    /// What to use where the probes fail.
    pub float_model: String,
    /// Pairs with the float model's logits.
    pub probes: Vec<PairProbe>,
}

/// What a manifest says of itself, read before the rest so that the folder of another kind of model is refused as that.
#[derive(Deserialize)]
struct Head {
    format: u32,
    kind: Kind,
}

#[derive(Deserialize)]
enum Kind {
    /// Reads request and tool together, gives one logit. The manifest of an embedder has no kind.
    #[serde(rename = "cross-encoder")]
    CrossEncoder,
}

/// A pair with the logit the float model gives it.
#[derive(Clone, Debug, Deserialize)]
pub struct PairProbe {
    /// The request.
    pub query: String,
    /// The tool's text.
    pub passage: String,
    /// The logit.
    pub score: f32,
}

/// The files, read and checked.
#[derive(Debug)]
pub struct CrossFiles {
    /// The manifest.
    pub manifest: CrossManifest,
    /// Name and content hash.
    pub id: String,
    contents: Contents,
}

impl CrossFiles {
    /// Reads the directory and checks every file against the manifest.
    ///
    /// # Errors
    /// A missing file, an unusable manifest, a wrong hash.
    pub fn read(dir: &Path) -> Result<Self, LoadError> {
        let unusable = |detail: String| LoadError::Manifest { path: dir.join(MANIFEST), detail };
        let Head { format, kind: Kind::CrossEncoder } = read_manifest(dir, KEY)?;
        if format != FORMAT {
            return Err(unusable(format!("format is {format}, this build reads {FORMAT}")));
        }
        let manifest: CrossManifest = read_manifest(dir, KEY)?;
        if let Some(detail) = complaint(&manifest) {
            return Err(unusable(detail));
        }
        let (contents, whole) = Contents::read(dir, &manifest.files, KEY)?;
        let id = format!("{}@{}", manifest.name, &hex::encode(sha2::Digest::finalize(whole))[..12]);
        Ok(Self { manifest, id, contents })
    }

    /// Takes a file's content.
    ///
    /// # Errors
    /// The manifest does not list it.
    pub fn take(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        self.contents.take(name)
    }
}

fn complaint(manifest: &CrossManifest) -> Option<String> {
    if manifest.max_tokens < MIN_TOKENS {
        return Some(format!("max_tokens is {}, {MIN_TOKENS} is the least", manifest.max_tokens));
    }
    let scores = || manifest.probes.iter().map(|probe| probe.score);
    // Of no probe at all this is minus infinity, of one it is 0.
    let span = scores().fold(f32::NEG_INFINITY, f32::max) - scores().fold(f32::INFINITY, f32::min);
    if span.is_nan() || span <= MIN_SPAN {
        let count = manifest.probes.len();
        return Some(format!("the scores of {count} probes must lie more than {MIN_SPAN} apart, to tell a wrong processor"));
    }
    None
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn manifest(hash: &str, scores: &[f32]) -> String {
        let probe = |score: &f32| format!(r#"{{"query":"a","passage":"b","score":{score}}}"#);
        let probes = scores.iter().map(probe).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"format":1,"kind":"cross-encoder","name":"m","file":"model.onnx","files":{{"model.onnx":"{hash}"}},"max_tokens":8,
               "float_model":"float","probes":[{probes}]}}"#
        )
    }

    #[test]
    fn takes_what_the_manifest_vouches_for_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("model.onnx"), b"graph").unwrap();
        let read = |text: &str| {
            std::fs::write(dir.path().join("manifest.json"), text).unwrap();
            CrossFiles::read(dir.path())
        };
        let good = hex::encode(Sha256::digest(b"graph"));
        let files = read(&manifest(&good, &[-3.0, 3.0])).unwrap();
        assert!(files.id.starts_with("m@") && files.id.len() == 14, "{}", files.id);
        assert_eq!(files.take("model.onnx").unwrap(), b"graph");
        assert!(files.take("tokenizer.json").unwrap_err().to_string().contains("does not list tokenizer.json"));

        let check = |text: &str, words: &str| {
            let line = read(text).unwrap_err().to_string();
            assert!(line.contains(words) && !line.contains('\n'), "{line}");
        };
        check(&manifest(&"0".repeat(64), &[-3.0, 3.0]), "the manifest says 0000");
        check(&manifest(&good, &[]), "the scores of 0 probes must lie more than 1 apart");
        check(&manifest(&good, &[3.0]), "the scores of 1 probes");
        check(&manifest(&good, &[3.0, 3.5, 2.5]), "the scores of 3 probes");
        check(&manifest(&good, &[-3.0, 3.0]).replace("\"format\":1", "\"format\":2"), "this build reads 1");
        check(&manifest(&good, &[-3.0, 3.0]).replace("\"max_tokens\":8", "\"max_tokens\":4"), "max_tokens is 4, 5 is the least");
        check(&manifest(&good, &[-3.0, 3.0]).replace("cross-encoder", "embedder"), "unknown variant `embedder`");
        check(&manifest(&good, &[-3.0, 3.0]).replace("\"kind\":\"cross-encoder\",", ""), "missing field `kind`");
        std::fs::remove_file(dir.path().join("model.onnx")).unwrap();
        check(&manifest(&good, &[-3.0, 3.0]), "or point reranker.model_dir at a model directory");
    }
}
