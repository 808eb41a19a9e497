//! The client behind the command line.

use std::path::PathBuf;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::convert;
use super::proto::operations_client::OperationsClient;
use super::proto::tool_catalog_client::ToolCatalogClient;
use super::proto::tool_router_client::ToolRouterClient;
use super::proto::tool_sources_client::ToolSourcesClient;
use super::proto::{self, sync_source_request::Part};
use crate::error::innermost;
use crate::register::validate;
use crate::tool::{ModelName, Tool};

/// Largest answer taken: fifty described tools of 256 KiB.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Tools per chunk of a sync.
const CHUNK_TOOLS: usize = 200;
/// Bytes per chunk of a sync, well under what the service takes.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// How to reach a router.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// `http://host:port`, or `https://` with TLS.
    pub address: String,
    /// Certificate authority to trust, PEM.
    pub ca_file: Option<PathBuf>,
    /// File with the bearer token.
    pub token_file: Option<PathBuf>,
    /// Longest wait for an answer to a selection or a look-up.
    pub timeout: Duration,
}

/// A call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("no router answers at {address}: {detail}; start one with `tool-router serve`, or give --address")]
    Connect {
        /// Where.
        address: String,
        /// The transport's words.
        detail: String,
    },
    /// The options do not go together.
    #[error("{detail}")]
    Options {
        /// What is wrong.
        detail: &'static str,
    },
    /// A file of the options is not usable.
    #[error("{} cannot be used: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The router refused.
    #[error("{}", refusal(.0))]
    Refused(Box<Status>),
}

fn refusal(status: &Status) -> String {
    let name = format!("{:?}", status.code());
    match status.get_details_bad_request() {
        Some(bad) if !bad.field_violations.is_empty() => {
            let lines: Vec<String> = bad.field_violations.iter().map(|v| format!("  {}: {}", v.field, v.description)).collect();
            format!("the router refused ({name}):\n{}", lines.join("\n"))
        }
        _ if status.code() == Code::Unauthenticated => {
            format!("the router refused ({name}): {}; give --token-file", status.message())
        }
        _ => format!("the router refused ({name}): {}", status.message()),
    }
}

impl ClientError {
    /// What went wrong, where the reader knows who was asked.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Connect { detail, .. } => detail.clone(),
            Self::Refused(status) => status.message().to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether asking again would be refused again: the token is wrong, or the router is too old to know the question.
    #[must_use]
    pub fn is_final(&self) -> bool {
        let codes = [Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented, Code::InvalidArgument];
        matches!(self, Self::Refused(status) if codes.contains(&status.code()))
    }

    /// Whether the router refused what it was sent, and would again.
    #[must_use]
    pub fn is_about_input(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code() == Code::InvalidArgument)
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

/// Puts the token on every call.
#[derive(Clone)]
struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

type Transport = InterceptedService<Channel, Bearer>;

/// Events of the catalogue, as they come.
#[derive(Debug)]
pub struct Watch(tonic::Streaming<proto::WatchCatalogResponse>);

impl Watch {
    /// The next event; `None` when the router stopped.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<proto::WatchCatalogResponse>, ClientError> {
        Ok(self.0.message().await?)
    }
}

/// A connection to a router.
#[derive(Clone)]
pub struct Client {
    router: ToolRouterClient<Transport>,
    catalog: ToolCatalogClient<Transport>,
    sources: ToolSourcesClient<Transport>,
    operations: OperationsClient<Transport>,
    health: HealthClient<Channel>,
    timeout: Duration,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody there, a bad address, an unusable file.
    pub async fn connect(options: &ClientOptions) -> Result<Self, ClientError> {
        let (endpoint, bearer) = prepare(options)?;
        let failed = |detail: String| ClientError::Connect { address: options.address.clone(), detail };
        let channel = endpoint.connect().await.map_err(|e| failed(innermost(&e)))?;
        Ok(Self::over(channel, bearer, options.timeout))
    }

    /// Connects when it is first used, and again whenever it has to: for a process that may start before its router.
    ///
    /// # Errors
    /// A bad address, an unusable file.
    pub fn lazy(options: &ClientOptions) -> Result<Self, ClientError> {
        let (endpoint, bearer) = prepare(options)?;
        Ok(Self::over(endpoint.connect_lazy(), bearer, options.timeout))
    }

    fn over(channel: Channel, bearer: Bearer, timeout: Duration) -> Self {
        Self {
            router: ToolRouterClient::with_interceptor(channel.clone(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
            catalog: ToolCatalogClient::with_interceptor(channel.clone(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
            sources: ToolSourcesClient::with_interceptor(channel.clone(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
            operations: OperationsClient::with_interceptor(channel.clone(), bearer).max_decoding_message_size(MAX_MESSAGE_BYTES),
            health: HealthClient::new(channel),
            timeout,
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        request
    }

    /// Selects tools.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn select(&mut self, message: proto::SelectToolsRequest) -> Result<proto::SelectToolsResponse, ClientError> {
        let request = self.request(message);
        Ok(self.router.select_tools(request).await?.into_inner())
    }

    /// Describes tools.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn describe(&mut self, message: proto::DescribeToolsRequest) -> Result<proto::DescribeToolsResponse, ClientError> {
        let request = self.request(message);
        Ok(self.router.describe_tools(request).await?.into_inner())
    }

    /// Selects of tools that are brought along.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn rank(&mut self, message: proto::RankToolsRequest) -> Result<proto::RankToolsResponse, ClientError> {
        let request = self.request(message);
        Ok(self.router.rank_tools(request).await?.into_inner())
    }

    /// Follows the catalogue; `next` of what is given waits for the next event, `None` when the router stopped.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn watch(&mut self, message: proto::WatchCatalogRequest) -> Result<Watch, ClientError> {
        Ok(Watch(self.catalog.watch_catalog(message).await?.into_inner()))
    }

    /// How configured sources are doing.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn list_sources(&mut self) -> Result<proto::ListSourcesResponse, ClientError> {
        let request = self.request(proto::ListSourcesRequest {});
        Ok(self.sources.list_sources(request).await?.into_inner())
    }

    /// Syncs a source now. No timeout: a server and its tools take as long as they take, and the router bounds both.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn refresh_source(&mut self, source: &str) -> Result<proto::RefreshSourceResponse, ClientError> {
        let message = proto::RefreshSourceRequest { source: source.to_owned() };
        Ok(self.sources.refresh_source(message).await?.into_inner())
    }

    /// Pauses a source.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn pause_source(&mut self, source: &str) -> Result<proto::PauseSourceResponse, ClientError> {
        let request = self.request(proto::PauseSourceRequest { source: source.to_owned() });
        Ok(self.sources.pause_source(request).await?.into_inner())
    }

    /// Resumes a source.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn resume_source(&mut self, source: &str) -> Result<proto::ResumeSourceResponse, ClientError> {
        let request = self.request(proto::ResumeSourceRequest { source: source.to_owned() });
        Ok(self.sources.resume_source(request).await?.into_inner())
    }

    /// Applies a held list. No timeout: what is in it may have to be embedded.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn release_source(&mut self, source: &str) -> Result<proto::ReleaseSourceResponse, ClientError> {
        let message = proto::ReleaseSourceRequest { source: source.to_owned() };
        Ok(self.sources.release_source(message).await?.into_inner())
    }

    /// Registers a batch. No timeout: embedding a batch takes as long as it takes, and the router bounds its size.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn register(
        &mut self,
        source: &str,
        tools: &[Tool],
        dry_run: bool,
    ) -> Result<proto::RegisterToolsResponse, ClientError> {
        let message = proto::RegisterToolsRequest {
            source: source.to_owned(),
            tools: tools.iter().map(convert::definition).collect(),
            expected_version: None,
            dry_run,
        };
        Ok(self.catalog.register_tools(message).await?.into_inner())
    }

    /// Sends a source's whole list.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn sync(
        &mut self,
        source: &str,
        tools: &[Tool],
        dry_run: bool,
        allow_mass_removal: bool,
    ) -> Result<proto::SyncSourceResponse, ClientError> {
        let header = proto::SyncHeader { source: source.to_owned(), expected_version: None, dry_run, allow_mass_removal };
        let end = proto::SyncEnd { total_tools: convert::number(tools.len()) };
        let mut parts = vec![proto::SyncSourceRequest { part: Some(Part::Header(header)) }];
        for chunk in chunks(tools, CHUNK_TOOLS) {
            let tools = chunk.iter().map(convert::definition).collect();
            parts.push(proto::SyncSourceRequest { part: Some(Part::Chunk(proto::SyncChunk { tools })) });
        }
        parts.push(proto::SyncSourceRequest { part: Some(Part::End(end)) });
        Ok(self.catalog.sync_source(tokio_stream::iter(parts)).await?.into_inner())
    }

    /// Removes tools.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn unregister(
        &mut self,
        message: proto::UnregisterToolsRequest,
    ) -> Result<proto::UnregisterToolsResponse, ClientError> {
        let request = self.request(message);
        Ok(self.catalog.unregister_tools(request).await?.into_inner())
    }

    /// Enables or disables tools.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn set_state(&mut self, message: proto::SetToolStateRequest) -> Result<proto::SetToolStateResponse, ClientError> {
        let request = self.request(message);
        Ok(self.catalog.set_tool_state(request).await?.into_inner())
    }

    /// Gets one tool.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn get(&mut self, message: proto::GetToolRequest) -> Result<proto::GetToolResponse, ClientError> {
        let request = self.request(message);
        Ok(self.catalog.get_tool(request).await?.into_inner())
    }

    /// Lists a page.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn list(&mut self, message: proto::ListToolsRequest) -> Result<proto::ListToolsResponse, ClientError> {
        let request = self.request(message);
        Ok(self.catalog.list_tools(request).await?.into_inner())
    }

    /// The file of a kept selection; nothing where none is kept. No timeout: a large catalogue takes as long as it takes.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn replay(&mut self, trace_id: &str) -> Result<Option<Vec<u8>>, ClientError> {
        let message = proto::GetReplayRequest { trace_id: trace_id.to_owned() };
        let mut pieces = match self.operations.get_replay(message).await {
            Ok(pieces) => pieces.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(status.into()),
        };
        let mut file = Vec::new();
        while let Some(piece) = pieces.message().await? {
            file.extend_from_slice(&piece.chunk);
        }
        Ok(Some(file))
    }

    /// How the router is doing.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn status(&mut self) -> Result<proto::GetStatusResponse, ClientError> {
        let request = self.request(proto::GetStatusRequest {});
        Ok(self.operations.get_status(request).await?.into_inner())
    }

    /// Who talks to whom.
    ///
    /// # Errors
    /// The router refused or went away.
    pub async fn map(&mut self) -> Result<proto::GetMapResponse, ClientError> {
        let request = self.request(proto::GetMapRequest {});
        Ok(self.operations.get_map(request).await?.into_inner())
    }

    /// Whether the router takes traffic.
    ///
    /// # Errors
    /// The router went away.
    pub async fn is_serving(&mut self) -> Result<bool, ClientError> {
        let request = self.request(HealthCheckRequest { service: String::new() });
        let answer = self.health.check(request).await?.into_inner();
        Ok(answer.status() == ServingStatus::Serving)
    }
}

/// Where to connect and what to show there.
fn prepare(options: &ClientOptions) -> Result<(Endpoint, Bearer), ClientError> {
    let failed = |detail: String| ClientError::Connect { address: options.address.clone(), detail };
    let address = if options.address.contains("://") { options.address.clone() } else { format!("http://{}", options.address) };
    let mut endpoint = Endpoint::from_shared(address).map_err(|e| failed(innermost(&e)))?.connect_timeout(CONNECT_TIMEOUT);
    let secure = endpoint.uri().scheme_str() == Some("https");
    if secure != options.ca_file.is_some() {
        let detail = if secure {
            "https needs --ca-file, the certificate authority to trust"
        } else {
            "--ca-file needs an https:// address"
        };
        return Err(ClientError::Options { detail });
    }
    if let Some(path) = &options.ca_file {
        let pem = read(path)?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).map_err(|e| failed(innermost(&e)))?;
    }
    let bearer = match &options.token_file {
        Some(path) => {
            // The first, where a router's own file is given while a token is replaced in it.
            let text = String::from_utf8_lossy(&read(path)?).into_owned();
            let token = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            let wrong = |_| ClientError::File { path: path.clone(), detail: "it holds no usable token".into() };
            Some(format!("Bearer {token}").parse().map_err(wrong)?)
        }
        None => None,
    };
    Ok((endpoint, Bearer(bearer)))
}

/// The tool that was described, as the core has it.
#[must_use]
pub fn published(registered: &proto::RegisteredTool) -> Option<(Tool, ModelName)> {
    let candidate = convert::candidate(registered.definition.clone()?);
    let tool = validate::validate_list(&registered.source, vec![candidate], 0).ok()?.pop()?;
    Some((tool, ModelName::parse(&registered.model_name)?))
}

/// A tool that a caller brings.
#[must_use]
pub fn offered(tool: &Tool) -> proto::OfferedTool {
    proto::OfferedTool { source: tool.id.source().to_owned(), definition: Some(convert::definition(tool)) }
}

/// Splits a list into batches that the service takes: at most `most` tools, at least one.
pub fn chunks(tools: &[Tool], most: usize) -> impl Iterator<Item = &[Tool]> {
    let mut rest = tools;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = rest.iter().take(most).take_while(|tool| {
            bytes += tool.bytes();
            bytes <= CHUNK_BYTES
        });
        let (chunk, tail) = rest.split_at(fits.count().max(1));
        rest = tail;
        Some(chunk)
    })
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|e| ClientError::File { path: path.to_owned(), detail: e.to_string() })
}
