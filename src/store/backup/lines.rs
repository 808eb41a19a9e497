//! The file of a backup: JSON lines, the last of which says how many there were and what they hash to.
//!
//! ```text
//! {"backup":{"format":1,"written_by":"0.1.0"}}
//! {"tenant":{"name":"default","epoch":2863311530,"version":12}}
//! {"tool":{"source":"files","name":"read",…}}
//! {"vector":{"model":"…","text":"<hex>","codes":"<base64>"}}
//! {"paused":{"source":"files"}}
//! {"end":{"lines":5,"sha256":"<hex of all lines before>"}}
//! ```
//!
//! Whatever stands below a tenant is that tenant's. Nothing is taken from a file whose end is missing or whose hash is another.

use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::checked::{Reading, Writing, Written};
use super::{Backup, Kept};
use crate::catalog::{Record, TextHash, Version};
use crate::index::vector::Codes;
use crate::store::columns::Columns;
use crate::store::{StoredTenant, StoredVector};
use crate::tool::TenantId;

/// The one there is.
const FORMAT: u32 = 1;

/// A backup could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The system's word.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// A line is none of a backup.
    #[error("line {line}: {detail}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        detail: String,
    },
    /// The end is missing: the file was cut, or is still being written.
    #[error("the last line is missing: the file was cut off after line {lines}")]
    Cut {
        /// How many there are.
        lines: u64,
    },
    /// The hash is another.
    #[error("its lines do not hash to what its last line says: the file was changed or is damaged")]
    Changed,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Entry {
    Backup(Header),
    Tenant(Tenant),
    Tool(Box<Columns>),
    Vector(Vector),
    Paused(Paused),
}

#[derive(Deserialize, Serialize)]
struct Header {
    format: u32,
    written_by: String,
}

#[derive(Deserialize, Serialize)]
struct Tenant {
    name: String,
    epoch: u32,
    version: u64,
}

#[derive(Deserialize, Serialize)]
struct Vector {
    model: String,
    text: String,
    codes: String,
}

#[derive(Deserialize, Serialize)]
struct Paused {
    source: String,
}

/// What checksums are over: a tool's line without its costs, which every build counts anew.
pub(super) fn tool(columns: Columns) -> String {
    // Plain values always serialise.
    serde_json::to_string(&Columns { costs: Vec::new(), ..columns }).unwrap_or_default()
}

/// Writes a backup.
///
/// # Errors
/// The file does not take it.
pub fn write(backup: &Backup, out: impl Write) -> Result<Written, BackupError> {
    let mut out = Writing::to(out);
    out.entry(&Entry::Backup(Header { format: FORMAT, written_by: env!("CARGO_PKG_VERSION").to_owned() }))?;
    for Kept { stored, vectors, paused } in &backup.tenants {
        let Version { epoch, number } = stored.version;
        out.entry(&Entry::Tenant(Tenant { name: stored.tenant.as_str().to_owned(), epoch, version: number }))?;
        for record in &stored.records {
            out.line(&tool_line(record))?;
        }
        for vector in vectors {
            out.line(&vector_line(&vector.model_id, &vector.text, &vector.codes))?;
        }
        for source in paused {
            out.entry(&Entry::Paused(Paused { source: source.clone() }))?;
        }
    }
    Ok(out.end()?.0)
}

/// A tool as a line, without its line end.
#[must_use]
pub fn tool_line(record: &Record) -> String {
    // Plain values always serialise.
    serde_json::to_string(&Entry::Tool(Box::new(Columns::of(record)))).unwrap_or_default()
}

/// A vector as a line, without its line end.
#[must_use]
pub fn vector_line(model_id: &str, text: &TextHash, codes: &Codes) -> String {
    let (text, codes) = (hex::encode(text.0), STANDARD.encode(codes.to_bytes()));
    serde_json::to_string(&Entry::Vector(Vector { model: model_id.to_owned(), text, codes })).unwrap_or_default()
}

/// Writes a backup to a file of its own. Beside it first: whoever is killed half way leaves what was there before, and of two who write at
/// once the last one's is there, whole.
///
/// # Errors
/// The folder does not take it.
pub fn write_file(backup: &Backup, path: &Path) -> Result<Written, BackupError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_synced(backup, &beside).and_then(|written| {
        std::fs::rename(&beside, path)?;
        Ok(written)
    });
    if written.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    written
}

fn write_synced(backup: &Backup, path: &Path) -> Result<Written, BackupError> {
    let mut file = BufWriter::new(File::create(path)?);
    let written = write(backup, &mut file)?;
    file.get_ref().sync_all()?;
    Ok(written)
}

/// Reads a backup, and believes it only when all of it is there.
///
/// # Errors
/// Not one, cut off, changed.
pub fn read(from: impl BufRead) -> Result<Backup, BackupError> {
    let mut from = Reading::of(from);
    let (mut backup, mut begun) = (Backup::default(), false);
    while let Some((line, text)) = from.next_line()? {
        begun = true;
        let wrong = |detail: String| BackupError::Line { line, detail };
        let entry: Entry = serde_json::from_str(text).map_err(|e| wrong(format!("is none of a backup: {e}")))?;
        if (line == 1) != matches!(entry, Entry::Backup(_)) {
            return Err(wrong("a backup begins with its one {\"backup\":…} line".to_owned()));
        }
        match entry {
            Entry::Backup(header) if header.format != FORMAT => {
                let newer = format!("has format {}, this build knows {FORMAT}: use the build that wrote it", header.format);
                return Err(wrong(newer));
            }
            Entry::Backup(_) => (),
            Entry::Tenant(Tenant { name, epoch, version }) => {
                backup.tenants.push(Kept::nothing(TenantId::new(&name), Version { epoch, number: version }));
            }
            entry => {
                let kept = backup.tenants.last_mut().ok_or_else(|| wrong("stands before any tenant".to_owned()))?;
                place(kept, entry).map_err(wrong)?;
            }
        }
    }
    if begun { Ok(backup) } else { Err(BackupError::Cut { lines: 0 }) }
}

impl Kept {
    /// A tenant without tools.
    #[must_use]
    pub fn nothing(tenant: TenantId, version: Version) -> Self {
        Self { stored: StoredTenant { tenant, version, records: Vec::new() }, vectors: Vec::new(), paused: Vec::new() }
    }

    /// Puts what a line below a tenant holds where it belongs.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its number.
    pub fn take(&mut self, line: &str) -> Result<(), String> {
        let entry: Entry = serde_json::from_str(line).map_err(|e| format!("is neither tool nor vector: {e}"))?;
        place(self, entry)
    }
}

fn place(kept: &mut Kept, entry: Entry) -> Result<(), String> {
    match entry {
        Entry::Tool(columns) => kept.stored.records.push(columns.record().map_err(|e| e.to_string())?),
        Entry::Vector(Vector { model, text, codes }) => {
            let text = hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or("text is no SHA-256 in hex")?;
            let bytes = STANDARD.decode(codes).map_err(|e| format!("codes: {e}"))?;
            let codes = Codes::from_bytes(&bytes, bytes.len().saturating_sub(4)).ok_or("codes are no vector")?;
            kept.vectors.push(StoredVector { model_id: model, text: TextHash(text), codes });
        }
        Entry::Paused(Paused { source }) => kept.paused.push(source),
        Entry::Backup(_) | Entry::Tenant(_) => return Err("stands below a tenant".to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    fn backup() -> Backup {
        let records = vec![contract::record("a", 0), contract::record("b", 3)];
        let stored = StoredTenant { tenant: TenantId::default(), version: Version { epoch: 7, number: 12 }, records };
        let codes = Codes::from_bytes(&[0, 0, 128, 63, 1, 255, 3], 3).unwrap();
        let vectors = vec![StoredVector { model_id: "m@1".into(), text: TextHash::of("t"), codes }];
        Backup { tenants: vec![Kept { stored, vectors, paused: vec!["s".into()] }] }
    }

    fn text() -> String {
        let mut out = Vec::new();
        let written = write(&backup(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(written.lines, 7);
        assert!(text.ends_with(&format!("\"sha256\":\"{}\"}}}}\n", written.sha256)));
        text
    }

    #[test]
    fn what_is_written_is_read() {
        let (before, after) = (&backup().tenants[0], &read(text().as_bytes()).unwrap().tenants[0]);
        assert_eq!((&after.stored.records, after.stored.version), (&before.stored.records, before.stored.version));
        assert_eq!((&after.vectors, &after.paused), (&before.vectors, &before.paused));
        assert_eq!(after.checksum(), before.checksum());
        assert!(after.faults().is_empty(), "{:?}", after.faults());
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_no_backup() {
        let whole = text();
        for end in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..end]).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn a_file_that_was_changed_anywhere_is_no_backup() {
        let whole = text().into_bytes();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(read(&changed[..]).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let check = |text: String, words: &str| {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check("{}\n".into(), "line 1: is none of a backup");
        check("notes\n".into(), "line 1: is none of a backup");
        check(text().replace("\"format\":1", "\"format\":9"), "line 1: has format 9, this build knows 1");
        check(text().replace("\"codes\":\"AAC", "\"codes\":\"?AC"), "line 5: codes");
        check(text().lines().skip(1).map(|line| format!("{line}\n")).collect(), "begins with its one");
    }
}
