//! A model directory: a manifest and the files it vouches for. The one place in the engines that reads files, once, at start.

pub mod cross;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::LoadError;

/// The manifest layout this build reads.
const FORMAT: u32 = 1;
/// The setting that names the embedder's directory.
const KEY: &str = "embedder.model_dir";

/// `manifest.json`; `models/README.md` explains the fields.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// Layout version of this file.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// The graph's file name.
    pub file: String,
    /// SHA-256 in hex of every file, by name.
    pub files: BTreeMap<String, String>,
    /// Numbers per vector.
    pub dimension: usize,
    /// How token vectors become one: `mean` or `cls`.
    pub pooling: Pooling,
    /// Most tokens per run, special tokens included.
    pub max_tokens: usize,
    /// Put before a query.
    #[serde(default)]
    pub query_prefix: String,
    /// Put before a tool's text.
    #[serde(default)]
    pub passage_prefix: String,
    /// ISO 15924 codes of the scripts that it was trained on; empty: all.
    #[serde(default)]
    pub scripts: Vec<String>,
    /// What to use where the probes fail.
    pub float_model: String,
    /// Texts with the float model's vectors.
    pub probes: Vec<Probe>,
}

/// How token vectors become one.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Average over the text's tokens.
    Mean,
    /// The first token's.
    Cls,
}

/// A text with the vector the float model gives it.
#[derive(Clone, Debug, Deserialize)]
pub struct Probe {
    /// The text.
    pub text: String,
    /// `dimension` numbers, unit length.
    pub vector: Vec<f32>,
}

/// The files, read and checked.
#[derive(Debug)]
pub struct ModelFiles {
    /// The manifest.
    pub manifest: Manifest,
    /// Name and content hash, for example `minilm-l6-int8@3f2a91c07d55`.
    pub id: String,
    contents: Contents,
}

impl ModelFiles {
    /// Reads the directory and checks every file against the manifest.
    ///
    /// # Errors
    /// A missing file, an unusable manifest, a wrong hash.
    pub fn read(dir: &Path) -> Result<Self, LoadError> {
        let unusable = |detail: String| LoadError::Manifest { path: dir.join(MANIFEST), detail };
        let manifest: Manifest = read_manifest(dir, KEY)?;
        if manifest.format != FORMAT {
            return Err(unusable(format!("format is {}, this build reads {FORMAT}", manifest.format)));
        }
        if manifest.probes.is_empty() {
            return Err(unusable("probes is empty: nothing would tell a wrong processor".into()));
        }
        if let Some(i) = manifest.probes.iter().position(|p| p.vector.len() != manifest.dimension) {
            return Err(unusable(format!("probes[{i}].vector has not {} numbers", manifest.dimension)));
        }
        if manifest.max_tokens < 3 {
            return Err(unusable(format!("max_tokens is {}, 3 is the least", manifest.max_tokens)));
        }
        let (contents, mut whole) = Contents::read(dir, &manifest.files, KEY)?;
        // How the files are used shapes the vectors as much as the files do.
        whole.update(format!(
            "{:?} {} {:?} {:?}",
            manifest.pooling, manifest.max_tokens, manifest.query_prefix, manifest.passage_prefix
        ));
        let id = format!("{}@{}", manifest.name, &hex::encode(whole.finalize())[..12]);
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

/// The manifest's name in its folder.
const MANIFEST: &str = "manifest.json";

/// The files of a model by name, each with the hash that its manifest says.
#[derive(Debug)]
struct Contents(BTreeMap<String, Vec<u8>>);

impl Contents {
    /// Reads `files` (name → sha256) and hashes names and contents together. `key` is the setting to name where one is missing.
    fn read(dir: &Path, files: &BTreeMap<String, String>, key: &'static str) -> Result<(Self, Sha256), LoadError> {
        let mut contents = BTreeMap::new();
        let mut whole = Sha256::new();
        for (name, expected) in files {
            let path = dir.join(name);
            let bytes = read(&path, key)?;
            let found = hex::encode(Sha256::digest(&bytes));
            if &found != expected {
                return Err(LoadError::WrongHash { path, expected: expected.clone(), found });
            }
            whole.update(name.as_bytes());
            whole.update(found.as_bytes());
            contents.insert(name.clone(), bytes);
        }
        Ok((Self(contents), whole))
    }

    fn take(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        self.0.get(name).cloned().ok_or_else(|| LoadError::Manifest {
            path: MANIFEST.into(),
            detail: format!("files does not list {name}, which the model needs"),
        })
    }
}

fn read_manifest<T: DeserializeOwned>(dir: &Path, key: &'static str) -> Result<T, LoadError> {
    let path = dir.join(MANIFEST);
    let text = read(&path, key)?;
    serde_json::from_slice(&text).map_err(|e| LoadError::Manifest { path, detail: e.to_string() })
}

fn read(path: &Path, key: &'static str) -> Result<Vec<u8>, LoadError> {
    std::fs::read(path).map_err(|source| LoadError::Missing { path: path.to_owned(), key, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, manifest: &str) {
        std::fs::write(dir.join("model.onnx"), b"graph").unwrap();
        std::fs::write(dir.join("manifest.json"), manifest).unwrap();
    }

    fn manifest(hash: &str, probe: &str) -> String {
        format!(
            r#"{{"format":1,"name":"m","file":"model.onnx","files":{{"model.onnx":"{hash}"}},"dimension":2,"pooling":"mean",
               "max_tokens":8,"float_model":"float","probes":[{{"text":"a","vector":{probe}}}]}}"#
        )
    }

    #[test]
    fn takes_what_the_manifest_vouches_for_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let good = hex::encode(Sha256::digest(b"graph"));
        write(dir.path(), &manifest(&good, "[1,0]"));
        let files = ModelFiles::read(dir.path()).unwrap();
        assert!(files.id.starts_with("m@"));
        assert_eq!(files.take("model.onnx").unwrap(), b"graph");
        assert!(files.take("tokenizer.json").unwrap_err().to_string().contains("does not list tokenizer.json"));

        let message = |text: &str| {
            write(dir.path(), text);
            ModelFiles::read(dir.path()).unwrap_err().to_string()
        };
        assert!(message(&manifest(&"0".repeat(64), "[1,0]")).contains("the manifest says 0000"));
        assert!(message(&manifest(&good, "[1,0,0]")).contains("probes[0].vector has not 2 numbers"));
        assert!(message("{").contains("manifest.json is not usable"));
        assert!(message(&manifest(&good, "[1,0]").replace("\"format\":1", "\"format\":9")).contains("this build reads 1"));
        std::fs::remove_file(dir.path().join("model.onnx")).unwrap();
        std::fs::write(dir.path().join("manifest.json"), manifest(&good, "[1,0]")).unwrap();
        assert!(ModelFiles::read(dir.path()).unwrap_err().to_string().contains("model.onnx cannot be read"));
    }
}
