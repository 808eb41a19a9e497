//! `[access]`: two kinds of bearer token, each in a file of its own so that no secret stands in a configuration or a process list.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Who may call. Both files or neither.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Tokens for selecting, describing and listing, one a line.
    pub select_token_file: Option<PathBuf>,
    /// Tokens for everything, one a line.
    pub admin_token_file: Option<PathBuf>,
}

/// The tokens themselves.
#[derive(Clone, PartialEq)]
pub struct AccessTokens {
    /// For selecting, describing and listing.
    pub select: Vec<String>,
    /// For everything.
    pub admin: Vec<String>,
}

/// Without them.
impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessTokens")
    }
}
