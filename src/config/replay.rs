//! `[replay]`: which selections are kept so that they can be run again, where, and how many.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::replay::{RecorderOptions, Redact};
use crate::store::ring::RingOptions;

/// The ring's name beside the store, where it has no path of its own.
const FILE: &str = "replay.db";
/// A million records are gigabytes of answers, and a search through them for one trace still takes no time.
const MAX_RECORDS: u64 = 1_000_000;
/// A ring is for the last hours or days.
const MAX_MIB: u64 = 64 << 10;
/// With less there is no room for a catalogue.
const MIN_MIB: u64 = 1;
/// Slower than an hour is no selection.
const MAX_SLOW_MS: u64 = 3_600_000;
/// A year.
const MAX_HISTORY_H: u64 = 365 * 24;

/// The ring of replay records.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// Whether selections are kept at all.
    pub enabled: bool,
    /// The ring's file; made when it is first needed. Absent: `replay.db` beside `store.path`.
    pub path: Option<PathBuf>,
    /// Most records, 1 to 1,000,000; the oldest go.
    pub max_records: u64,
    /// Most the file may take, in MiB: 1 to 65,536. A catalogue takes about 4 KiB per tool once, and one that takes more than half of this is
    /// not kept.
    pub max_mib: u64,
    /// A selection that takes longer is kept, in ms: 1 to 3,600,000.
    pub slow_ms: u64,
    /// How long a catalogue is kept that no record needs any more, in hours: up to 8,760.
    pub catalogue_history_h: u64,
    /// What of a request is kept: `none` is left out, or its `text` is.
    pub redact: Redact,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            max_records: 10_000,
            max_mib: 256,
            slow_ms: 250,
            catalogue_history_h: 72,
            redact: Redact::None,
        }
    }
}

impl Replay {
    /// Where the ring is, where the store is at `store`.
    #[must_use]
    pub fn path(&self, store: &Path) -> PathBuf {
        self.path.clone().unwrap_or_else(|| store.with_file_name(FILE))
    }

    /// As the recorder takes it; nothing where it is off.
    #[must_use]
    pub fn options(&self, store: &Path) -> Option<RecorderOptions> {
        let ring = RingOptions {
            path: self.path(store),
            max_records: self.max_records,
            max_bytes: self.max_mib << 20,
            history: Duration::from_secs(self.catalogue_history_h * 3_600),
        };
        let slow = Duration::from_millis(self.slow_ms);
        self.enabled.then_some(RecorderOptions { ring, slow, redact: self.redact })
    }

    /// What is wrong with it, if anything.
    pub(super) fn complaint(&self, store: &Path) -> Option<String> {
        let ranges = [
            ("max_records", self.max_records, 1, MAX_RECORDS),
            ("max_mib", self.max_mib, MIN_MIB, MAX_MIB),
            ("slow_ms", self.slow_ms, 1, MAX_SLOW_MS),
            ("catalogue_history_h", self.catalogue_history_h, 0, MAX_HISTORY_H),
        ];
        if let Some((key, given, least, most)) = ranges.into_iter().find(|(_, given, least, most)| given < least || most < given)
        {
            return Some(format!("replay.{key} is {given}, it must be {least} to {most}"));
        }
        // It would be moved aside as a file that is no ring.
        (self.path(store) == store).then(|| format!("replay.path {} is also store.path: name another file", store.display()))
    }
}
