//! Reads the layers, checks what types cannot say, and puts every complaint into one line.

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::Serialize;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::tokens::SHIPPED;
use super::{AccessTokens, Config};
use crate::compact::Counters;
use crate::store::embedded::EmbeddedOptions;
use crate::store::place::Place;
use crate::store::postgres::PostgresOptions;
use crate::telemetry;

/// Prefix of environment variables.
const ENV_PREFIX: &str = "TOOL_ROUTER__";
/// Largest cache: a terabyte.
const MAX_CACHE_MIB: u64 = 1 << 20;
/// Longest wait or age: a year. Longer ones overflow somewhere, and mean none.
const MAX_WAIT_S: u64 = 365 * 24 * 3_600;
/// A token shorter than this can be guessed.
const MIN_TOKEN_BYTES: usize = 16;
/// Tokens of one kind that count at once: an old one, a new one, and a few more for parties that change at different times.
const MAX_TOKENS: usize = 8;

/// Flags, the top layer. Absent ones do not override.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overrides {
    /// `server.*`
    pub server: ServerOverrides,
    /// `store.*`
    pub store: StoreOverrides,
    /// `embedder.*`
    pub embedder: EmbedderOverrides,
    /// `index.*`
    pub index: IndexOverrides,
}

/// Flags of `[server]`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ServerOverrides {
    /// `server.grpc_address`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_address: Option<String>,
    /// `server.http_address`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_address: Option<String>,
    /// `server.insecure`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
}

/// Flags of `[store]`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StoreOverrides {
    /// `store.path`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

/// Flags of `[index]`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct IndexOverrides {
    /// `index.engine`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// Flags of `[embedder]`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EmbedderOverrides {
    /// `embedder.kind`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The configuration is not usable; one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there.
    #[error("configuration file {} cannot be read: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// A key or value is wrong.
    #[error("configuration: {detail}")]
    Value {
        /// Which, and what is wrong.
        detail: String,
    },
}

fn value(detail: impl Into<String>) -> ConfigError {
    ConfigError::Value { detail: detail.into() }
}

/// Loads and checks the configuration.
///
/// # Errors
/// One line that names the file or key, the value and what to do.
pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Config, ConfigError> {
    let mut layers = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = file {
        // Figment takes a missing file for an empty one; a name that someone typed must exist.
        let text =
            std::fs::read_to_string(path).map_err(|e| ConfigError::File { path: path.to_owned(), detail: e.to_string() })?;
        drop(text);
        layers = layers.merge(Toml::file_exact(path));
    }
    let config: Config = layers
        .merge(Env::prefixed(ENV_PREFIX).split("__"))
        .merge(Serialized::defaults(overrides))
        .extract()
        .map_err(|error| value(one_line(&complaint(error))))?;
    check(&config)?;
    Ok(config)
}

/// What is wrong, with which key, and where it was said.
fn complaint(error: figment::Error) -> String {
    let one = |error: figment::Error| {
        let place = match error.metadata.as_ref().map(|metadata| (&metadata.source, &metadata.name)) {
            Some((Some(figment::Source::File(path)), _)) => format!(" in {}", path.display()),
            Some((_, name)) if name.contains("environment") => " in the environment".to_owned(),
            Some(_) => " given as a flag".to_owned(),
            None => String::new(),
        };
        let key = if error.path.is_empty() { String::new() } else { format!(" for {}", error.path.join(".")) };
        format!("{}{key}{place}", error.kind)
    };
    error.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a configuration is one that may be run.
///
/// # Errors
/// One line that names the key, the value and what to do.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let server = &config.server;
    let positive = [
        ("server.default_deadline_ms", server.default_deadline_ms),
        ("embedder.queue_limit", config.embedder.queue_limit as u64),
        ("index.hnsw_min_tools", config.index.hnsw_min_tools as u64),
        ("store.max_mib", config.store.max_mib.unwrap_or(1)),
    ];
    if let Some((key, _)) = positive.iter().find(|(_, number)| *number == 0) {
        return Err(value(format!("{key} is 0, 1 is the least")));
    }
    let postgres = config.store.postgres.as_ref();
    let waits = [
        ("server.max_connection_age_s", server.max_connection_age_s, MAX_WAIT_S),
        ("server.drain_delay_ms", server.drain_delay_ms, MAX_WAIT_S * 1_000),
        ("server.drain_timeout_ms", server.drain_timeout_ms, MAX_WAIT_S * 1_000),
        ("store.postgres.start_timeout_ms", postgres.map_or(0, |postgres| postgres.start_timeout_ms), MAX_WAIT_S * 1_000),
        ("store.postgres.unready_after_ms", postgres.and_then(|p| p.unready_after_ms).unwrap_or(0), MAX_WAIT_S * 1_000),
    ];
    if let Some((key, given, most)) = waits.iter().find(|(_, given, most)| most < given) {
        return Err(value(format!("{key} is {given}, {most} is the most: a year")));
    }
    if let Some(workers) = config.embedder.workers.filter(|n| *n == 0 || 64 < *n) {
        return Err(value(format!("embedder.workers is {workers}, it must be 1 to 64")));
    }
    if let Some(complaint) = config.reranker.as_ref().and_then(super::Reranker::complaint) {
        return Err(value(complaint));
    }
    if let Some(complaint) = config.outcomes.complaint() {
        return Err(value(complaint));
    }
    config.ranking.left_out().map_err(value)?;
    if let Some(complaint) = config.telemetry.complaint() {
        return Err(value(complaint));
    }
    if let Some(complaint) = config.replay.complaint(&config.store.path) {
        return Err(value(complaint));
    }
    let cache = &config.cache;
    for (key, mib) in [("cache.answers_mib", cache.answers_mib), ("cache.vectors_mib", cache.vectors_mib)] {
        if MAX_CACHE_MIB < mib {
            return Err(value(format!("{key} is {mib}, it must be 0 (off) to {MAX_CACHE_MIB}")));
        }
    }
    let tokens = match (&config.access.select_token_file, &config.access.admin_token_file) {
        (None, None) => false,
        (Some(select), Some(admin)) => {
            let select = several_tokens("access.select_token_file", select)?;
            if several_tokens("access.admin_token_file", admin)?.iter().any(|token| select.contains(token)) {
                return Err(value("access: both files hold the same token, so everyone would be admin"));
            }
            true
        }
        _ => return Err(value("access: set both select_token_file and admin_token_file, or neither")),
    };
    if let Some(tls) = &server.tls {
        let unusable = |key: &str, path: &Path, why: String| value(format!("server.tls.{key} {} {why}", path.display()));
        let read = |key: &str, path: &Path| std::fs::read(path).map_err(|e| unusable(key, path, format!("cannot be read: {e}")));
        let chain = read("certificate_file", &tls.certificate_file)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
        if certificates.is_ok_and(|c| c.is_empty()) || CertificateDer::from_pem_slice(&chain).is_err() {
            return Err(unusable("certificate_file", &tls.certificate_file, "holds no PEM certificate".into()));
        }
        if PrivateKeyDer::from_pem_slice(&read("key_file", &tls.key_file)?).is_err() {
            return Err(unusable("key_file", &tls.key_file, "holds no PEM private key".into()));
        }
    }
    config.postgres()?;
    config.sources()?;
    config.counters()?;
    telemetry::parse_filter(&config.log.filter).map_err(|e| value(e.to_string()))?;
    let guarded = server.grpc_address.ip().is_loopback() || (tokens && server.tls.is_some());
    if !guarded && !server.insecure {
        return Err(value(format!(
            "server.grpc_address {} is reachable from other machines: set server.tls and the access tokens, or pass --insecure",
            server.grpc_address
        )));
    }
    Ok(())
}

/// Reads a file of tokens, one a line: while one is replaced, the old and the new both count.
fn several_tokens(key: &str, path: &Path) -> Result<Vec<String>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| value(format!("{key} {} cannot be read: {e}", path.display())))?;
    let tokens: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let sound = |token: &String| MIN_TOKEN_BYTES <= token.len() && token.bytes().all(|b| b.is_ascii_graphic());
    if tokens.is_empty() || MAX_TOKENS < tokens.len() || !tokens.iter().all(sound) {
        return Err(value(format!(
            "{key} {} must hold 1 to {MAX_TOKENS} tokens, one a line, of {MIN_TOKEN_BYTES} or more printable characters",
            path.display()
        )));
    }
    Ok(tokens)
}

impl Config {
    /// The tokenizers that requests can name. Reads the configured files.
    ///
    /// # Errors
    /// An entry that is not usable.
    pub fn counters(&self) -> Result<Counters, ConfigError> {
        // Ours, and read by a test; a failure here would still be one line.
        let shipped = Figment::from(Toml::string(SHIPPED)).extract().map_err(|error| value(one_line(&complaint(error))))?;
        self.tokens.counters(&shipped).map_err(|detail| value(one_line(&detail)))
    }

    /// The shared store, where one is configured.
    ///
    /// # Errors
    /// It is not usable.
    pub fn postgres(&self) -> Result<Option<PostgresOptions>, ConfigError> {
        self.store.postgres.as_ref().map(super::store::Postgres::checked).transpose().map_err(value)
    }

    /// The configured store, shared or embedded.
    ///
    /// # Errors
    /// It is not usable.
    pub fn store_place(&self) -> Result<Place, ConfigError> {
        let embedded = || EmbeddedOptions { path: self.store.path.clone(), max_mib: self.store.max_mib };
        Ok(self.postgres()?.map_or_else(|| Place::Embedded(embedded()), Place::Postgres))
    }

    /// The configured sources.
    ///
    /// # Errors
    /// One that is not usable, or two of one name.
    pub fn sources(&self) -> Result<Vec<crate::sources::Source>, ConfigError> {
        let mut sources: Vec<crate::sources::Source> = Vec::new();
        for (i, source) in self.sources.iter().enumerate() {
            let key = format!("sources[{i}]");
            if let Some(first) = sources.iter().position(|other| other.name == source.name) {
                return Err(value(format!("{key}.name {:?} is also the name of sources[{first}]", source.name)));
            }
            sources.push(source.checked(&key)?);
        }
        Ok(sources)
    }
}

impl super::Access {
    /// The select and the admin tokens, where they are configured.
    ///
    /// # Errors
    /// A file that cannot be read or holds no token.
    pub fn tokens(&self) -> Result<Option<AccessTokens>, ConfigError> {
        match (&self.select_token_file, &self.admin_token_file) {
            (Some(select), Some(admin)) => Ok(Some(AccessTokens {
                select: several_tokens("access.select_token_file", select)?,
                admin: several_tokens("access.admin_token_file", admin)?,
            })),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        load(Some(file.path()), &Overrides::default()).map_err(|e| e.to_string())
    }

    #[track_caller]
    fn check(text: &str, words: &[&str]) {
        let line = from(text).unwrap_err();
        assert!(words.iter().all(|w| line.contains(w)) && !line.contains('\n'), "{line}");
    }

    #[test]
    fn the_sample_file_is_the_defaults() {
        assert_eq!(from(include_str!("../../config.sample.toml")).unwrap(), Config::default());
    }

    #[test]
    fn bad_values_are_one_line_that_names_the_key() {
        check("[server]\nport = 1", &["unknown field", "port"]);
        check("[sever]\n", &["unknown field", "sever"]);
        check("[server]\ngrpc_address = \"nonsense\"", &["grpc_address"]);
        check("[server]\ndefault_deadline_ms = 0", &["server.default_deadline_ms is 0"]);
        check("[server]\ndefault_deadline_ms = \"2s\"", &["default_deadline_ms"]);
        check(
            "[server]\nmax_connection_age_s = 9223372036854775807",
            &["server.max_connection_age_s is 9223372036854775807, 31536000 is the most"],
        );
        check("[embedder]\nkind = \"magic\"", &["magic"]);
        check("[embedder]\nworkers = 65", &["embedder.workers is 65, it must be 1 to 64"]);
        check("[store]\nmax_mib = 0", &["store.max_mib is 0"]);
        check("[outcomes]\nkeep_days = 4000", &["outcomes.keep_days is 4000, it must be 0 (none are kept) to 3650"]);
        check("[outcomes]\nflush_s = 0", &["outcomes.flush_s is 0, it must be 1 to 3600"]);
        check("[ranking]\nleave_out = [\"luck\"]", &["ranking.leave_out: \"luck\" is no step; steps are views, lexical"]);
        check("[index]\nengine = \"annoy\"", &["annoy", "index.engine"]);
        check("[index]\nhnsw_min_tools = 0", &["index.hnsw_min_tools is 0"]);
        check("[replay]\nmax_records = 0", &["replay.max_records is 0, it must be 1 to 1000000"]);
        check("[replay]\nmax_mib = 99999", &["replay.max_mib is 99999, it must be 1 to 65536"]);
        check("[replay]\nslow_ms = 0", &["replay.slow_ms is 0, it must be 1 to 3600000"]);
        check("[replay]\ncatalogue_history_h = 9999", &["replay.catalogue_history_h is 9999, it must be 0 to 8760"]);
        check("[replay]\nredact = \"some\"", &["some", "replay.redact"]);
        check("[replay]\npath = \"tool-router.db\"", &["replay.path tool-router.db is also store.path"]);
        check("[cache]\nanswers_mib = 9999999", &["cache.answers_mib is 9999999, it must be 0 (off) to 1048576"]);
        check("[access]\nadmin_token_file = \"/nowhere\"", &["set both"]);
        check("not toml", &["configuration"]);
        let missing = load(Some(Path::new("/nowhere/config.toml")), &Overrides::default()).unwrap_err().to_string();
        assert!(missing.contains("/nowhere/config.toml cannot be read"), "{missing}");
    }

    #[test]
    fn beyond_loopback_needs_tls_and_tokens_or_a_clear_word() {
        check("[server]\ngrpc_address = \"0.0.0.0:7431\"", &["reachable from other machines", "--insecure"]);
        assert!(from("[server]\ngrpc_address = \"0.0.0.0:7431\"\ninsecure = true").is_ok());
        assert!(from("[server]\ngrpc_address = \"[::1]:7431\"").is_ok());
    }

    #[test]
    fn tokens_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let text = format!("[access]\nselect_token_file = \"{0}/s\"\nadmin_token_file = \"{0}/a\"", dir.path().display());
        write("s", "short");
        write("a", "0123456789abcdef\n");
        check(&text, &["access.select_token_file", "16 or more"]);
        write("s", "0123456789abcdef");
        check(&text, &["same token"]);
        write("s", "fedcba9876543210");
        let tokens = from(&text).unwrap().access.tokens().unwrap().unwrap();
        assert_eq!((tokens.select, tokens.admin), (vec!["fedcba9876543210".into()], vec!["0123456789abcdef".into()]));
        write("s", "fedcba9876543210\n\n0000000000000000\n");
        assert_eq!(from(&text).unwrap().access.tokens().unwrap().unwrap().select.len(), 2, "the old and the new");
        write("s", "fedcba9876543210\n0123456789abcdef");
        check(&text, &["same token"]);
        write("s", "fedcba9876543210\nshort");
        check(&text, &["access.select_token_file", "one a line, of 16 or more"]);
    }

    #[test]
    fn a_complaint_says_where_the_value_came_from() {
        let server = ServerOverrides { grpc_address: Some("localhost:1".into()), ..ServerOverrides::default() };
        let line = load(None, &Overrides { server, ..Overrides::default() }).unwrap_err().to_string();
        assert_eq!(line, "configuration: invalid socket address syntax for server.grpc_address given as a flag");
        check("[log]\nfilter = \"inof\"", &["log.filter", "\"inof\" is no level"]);
        check("[log]\nfilter = \"=,=\"", &["log.filter"]);
        check("[server]\ndefault_deadline_ms = true", &["for server.default_deadline_ms in /"]);
        let junk = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(junk.path(), "not PEM").unwrap();
        let tls = format!("[server]\ntls = {{ certificate_file = {0:?}, key_file = {0:?} }}", junk.path());
        check(&tls, &["server.tls.certificate_file", "holds no PEM certificate"]);
    }

    #[test]
    fn a_reranker_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let text = |more: &str| format!("[reranker]\nmodel_dir = {:?}\n{more}", folder.path());
        check(&text(""), &["reranker.model_dir /", "has no manifest.json"]);
        std::fs::write(folder.path().join("manifest.json"), "{}").unwrap();
        let reranker = from(&text("weight = 0.25")).unwrap().reranker.unwrap();
        assert_eq!((reranker.depth, reranker.weight, reranker.workers, reranker.queue_limit), (20, 0.25, None, 64));
        assert_eq!(from("").unwrap().reranker, None);
        check("[reranker]\ndepth = 5", &["missing field `model_dir`", "reranker"]);
        check(&text("model = \"x\""), &["unknown field", "model"]);
        check(&text("depth = 1"), &["reranker.depth is 1, it must be 2 to 100"]);
        check(&text("depth = 101"), &["reranker.depth is 101"]);
        check(&text("weight = 1.5"), &["reranker.weight is 1.5, it must be 0 to 1"]);
        check(&text("weight = nan"), &["reranker.weight is NaN"]);
        check(&text("workers = 0"), &["reranker.workers is 0, it must be 1 to 64"]);
        check(&text("queue_limit = 0"), &["reranker.queue_limit is 0"]);
    }

    #[test]
    fn sources_are_checked() {
        let check = |text: &str, words: &str| check(&format!("[[sources]]\nname = \"a\"\n{text}"), &[words]);
        check("", "sources[0].command is missing: give command or url");
        check("command = [\"x\"]\nurl = \"http://h/\"", "a source has one of them");
        check("command = [\"\"]", "names no program");
        check("command = [\"x\"]\nheaders_file = \"h\"", "sources[0].headers_file is for a url");
        check("command = [\"x\"]\nenv_file = \"/nowhere\"", "sources[0].env_file /nowhere cannot be read");
        check("url = \"http://h/\"\nenv = { A = \"b\" }", "are for a command");
        check("url = \"h/mcp\"", "sources[0].url is not a URL");
        check("url = \"http://h/\"\nheaders_file = \"/nowhere\"", "sources[0].headers_file /nowhere cannot be read");
        check("url = \"http://h/\"\ninterval_s = 0", "sources[0].interval_s is out of range");
        check("url = \"http://h/\"\ninterval = 5", "unknown field");
        check("url = \"http://h/\"\n[[sources]]\nname = \"a\"\nurl = \"http://h/\"", "sources[1].name \"a\" is also the name of");
        let config = from("[[sources]]\nname = \"files\"\ncommand = [\"npx\", \"-y\", \"server\"]\ninterval_s = 5").unwrap();
        let sources = config.sources().unwrap();
        assert_eq!((sources[0].endpoint.to_string(), sources[0].interval.as_secs()), ("npx -y server".into(), 5));
    }

    #[test]
    fn flags_win() {
        let server = ServerOverrides { grpc_address: Some("127.0.0.1:9".into()), ..ServerOverrides::default() };
        let config = load(None, &Overrides { server, ..Overrides::default() }).unwrap();
        assert_eq!(config.server.grpc_address.port(), 9);
        assert_eq!(config.server.http_address.port(), 7432);
    }
}
