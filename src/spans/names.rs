//! Names of attributes and metrics, as OpenTelemetry's conventions have them.
//!
//! RPC, database, server and error names are those of semantic-conventions v1.44.0; `gen_ai.*` and `mcp.*` those of semantic-conventions-genai,
//! which are in development and may still change: here, and nowhere else. What no convention names begins with `toolrouter.`.

/// `grpc`.
pub const RPC_SYSTEM: &str = "rpc.system.name";
/// `package.Service/Method`.
pub const RPC_METHOD: &str = "rpc.method";
/// gRPC's name of the status. On the convention's main branch after v1.44.0 it is `rpc.status_code`.
pub const RPC_STATUS: &str = "rpc.response.status_code";
/// What kind of failure; absent without one.
pub const ERROR_TYPE: &str = "error.type";
/// Host of the one who is called.
pub const SERVER_ADDRESS: &str = "server.address";
/// Port of the one who is called.
pub const SERVER_PORT: &str = "server.port";
/// `pipe` or `tcp`.
pub const NETWORK_TRANSPORT: &str = "network.transport";
/// The service that is called, by name.
pub const PEER_NAME: &str = "service.peer.name";
/// The same for back ends that draw their map by the name before it.
pub const PEER_SERVICE: &str = "peer.service";

/// `sqlite` or `postgresql`.
pub const DB_SYSTEM: &str = "db.system.name";
/// What is done with the store.
pub const DB_OPERATION: &str = "db.operation.name";
/// The database.
pub const DB_NAMESPACE: &str = "db.namespace";

/// Of MCP, such as `tools/list`.
pub const MCP_METHOD: &str = "mcp.method.name";

/// `embeddings` or `retrieval`.
pub const GEN_AI_OPERATION: &str = "gen_ai.operation.name";
/// The model that embeds.
pub const GEN_AI_MODEL: &str = "gen_ai.request.model";
/// How many numbers a vector has.
pub const GEN_AI_DIMENSION: &str = "gen_ai.embeddings.dimension.count";
/// The caller's session.
pub const GEN_AI_CONVERSATION: &str = "gen_ai.conversation.id";
/// Who calls, as it names itself.
pub const GEN_AI_AGENT: &str = "gen_ai.agent.name";
/// `input` or `output`.
pub const GEN_AI_TOKEN_TYPE: &str = "gen_ai.token.type";

/// A selection.
pub const SELECTION: &str = "toolrouter.selection.id";
/// `semantic` or `lexical`.
pub const MODE: &str = "toolrouter.mode";
/// Why it is lexical, or not reranked.
pub const DEGRADED: &str = "toolrouter.degraded_reason";
/// What was known from before: `miss`, `vector` or `answer`.
pub const CACHE: &str = "toolrouter.cache";
/// Who searched: `exact`, `hnsw` or `none`.
pub const ENGINE: &str = "toolrouter.engine";
/// Tools that were returned.
pub const RETURNED: &str = "toolrouter.returned";
/// Tokens of all eligible tools in full.
pub const TOKENS_ELIGIBLE: &str = "toolrouter.tokens.eligible";
/// Tokens that were returned.
pub const TOKENS_RETURNED: &str = "toolrouter.tokens.returned";
/// Tokens that were saved.
pub const TOKENS_SAVED: &str = "toolrouter.tokens.saved";
/// Why no tool was returned.
pub const NO_MATCH: &str = "toolrouter.no_match";
/// State of the catalogue.
pub const CATALOG_VERSION: &str = "toolrouter.catalog.version";
/// A configured source.
pub const SOURCE: &str = "toolrouter.source";
/// Whose tools.
pub const TENANT: &str = "toolrouter.tenant";

/// Why a trace is here that the sampler left out: `error`, `shed` or `slow`.
pub const SAMPLING_REASON: &str = "sampling.reason";

/// The span of a sync.
pub const SYNC: &str = "toolrouter.sync";
/// Reading and hashing what is to be registered.
pub const PREPARE: &str = "toolrouter.prepare";
/// Turning text into vectors.
pub const EMBED: &str = "toolrouter.embed";
/// Making a change last, then making it what selections see.
pub const STORE_AND_PUBLISH: &str = "toolrouter.publish";
