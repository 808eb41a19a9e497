//! `[access]`: two bearer tokens, each in a file of its own so that no secret stands in a configuration or a process list.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who may call. Both files or neither.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Token for selecting, describing and listing.
    pub select_token_file: Option<PathBuf>,
    /// Token for everything.
    pub admin_token_file: Option<PathBuf>,
}
