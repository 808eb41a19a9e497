//! `[store]`: where the catalogue survives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The embedded store.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The SQLite file; made when absent.
    pub path: PathBuf,
    /// Most the file may take, in MiB: 1 or more. Absent: as much as the disk has.
    pub max_mib: Option<u64>,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: "tool-router.db".into(), max_mib: None }
    }
}
