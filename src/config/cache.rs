//! `[cache]`: what is remembered of earlier selections.

use serde::{Deserialize, Serialize};

/// Bounds of the caches, in MiB. 0 remembers nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cache {
    /// Whole answers: an equal request to an unchanged catalogue costs microseconds.
    pub answers_mib: u64,
    /// Vectors of queries: an equal query costs no forward pass, whatever changed since.
    pub vectors_mib: u64,
}

impl Default for Cache {
    fn default() -> Self {
        // Some thousands of each: an answer holds its list twice, a vector is 4 bytes a number.
        Self { answers_mib: 64, vectors_mib: 16 }
    }
}
