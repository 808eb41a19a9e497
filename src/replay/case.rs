//! Records as a file of their own, with all that running them again takes: for an issue, or for a test that nothing is to change.
//!
//! ```text
//! {"replay":{"format":1,"written_by":"0.1.0"}}
//! {"weights":{"sha256":"…","text":"…"}}
//! {"catalogue":{"sha256":"…","tenant":"default","version":"…"}}
//! {"tool":{…}}                  as a backup has it
//! {"vector":{…}}                the same
//! {"record":{…}}
//! {"end":{"lines":6,"sha256":"…"}}
//! ```
//!
//! Weights and catalogues stand before the records that name them, each once.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::record::Record;
use crate::catalog::Version;
use crate::store::StoreError;
use crate::store::backup::{BackupError, Kept, Reading, Writing};
use crate::store::ring::{Ring, hash};
use crate::tool::TenantId;

/// The one there is.
const FORMAT: u32 = 1;
/// Bytes that are sent on at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Some selections.
#[derive(Debug)]
pub struct Case {
    /// In the order in which they were made.
    pub selections: Vec<Selection>,
}

/// One, with what it was made from.
#[derive(Debug)]
pub struct Selection {
    /// What was written down.
    pub record: Record,
    /// The weights file that it was ranked by.
    pub weights: Arc<str>,
    /// The catalogue; absent where it was too large to be kept.
    pub catalogue: Option<Arc<Kept>>,
}

/// A case cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// There is no record of that id.
    #[error("no selection of {id} is kept")]
    NotKept {
        /// Of a trace or a selection.
        id: String,
    },
    /// The ring does not give it.
    #[error(transparent)]
    Ring(#[from] StoreError),
    /// The file is not one, or not whole.
    #[error(transparent)]
    File(#[from] BackupError),
    /// A record in the ring is none of this build.
    #[error("the replay record of {id} {detail}")]
    Record {
        /// Of a trace or a selection.
        id: String,
        /// What is wrong.
        detail: String,
    },
    /// Whoever it was for is gone.
    #[error("nobody takes it any more")]
    Gone,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Replay(Header),
    Weights(Weights),
    Catalogue(Catalogue),
    Tool(Box<RawValue>),
    Vector(Box<RawValue>),
    Record(Box<RawValue>),
}

#[derive(Deserialize, Serialize)]
struct Header {
    format: u32,
    written_by: String,
}

#[derive(Deserialize, Serialize)]
struct Weights {
    sha256: String,
    text: String,
}

#[derive(Deserialize, Serialize)]
struct Catalogue {
    sha256: String,
    tenant: String,
    version: String,
}

/// Sends the file of the selections that `id` names, of a trace or of one selection, piece by piece.
///
/// # Errors
/// None is kept; the ring does not give it; nobody takes it.
pub async fn export(ring: &Ring, id: &str, out: &mpsc::Sender<Vec<u8>>) -> Result<(), CaseError> {
    let found = ring.find(id).await?;
    if found.is_empty() {
        return Err(CaseError::NotKept { id: id.to_owned() });
    }
    let full = |e: std::io::Error| CaseError::File(e.into());
    let mut file = Writing::to(Vec::new());
    file.entry(&Line::Replay(Header { format: FORMAT, written_by: env!("CARGO_PKG_VERSION").to_owned() })).map_err(full)?;
    let (mut weights, mut catalogues) = (HashSet::new(), HashSet::new());
    for one in found {
        let wrong = |detail: String| CaseError::Record { id: id.to_owned(), detail };
        let record = Record::parse(&one.body).map_err(wrong)?;
        let sha256 = hex::encode(hash(&one.weights));
        if weights.insert(sha256.clone()) {
            file.entry(&Line::Weights(Weights { sha256, text: one.weights })).map_err(full)?;
        }
        if let (Some(catalogue), Some(sha256)) = (one.catalogue, &record.catalogue.sha256)
            && catalogues.insert(sha256.clone())
        {
            let (tenant, version) = (record.tenant.clone(), record.catalogue.version.clone());
            file.entry(&Line::Catalogue(Catalogue { sha256: sha256.clone(), tenant, version })).map_err(full)?;
            for block in ring.blocks(catalogue).await? {
                for line in ring.lines(block).await? {
                    file.line(&line).map_err(full)?;
                }
                if CHUNK_BYTES <= file.out().len() {
                    out.send(std::mem::take(file.out())).await.map_err(|_| CaseError::Gone)?;
                }
            }
        }
        let body = RawValue::from_string(one.body).map_err(|e| wrong(e.to_string()))?;
        file.entry(&Line::Record(body)).map_err(full)?;
    }
    let rest = file.end().map_err(full)?.1;
    out.send(rest).await.map_err(|_| CaseError::Gone)
}

impl Case {
    /// Reads a file, and believes it only when all of it is there.
    ///
    /// # Errors
    /// Not one, cut off, changed: with the line and what is wrong with it.
    pub fn read(from: impl BufRead) -> Result<Self, BackupError> {
        let mut from = Reading::of(from);
        let mut weights: HashMap<String, Arc<str>> = HashMap::new();
        let mut catalogues: HashMap<String, Arc<Kept>> = HashMap::new();
        let mut open: Option<(String, Kept)> = None;
        let (mut selections, mut begun) = (Vec::new(), false);
        while let Some((number, text)) = from.next_line()? {
            let wrong = |detail: String| BackupError::Line { line: number, detail };
            let line: Line = serde_json::from_str(text).map_err(|e| wrong(format!("is none of a replay case: {e}")))?;
            if (number == 1) != matches!(line, Line::Replay(_)) {
                return Err(wrong("a replay case begins with its one {\"replay\":…} line".to_owned()));
            }
            begun = true;
            if let Line::Tool(_) | Line::Vector(_) = &line {
                let (_, kept) = open.as_mut().ok_or_else(|| wrong("stands before any catalogue".to_owned()))?;
                kept.take(text).map_err(wrong)?;
                continue;
            }
            if let Some((sha256, kept)) = open.take() {
                catalogues.insert(sha256, Arc::new(kept));
            }
            match line {
                Line::Replay(header) if header.format != FORMAT => {
                    let newer = format!("has format {}, this build knows {FORMAT}: use the build that wrote it", header.format);
                    return Err(wrong(newer));
                }
                Line::Replay(_) | Line::Tool(_) | Line::Vector(_) => (),
                Line::Weights(Weights { sha256, text }) => {
                    weights.insert(sha256, text.into());
                }
                Line::Catalogue(Catalogue { sha256, tenant, version }) => {
                    let version = Version::parse(&version).ok_or_else(|| wrong(format!("{version:?} is no version")))?;
                    open = Some((sha256, Kept::nothing(TenantId::new(&tenant), version)));
                }
                Line::Record(record) => {
                    let record = Record::parse(record.get()).map_err(wrong)?;
                    let missing = |what: &str| wrong(format!("names {what} that do not stand before it"));
                    let weights = weights.get(&record.made_with.weights_sha256).ok_or_else(|| missing("weights"))?;
                    let catalogue = match &record.catalogue.sha256 {
                        Some(sha256) => Some(catalogues.get(sha256).ok_or_else(|| missing("tools"))?),
                        None => None,
                    };
                    selections.push(Selection { weights: Arc::clone(weights), catalogue: catalogue.cloned(), record });
                }
            }
        }
        if begun { Ok(Self { selections }) } else { Err(BackupError::Cut { lines: 0 }) }
    }
}

#[cfg(test)]
mod tests;
