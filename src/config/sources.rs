//! `[[sources]]`: MCP servers that the router keeps in sync.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::environment;
use crate::import::mcp::{Command, Endpoint, Http, Patience};
use crate::sources;
use crate::tool::check_source;

/// Longest interval and longest wait: a day.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// A server: `command` or `url`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// The source's name in the catalogue.
    pub name: String,
    /// Program and arguments of a server that speaks over stdio.
    pub command: Vec<String>,
    /// URL of a server that speaks streamable HTTP.
    pub url: Option<String>,
    /// With `command`: environment beside the few variables that every server gets. Not for secrets.
    pub env: BTreeMap<String, String>,
    /// With `command`: file of `NAME=VALUE` lines, for secrets.
    pub env_file: Option<PathBuf>,
    /// With `command`: working folder.
    pub folder: Option<PathBuf>,
    /// With `url`: file of `Name: value` lines, for tokens.
    pub headers_file: Option<PathBuf>,
    /// With `url`: certificate authority to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Between two syncs, in seconds: 1 to 86,400. Absent: 300.
    pub interval_s: Option<u64>,
    /// Longest wait for start and handshake, in ms. Absent: 60,000.
    pub connect_timeout_ms: Option<u64>,
    /// Longest wait for one page of the list, in ms. Absent: 30,000.
    pub page_timeout_ms: Option<u64>,
    /// Longest wait for the whole list, in ms. Absent: 120,000.
    pub list_timeout_ms: Option<u64>,
}

impl Source {
    /// The source to keep in sync. `key` is what messages call it.
    ///
    /// # Errors
    /// What is wrong, with its key.
    pub(super) fn checked(&self, key: &str) -> Result<sources::Source, ConfigError> {
        let wrong = |field: &str, detail: String| ConfigError::Value { detail: format!("{key}.{field} {detail}") };
        check_source(&self.name).map_err(|v| wrong("name", v.description))?;
        let endpoint = match (self.command.split_first(), &self.url) {
            (Some(_), Some(_)) => return Err(wrong("url", "stands beside command: a source has one of them".into())),
            (None, None) => return Err(wrong("command", "is missing: give command or url".into())),
            (Some((program, arguments)), None) => {
                if let Some(field) =
                    [("headers_file", &self.headers_file), ("ca_file", &self.ca_file)].iter().find(|f| f.1.is_some())
                {
                    return Err(wrong(field.0, "is for a url, not for a command".into()));
                }
                if program.trim().is_empty() {
                    return Err(wrong("command", "names no program".into()));
                }
                let environment =
                    environment::for_server(&self.env, self.env_file.as_deref()).map_err(|e| wrong("env_file", e))?;
                let (program, arguments) = (program.clone(), arguments.to_vec());
                Endpoint::Command(Command { program, arguments, environment, folder: self.folder.clone() })
            }
            (None, Some(url)) => {
                if !self.env.is_empty() || self.env_file.is_some() || self.folder.is_some() {
                    return Err(wrong("env", "env, env_file and folder are for a command, not for a url".into()));
                }
                Http::check_url(url).map_err(|detail| wrong("url", detail))?;
                for (field, file) in [("headers_file", &self.headers_file), ("ca_file", &self.ca_file)] {
                    if let Some(path) = file
                        && let Err(e) = std::fs::File::open(path)
                    {
                        return Err(wrong(field, format!("{} cannot be read: {e}", path.display())));
                    }
                }
                let (headers_file, ca_file) = (self.headers_file.clone(), self.ca_file.clone());
                Endpoint::Http(Http { url: url.clone(), headers_file, ca_file })
            }
        };
        let time = |field: &str, ms: Option<u64>, default: Duration| match ms {
            None => Ok(default),
            Some(ms @ 1..=DAY_MS) => Ok(Duration::from_millis(ms)),
            Some(_) => Err(wrong(field, "is out of range: it must be more than 0 and at most a day".into())),
        };
        let usual = Patience::default();
        let patience = Patience {
            connect: time("connect_timeout_ms", self.connect_timeout_ms, usual.connect)?,
            page: time("page_timeout_ms", self.page_timeout_ms, usual.page)?,
            list: time("list_timeout_ms", self.list_timeout_ms, usual.list)?,
        };
        let interval = time("interval_s", self.interval_s.map(|s| s.saturating_mul(1_000)), Duration::from_secs(300))?;
        Ok(sources::Source { name: self.name.clone(), endpoint, patience, interval })
    }
}
