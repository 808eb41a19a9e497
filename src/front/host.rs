//! Where the front is spoken to: standard input and output, or streamable HTTP.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rmcp::ServiceExt;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Front;

/// The front cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The address cannot be had.
    #[error("--http {address} cannot be listened on: {detail}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        detail: String,
    },
    /// Whoever started it does not speak MCP, or went away.
    #[error("the MCP client did not shake hands: {detail}; tool-router mcp is started by an MCP host, or give --http IP:PORT")]
    Handshake {
        /// What is known.
        detail: String,
    },
    /// The port broke.
    #[error("the HTTP port broke: {detail}")]
    Broken {
        /// The system's words.
        detail: String,
    },
}

/// How to serve HTTP.
#[derive(Clone, Debug)]
pub struct HttpHost {
    /// Where.
    pub address: SocketAddr,
    /// Names that callers may use for it beside those of the loopback: whoever else names it is a web page that had its name rebound.
    pub allowed_hosts: Vec<String>,
    /// The bearer token that callers must show. `None`: none.
    pub token: Option<String>,
}

/// Serves one client over standard input and output, until it closes them.
///
/// # Errors
/// It does not speak MCP.
pub async fn over_stdio(front: Front, shutdown: impl Future<Output = ()>) -> Result<(), HostError> {
    let service = front.serve(stdio()).await.map_err(|e| HostError::Handshake { detail: e.to_string() })?;
    tokio::select! {
        // Whatever ended it: there is nobody left to tell.
        _ = service.waiting() => (),
        () = shutdown => (),
    }
    Ok(())
}

/// Serves clients at `/mcp` until `shutdown`; `ready` is told the address.
///
/// # Errors
/// The address cannot be had, or the port broke.
pub async fn over_http(
    front: Front,
    host: HttpHost,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), HostError> {
    let HttpHost { address, allowed_hosts, token } = host;
    let listener = TcpListener::bind(address).await.map_err(|e| HostError::Listen { address, detail: e.to_string() })?;
    let stop = CancellationToken::new();
    let mut config = StreamableHttpServerConfig::default().with_cancellation_token(stop.clone()).enforce_origin_validation();
    config.allowed_hosts.extend(allowed_hosts);
    let service = StreamableHttpService::new(move || Ok(front.clone()), Arc::new(LocalSessionManager::default()), config);
    let token: Option<Arc<str>> = token.map(Into::into);
    let router = axum::Router::new().nest_service("/mcp", service).layer(middleware::from_fn_with_state(token, only_with_token));
    ready(listener.local_addr().unwrap_or(address));
    let shutdown = async move {
        shutdown.await;
        stop.cancel();
    };
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await.map_err(|e| HostError::Broken { detail: e.to_string() })
}

async fn only_with_token(State(token): State<Option<Arc<str>>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let passes = token.is_none_or(|token| shown.is_some_and(|shown| bool::from(shown.ct_eq(token.as_bytes()))));
    if passes {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "send the header `Authorization: Bearer TOKEN`\n").into_response()
}
