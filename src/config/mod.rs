//! Configuration: defaults → file → environment → flags, checked before a port opens. The only reader of the environment.
//!
//! `config.sample.toml` beside this file documents every key and is parsed by a test. Environment variables are
//! `TOOL_ROUTER__SECTION__KEY`; the double underscore keeps them apart from variables that merely begin alike.

mod access;
mod cache;
mod embedder;
pub mod environment;
mod index;
mod load;
mod log;
mod outcomes;
mod places;
mod ranking;
mod replay;
mod reranker;
mod server;
mod sources;
mod store;
mod telemetry;
mod tokens;

use serde::{Deserialize, Serialize};

pub use self::access::{Access, AccessTokens};
pub use self::cache::Cache;
pub use self::embedder::{Embedder, Kind as EmbedderKind};
pub use self::index::{Engine, Index};
pub use self::load::{ConfigError, EmbedderOverrides, IndexOverrides, Overrides, ServerOverrides, StoreOverrides, check, load};
pub use self::log::Log;
pub use self::outcomes::Outcomes;
pub use self::places::{NO_REPORTS, WEIGHTS_FILE, model_dir, runtime_candidates, runtime_would_report};
pub use self::ranking::{NoMatch, Ranking};
pub use self::replay::Replay;
pub use self::reranker::Reranker;
pub use self::server::{Server, Tls};
pub use self::sources::Source;
pub use self::store::{Postgres, Store};
pub use self::telemetry::{Otlp, Telemetry};
pub use self::tokens::{Tokens, TokensEstimate, TokensFile, TokensOverhead};

/// Everything that can be set.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses, deadlines, shutdown.
    pub server: Server,
    /// Who may call.
    pub access: Access,
    /// Where the catalogue survives.
    pub store: Store,
    /// What is kept of reported calls.
    pub outcomes: Outcomes,
    /// What turns text into vectors.
    pub embedder: Embedder,
    /// The numbers that ranking rests on.
    pub ranking: Ranking,
    /// What looks over the head of a ranking; absent: nothing does.
    pub reranker: Option<Reranker>,
    /// Which engine finds tools by their vectors.
    pub index: Index,
    /// What is remembered of earlier selections.
    pub cache: Cache,
    /// Whose tokens the cap is in.
    pub tokens: Tokens,
    /// Logs.
    pub log: Log,
    /// Who this router is to those who watch it, and where its spans and metrics go.
    pub telemetry: Telemetry,
    /// Selections that are kept to be run again.
    pub replay: Replay,
    /// Servers that the router keeps in sync.
    pub sources: Vec<Source>,
}
