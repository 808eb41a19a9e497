//! A connection to one server: opened, listed as often as wanted, told when the list changes, closed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, Implementation, ListToolsRequest, PaginatedRequestParams, RequestMetaObject,
};
use rmcp::service::{ClientInitializeError, NotificationContext, Peer, PeerRequestOptions, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::endpoint::Endpoint;
use super::error::McpError;
use super::listing::Listed;
use super::notes::{Notes, clean};
use super::process::Process;
use super::raw::{Page, RawPages};
use super::stdio::Stdio;
use super::{MAX_LIST_BYTES, MAX_PAGES, MAX_TOOLS, Patience, http};
use crate::error::innermost;
use crate::spans;

/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// An open connection. Dropping it kills a server that was started for it.
pub struct Session {
    peer: Peer<RoleClient>,
    process: Option<Process>,
    patience: Patience,
    changed: Arc<Notify>,
    /// Cancelled by whoever ends the connection first.
    stop: CancellationToken,
    gone: CancellationToken,
    raw: RawPages,
    notes: Notes,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("process", &self.process).finish_non_exhaustive()
    }
}

/// What rmcp calls when the server speaks of its own accord.
struct Listener {
    changed: Arc<Notify>,
}

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    fn get_info(&self) -> ClientConfig {
        // No capabilities: nothing is lent to a server that is only asked for its list.
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("tool-router", env!("CARGO_PKG_VERSION")))
    }
}

impl Session {
    /// Starts or calls the server and shakes hands.
    ///
    /// # Errors
    /// It cannot be started or reached, is late, or does not speak MCP.
    pub async fn open(endpoint: &Endpoint, patience: Patience) -> Result<Self, McpError> {
        let (raw, notes, changed) = (RawPages::default(), Notes::default(), Arc::new(Notify::new()));
        let listener = Listener { changed: Arc::clone(&changed) };
        let stop = CancellationToken::new();
        let mut process = None;
        let limit = patience.connect;
        let handshake = async {
            match endpoint {
                Endpoint::Command(command) => {
                    let (started, output, input) = Process::start(command, &notes)?;
                    process = Some(started);
                    let transport = Stdio::new(output, input, raw.clone(), notes.clone());
                    listener.serve_with_ct(transport, stop.clone()).await.map_err(|e| refused_handshake(&e))
                }
                Endpoint::Http(address) => {
                    let (client, config) = http::client(address, raw.clone(), notes.clone())?;
                    let transport = StreamableHttpClientTransport::with_client(client, config);
                    listener.serve_with_ct(transport, stop.clone()).await.map_err(|e| refused_handshake(&e))
                }
            }
        };
        let what = "finish the handshake";
        let late = |_| McpError::Late { what, limit, last_words: notes.last_words() };
        let service = match tokio::time::timeout(limit, handshake).await.map_err(late).and_then(|result| result) {
            Ok(service) => service,
            Err(error) => return Err(explained(error, &notes, process.as_mut()).await),
        };
        let (peer, gone) = (service.peer().clone(), CancellationToken::new());
        tokio::spawn(watch(service, gone.clone()));
        Ok(Self { peer, process, patience, changed, stop, gone, raw, notes })
    }

    /// What the server calls itself.
    #[must_use]
    pub fn server_name(&self) -> Option<String> {
        self.peer.peer_info().and_then(|info| Some(info.server_info.clone()?.name)).filter(|name| !name.trim().is_empty())
    }

    /// Whether it promises to tell when its list changes.
    #[must_use]
    pub fn notifies(&self) -> bool {
        let tools = self.peer.peer_info().and_then(|info| info.capabilities.tools.clone());
        tools.and_then(|tools| tools.list_changed).unwrap_or(false)
    }

    /// Resolves when the server has said that its list changed, since the last time this resolved.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Resolves when the connection is gone.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Why the connection is gone, as far as is known.
    pub async fn why_gone(&mut self) -> McpError {
        explained(McpError::Unreachable { cause: "the connection was closed".into() }, &self.notes, self.process.as_mut()).await
    }

    /// The server's whole list, as tools of `source`.
    ///
    /// # Errors
    /// It is not there whole: late, broken off, over a limit, no list.
    pub async fn list(&mut self, source: &str) -> Result<Listed, McpError> {
        let limit = self.patience.list;
        let late = |_| McpError::Late { what: "give its whole list", limit, last_words: self.notes.last_words() };
        match tokio::time::timeout(limit, self.pages()).await.map_err(late).and_then(|result| result) {
            Ok(entries) => {
                let source = source.to_owned();
                let read = tokio::task::spawn_blocking(move || Listed::read(&source, &entries));
                read.await.map_err(|e| McpError::Protocol { detail: format!("its list broke the reader: {e}") })
            }
            Err(error) => Err(explained(error, &self.notes, self.process.as_mut()).await),
        }
    }

    async fn pages(&self) -> Result<Vec<Box<serde_json::value::RawValue>>, McpError> {
        if self.peer.peer_info().is_some_and(|info| info.capabilities.tools.is_none()) {
            return Err(McpError::NoTools);
        }
        let (mut entries, mut bytes, mut cursors) = (Vec::new(), 0, HashSet::new());
        let mut cursor: Option<String> = None;
        for page in 1..=MAX_PAGES {
            let Page { tools, next_cursor, bytes: more } = self.page(cursor).await?;
            bytes += more;
            entries.extend(tools);
            if MAX_LIST_BYTES < bytes {
                return Err(McpError::ListTooBig { limit: MAX_LIST_BYTES });
            }
            if MAX_TOOLS < entries.len() {
                return Err(McpError::TooManyTools { limit: MAX_TOOLS });
            }
            let Some(next) = next_cursor else { return Ok(entries) };
            if !cursors.insert(next.clone()) {
                return Err(McpError::Circle { page });
            }
            cursor = Some(next);
        }
        Err(McpError::TooManyPages { limit: MAX_PAGES })
    }

    async fn page(&self, cursor: Option<String>) -> Result<Page, McpError> {
        let limit = self.patience.page;
        let mut params = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
        // Without a prefix, as MCP has it for trace context.
        if let Some(traceparent) = spans::traceparent() {
            let mut meta = RequestMetaObject::default();
            meta.set_traceparent(traceparent);
            params.get_or_insert_default().meta = Some(meta);
        }
        let request = ListToolsRequest { params, ..ListToolsRequest::default() };
        let options = PeerRequestOptions::with_timeout(limit);
        let asked = self.peer.send_cancellable_request(ClientRequest::ListToolsRequest(request), options).await;
        let handle = asked.map_err(|e| refused_list(e, limit, &self.notes))?;
        let id = handle.id.to_string();
        // What it was parsed as does not matter: a list with one odd tool in it is no list to rmcp.
        handle.await_response().await.map_err(|e| refused_list(e, limit, &self.notes))?;
        let no_list = || McpError::Protocol { detail: "its answer to tools/list has no array of tools".into() };
        self.raw.take(&id).ok_or_else(no_list)
    }

    /// Says goodbye and ends a server that was started for it.
    pub async fn close(mut self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(FAREWELL, self.gone.cancelled()).await;
        if let Some(process) = self.process.take() {
            process.end().await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn watch(service: RunningService<RoleClient, Listener>, gone: CancellationToken) {
    // Whatever ended it, it is gone.
    let _ = service.waiting().await;
    gone.cancel();
}

/// The better reason, where the transport or the process knows one.
async fn explained(error: McpError, notes: &Notes, process: Option<&mut Process>) -> McpError {
    if let Some(failure) = notes.failure() {
        return failure;
    }
    let broken = matches!(error, McpError::Unreachable { .. } | McpError::Protocol { .. });
    match process {
        Some(process) if broken => match process.ended().await {
            Some(status) => McpError::Ended { status, last_words: notes.last_words() },
            None => error,
        },
        _ => error,
    }
}

fn refused_handshake(error: &ClientInitializeError) -> McpError {
    match error {
        ClientInitializeError::JsonRpcError(e) => McpError::Refused { what: "the handshake", detail: short(&e.message) },
        ClientInitializeError::TransportError { error, .. } => transport(error.error.as_ref()),
        ClientInitializeError::ConnectionClosed(_) => {
            McpError::Unreachable { cause: "it closed the connection before the handshake was over".into() }
        }
        other => McpError::Protocol { detail: short(other) },
    }
}

fn refused_list(error: ServiceError, limit: Duration, notes: &Notes) -> McpError {
    match error {
        ServiceError::McpError(e) => McpError::Refused { what: "tools/list", detail: short(&e.message) },
        ServiceError::Timeout { .. } => McpError::Late { what: "answer tools/list", limit, last_words: notes.last_words() },
        ServiceError::TransportSend(e) => transport(e.error.as_ref()),
        ServiceError::TransportClosed => McpError::Unreachable { cause: "the connection broke before the list was there".into() },
        other => McpError::Protocol { detail: short(&other) },
    }
}

fn transport(error: &(dyn std::error::Error + 'static)) -> McpError {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::AuthRequired(e)) => McpError::Denied { status: short(&e.www_authenticate_header) },
        Some(StreamableHttpError::InsufficientScope(e)) => McpError::Denied { status: short(&e.www_authenticate_header) },
        // As rmcp words a status that it does not treat otherwise.
        Some(StreamableHttpError::UnexpectedServerResponse(detail))
            if detail.starts_with("HTTP 401") || detail.starts_with("HTTP 403") =>
        {
            McpError::Denied { status: short(detail) }
        }
        Some(StreamableHttpError::UnexpectedServerResponse(detail)) => McpError::Protocol { detail: short(detail) },
        Some(e @ StreamableHttpError::UnexpectedContentType(_)) => McpError::Protocol { detail: short(e) },
        Some(StreamableHttpError::Client(e)) => McpError::Unreachable { cause: innermost(e) },
        _ => McpError::Unreachable { cause: innermost(error) },
    }
}

/// What a server says, in a line.
fn short(words: &(impl std::fmt::Display + ?Sized)) -> String {
    clean(&words.to_string())
}
