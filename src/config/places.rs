//! Where files are looked for, so that the defaults work from a checkout, from beside the program and from a package.

use std::path::{Path, PathBuf};

use super::Embedder;

/// ONNX Runtime's file name as `make setup` leaves it.
const RUNTIME_FILE: &str = "libonnxruntime.so";
/// How many folders above the program to look in: `target/release/deps` is three below a checkout.
const FOLDERS_UP: usize = 4;

/// The weights file's name in a model directory.
pub const WEIGHTS_FILE: &str = "ranking.json";

/// A model directory: as configured when it is there or absolute, else beside the program or above it.
#[must_use]
pub fn model_dir(configured: &Path) -> PathBuf {
    if configured.is_absolute() || configured.exists() {
        return configured.to_owned();
    }
    let found = folders().map(|folder| folder.join(configured)).find(|path| path.exists());
    found.unwrap_or_else(|| configured.to_owned())
}

/// The variable that keeps ONNX Runtime from reporting to its maker.
pub const NO_REPORTS: &str = "ORT_DISABLE_TELEMETRY";

/// Whether ONNX Runtime, loaded by this process, would report: nobody has said a word about it, either way.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "config/ is the one reader of the environment")]
pub fn runtime_would_report() -> bool {
    std::env::var_os(NO_REPORTS).is_none()
}

/// Where ONNX Runtime may be, best first.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "config/ is the one reader of the environment")]
pub fn runtime_candidates(embedder: &Embedder) -> Vec<PathBuf> {
    if let Some(configured) = &embedder.runtime_library {
        return vec![configured.clone()];
    }
    let relative = Path::new(".runtime").join(RUNTIME_FILE);
    let mut candidates = vec![relative.clone()];
    candidates.extend(folders().flat_map(|folder| [folder.join(RUNTIME_FILE), folder.join(&relative)]));
    candidates.retain(|path| path.is_file());
    candidates.extend(std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from));
    candidates.push(RUNTIME_FILE.into());
    candidates
}

/// The program's folder and those above it.
fn folders() -> impl Iterator<Item = PathBuf> {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).map(Path::to_owned);
    std::iter::successors(folder, |folder| folder.parent().map(Path::to_owned)).take(FOLDERS_UP)
}
