//! `[log]`: what the log says and how it looks.

use serde::{Deserialize, Serialize};

use crate::telemetry::LogFormat;

/// Logs, on standard error.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `auto` (pretty on a terminal, JSON elsewhere), `json` or `pretty`.
    pub format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`) or a tracing filter such as `info,tool_router::store=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".into() }
    }
}
