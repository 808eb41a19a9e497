//! A file's text, whole or not at all, whatever is imported from it.

use std::io::Read;
use std::path::Path;

use super::error::ImportError;

/// Largest file. 100,000 tools as large as real ones take about 120 MiB.
pub(super) const MAX_FILE_BYTES: u64 = 256 << 20;

/// The text of a file of at most `limit` bytes, and the file's name without its extension.
pub(super) fn read_at_most(limit: u64, path: &Path) -> Result<(String, String), ImportError> {
    let file = path.display().to_string();
    let mut bytes = Vec::new();
    // Not by the size that the directory tells: that of a pipe is 0.
    let taken = std::fs::File::open(path).and_then(|f| f.take(limit + 1).read_to_end(&mut bytes));
    if let Err(cause) = taken {
        return Err(ImportError::Unreadable { file, cause });
    }
    if limit < bytes.len() as u64 {
        return Err(ImportError::TooBig { file, limit });
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, stem)),
        Err(e) => Err(ImportError::NotUtf8 { file, offset: e.utf8_error().valid_up_to() }),
    }
}

/// The text without the byte order mark that some editors put before it.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
