//! The gRPC server: the services, health and reflection on one listener.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::calls::CallService;
use super::catalog::{CatalogService, MAX_LISTS};
use super::layers::{Access, AccessLayer};
pub use super::listener::Certificate;
use super::listener::{self, Lane};
use super::operations::{About, MAX_READERS, OperationsService};
use super::proto::DESCRIPTORS;
use super::proto::operations_server::OperationsServer;
use super::proto::tool_calls_server::ToolCallsServer;
use super::proto::tool_catalog_server::ToolCatalogServer;
use super::proto::tool_router_server::ToolRouterServer;
use super::proto::tool_sources_server::ToolSourcesServer;
use super::router::{MAX_CHECKERS, RouterService};
use super::sources::SourceService;
use super::watch::MAX_WATCHERS;
use crate::catalog::Catalog;
use crate::register::Registrar;
use crate::replay::Recorder;
use crate::report::Reporter;
use crate::select::{Offered, Selector};
use crate::sources::Sources;
use crate::telemetry::Meters;

/// Largest message taken. Over the limit of a batch, so that a batch somewhat too large is told what its limit is.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// Services whose health is reported; the empty name stands for the whole server.
const HEALTH_NAMES: [&str; 6] = [
    "",
    "toolrouter.v1.ToolRouter",
    "toolrouter.v1.ToolCalls",
    "toolrouter.v1.ToolCatalog",
    "toolrouter.v1.ToolSources",
    "toolrouter.v1.Operations",
];

/// Everything the services need.
#[derive(Debug)]
pub struct Parts {
    /// What is selected from.
    pub catalog: Arc<Catalog>,
    /// What changes it.
    pub registrar: Registrar,
    /// What answers.
    pub selector: Arc<Selector>,
    /// What answers over tools that callers bring.
    pub offered: Offered,
    /// What is kept in sync.
    pub sources: Sources,
    /// What takes reports of calls.
    pub reporter: Reporter,
    /// What counts.
    pub meters: Arc<Meters>,
    /// What keeps selections; none where they are not kept.
    pub recorder: Option<Recorder>,
    /// What an operator is told about this router.
    pub about: About,
    /// Who may call.
    pub access: Access,
    /// Deadline of callers that set none.
    pub default_deadline: Duration,
    /// Certificate and key; none: no TLS.
    pub certificate: Certificate,
    /// Age at which connections are told to end; `None`: never.
    pub connection_age: Option<Duration>,
}

/// Certificate chain and private key, PEM.
pub struct TlsPem {
    /// The chain.
    pub certificates: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for TlsPem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsPem")
    }
}

/// The server could not start or broke.
#[derive(Debug, thiserror::Error)]
#[error("the gRPC server failed: {}", crate::error::innermost(.0))]
pub struct ServeError(#[from] tonic::transport::Error);

/// Tells probes whether to send traffic.
#[derive(Clone)]
pub struct Health(HealthReporter);

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Health")
    }
}

impl Health {
    /// Sets every service's status.
    pub async fn set(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in HEALTH_NAMES {
            self.0.set_service_status(name, status).await;
        }
    }

    /// Ends every watch: such a stream never ends by itself, and a drain would wait for it to its last second.
    pub async fn close(&self) {
        let mut reporter = self.0.clone();
        for name in HEALTH_NAMES {
            reporter.clear_service_status(name).await;
        }
    }
}

/// Builds the server. The first value reports health, the second runs until `stop` and then lets calls under way finish.
///
/// # Errors
/// A server broke.
pub async fn serve(
    parts: Parts,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(Health, impl Future<Output = Result<(), ServeError>>), ServeError> {
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let health = Health(reporter);
    health.set(false).await;

    let access_meters = Arc::clone(&parts.meters);
    let router = ToolRouterServer::new(RouterService {
        catalog: Arc::clone(&parts.catalog),
        registrar: parts.registrar.clone(),
        selector: parts.selector,
        offered: parts.offered,
        reporter: parts.reporter.clone(),
        meters: Arc::clone(&parts.meters),
        recorder: parts.recorder.clone(),
        default_deadline: parts.default_deadline,
        checkers: Arc::new(Semaphore::new(MAX_CHECKERS)),
    })
    .max_decoding_message_size(MAX_MESSAGE_BYTES)
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip);
    let operations = OperationsServer::new(OperationsService {
        about: parts.about,
        catalog: Arc::clone(&parts.catalog),
        store: parts.registrar.store_state(),
        sources: parts.sources.clone(),
        meters: Arc::clone(&parts.meters),
        recorder: parts.recorder,
        readers: Arc::new(Semaphore::new(MAX_READERS)),
    })
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip);
    // Five hundred outcomes are far from the 4 MiB that tonic takes by itself.
    let calls = ToolCallsServer::new(CallService {
        catalog: Arc::clone(&parts.catalog),
        reporter: parts.reporter,
        meters: Arc::clone(&parts.meters),
    })
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip);
    let catalog = ToolCatalogServer::new(CatalogService {
        catalog: parts.catalog,
        registrar: parts.registrar,
        meters: Arc::clone(&parts.meters),
        lists: Semaphore::new(MAX_LISTS),
        watchers: Arc::new(Semaphore::new(MAX_WATCHERS)),
        stop: stop.clone(),
    })
    .max_decoding_message_size(MAX_MESSAGE_BYTES)
    .accept_compressed(CompressionEncoding::Gzip)
    .send_compressed(CompressionEncoding::Gzip);

    let sources = ToolSourcesServer::new(SourceService { sources: parts.sources, meters: parts.meters })
        .accept_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Gzip);

    let routes = Routes::new(health_service).add_service(router).add_service(calls).add_service(catalog);
    let mut routes = routes.add_service(sources).add_service(operations);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1();
    match reflection {
        Ok(reflection) => routes = routes.add_service(reflection),
        Err(error) => tracing::warn!(error.message = %error, "reflection is off"),
    }
    let access = AccessLayer { access: parts.access, meters: access_meters };
    let lanes = listener::accept(listener, parts.certificate, parts.connection_age, stop.clone());
    let running = lanes.into_iter().map(|Lane { age, connections }| {
        let mut server = Server::builder()
            // A client that went away without a word frees its connection after a minute and a half.
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .http2_keepalive_timeout(Some(Duration::from_secs(30)));
        if let Some(age) = age {
            server = server.max_connection_age(age);
        }
        let services = server.layer(access.clone()).add_routes(routes.clone());
        services.serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned())
    });
    let running = futures_util::future::try_join_all(running.collect::<Vec<_>>());
    Ok((health, async move { Ok(running.await.map(drop)?) }))
}
