//! A router under test: in this process on ports of the system's choice, or as the real program.

pub(crate) mod bundled;
pub(crate) mod collector;
pub(crate) mod disk;
pub(crate) mod llm;
pub(crate) mod load;
pub(crate) mod mcp;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod replicas;
pub(crate) mod weights;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use tool_router::app::{self, AppError, Listeners};
use tool_router::config::{Config, EmbedderKind};
use tool_router::rpc::proto::select_tools_request::Input;
use tool_router::rpc::proto::tool_catalog_client::ToolCatalogClient;
use tool_router::rpc::proto::tool_router_client::ToolRouterClient;
use tool_router::rpc::proto::*;
use tool_router::telemetry::{self, LogFormat, LogOptions};

/// A running router. Dropping it stops it; `stop` waits for it.
pub(crate) struct TestRouter {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) router: ToolRouterClient<Channel>,
    pub(crate) catalog: ToolCatalogClient<Channel>,
    config: Config,
    folder: Option<tempfile::TempDir>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), AppError>>,
}

impl TestRouter {
    /// A router with an empty store of its own.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// The same with changes to its configuration.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::try_start_with(change).await.unwrap()
    }

    /// The same where the start may fail.
    pub(crate) async fn try_start_with(change: impl FnOnce(&mut Config)) -> Result<Self, AppError> {
        let folder = tempfile::tempdir().unwrap();
        Self::run(Self::config(&folder, change), Some(folder)).await
    }

    fn config(folder: &tempfile::TempDir, change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        config.store.path = folder.path().join("router.db");
        config.embedder.kind = EmbedderKind::Hashing;
        config.embedder.workers = Some(1);
        config.server.drain_timeout_ms = 5_000;
        change(&mut config);
        config
    }

    async fn run(config: Config, folder: Option<tempfile::TempDir>) -> Result<Self, AppError> {
        static LOGS: Once = Once::new();
        LOGS.call_once(|| {
            let log = LogOptions { format: LogFormat::Json, filter: "error".into() };
            telemetry::init(telemetry::Options { log, identity: telemetry::Identity::default(), spans: None }).ok();
        });
        let listeners = Listeners {
            grpc: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            http: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        };
        let (grpc, http) = (listeners.grpc.local_addr().unwrap(), listeners.http.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let task_config = config.clone();
        let mut running = tokio::spawn(async move {
            let shutdown = async {
                stopped.await.ok();
            };
            let configs = tokio::sync::mpsc::channel(1).1;
            app::run(&task_config, &telemetry::Identity::default(), listeners, shutdown, configs).await
        });
        let ready = async {
            while http_get(http, "/readyz").await.0 != 200 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            ended = &mut running => return Err(ended.unwrap().unwrap_err()),
            () = ready => (),
        }
        // Lazily: the scheme differs with TLS, and such tests connect by themselves.
        let channel = Channel::from_shared(format!("http://{grpc}")).unwrap().connect_lazy();
        Ok(Self {
            grpc,
            http,
            router: ToolRouterClient::new(channel.clone()).max_decoding_message_size(64 << 20),
            catalog: ToolCatalogClient::new(channel).max_decoding_message_size(64 << 20).max_encoding_message_size(64 << 20),
            config,
            folder,
            stop: Some(stop),
            running,
        })
    }

    /// Drains it and waits until it is gone.
    pub(crate) async fn stop(mut self) -> (Config, Option<tempfile::TempDir>) {
        self.stop.take().unwrap().send(()).ok();
        self.running.await.unwrap().unwrap();
        (self.config, self.folder.take())
    }

    /// Tells it to drain, without waiting.
    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).ok();
    }

    /// Stops it and starts another on the same store.
    pub(crate) async fn restart(self) -> Self {
        let (config, folder) = self.stop().await;
        Self::run(config, folder).await.unwrap()
    }

    /// The same with another configuration.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, folder) = self.stop().await;
        change(&mut config);
        Self::run(config, folder).await.unwrap()
    }

    /// Registers tools and fails the test when that fails.
    pub(crate) async fn register(&mut self, source: &str, tools: Vec<ToolDefinition>) -> RegisterToolsResponse {
        let request = RegisterToolsRequest { source: source.into(), tools, ..Default::default() };
        self.catalog.register_tools(request).await.unwrap().into_inner()
    }

    /// Selects with defaults.
    pub(crate) async fn select(&mut self, query: &str) -> SelectToolsResponse {
        self.select_with(query, |_| ()).await
    }

    /// Selects with changes to the request.
    pub(crate) async fn select_with(&mut self, query: &str, change: impl FnOnce(&mut SelectToolsRequest)) -> SelectToolsResponse {
        let mut request = query_request(query);
        change(&mut request);
        self.router.select_tools(request).await.unwrap().into_inner()
    }

    /// The catalogue's version.
    pub(crate) async fn version(&mut self) -> String {
        self.catalog.list_tools(ListToolsRequest::default()).await.unwrap().into_inner().catalog_version
    }
}

/// A connection to the catalogue service of another process.
pub(crate) async fn catalog_at(address: &str) -> Result<ToolCatalogClient<Channel>, tonic::transport::Error> {
    Ok(ToolCatalogClient::new(Channel::from_shared(address.to_owned()).unwrap().connect().await?))
}

/// A request for `query` with defaults.
pub(crate) fn query_request(query: &str) -> SelectToolsRequest {
    SelectToolsRequest { input: Some(Input::Query(query.into())), ..Default::default() }
}

/// A tool with one string argument.
pub(crate) fn tool(name: &str, description: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.into(),
        description: description.into(),
        input_schema_json:
            r#"{"type":"object","properties":{"value":{"type":"string","description":"The value."}},"required":["value"]}"#.into(),
        ..Default::default()
    }
}

/// `source/tool` of every selected tool.
pub(crate) fn names(answer: &SelectToolsResponse) -> Vec<String> {
    answer.tools.iter().map(|tool| format!("{}/{}", tool.source, tool.tool)).collect()
}

/// The answer without what may differ between two equal ones.
pub(crate) fn cleared(answer: SelectToolsResponse) -> SelectToolsResponse {
    SelectToolsResponse { meta: None, ..answer }
}

/// Asserts that a call was refused with `code`, and that a violation of `field` contains `words`.
#[track_caller]
pub(crate) fn assert_violation<T: std::fmt::Debug>(result: Result<T, tonic::Status>, field: &str, words: &str) {
    let status = result.expect_err("the call should be refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let violations = status.get_details_bad_request().expect("rich details").field_violations;
    assert!(violations.iter().any(|v| v.field == field && v.description.contains(words)), "{field} {words}: {violations:?}");
}

/// Status code and body of an HTTP GET, spoken by hand: one request needs no client library.
pub(crate) async fn http_get(address: SocketAddr, path: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return (0, String::new()) };
    let request = format!("GET {path} HTTP/1.1\r\nHost: router\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    if stream.write_all(request.as_bytes()).await.is_err() || stream.read_to_end(&mut answer).await.is_err() {
        return (0, String::new());
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

/// The checkout.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The directory of the model that is used unless another is named.
#[cfg(feature = "onnx")]
pub(crate) fn shipped_model() -> PathBuf {
    repository().join(tool_router::config::Config::default().embedder.model_dir)
}

/// A figure that a drill measured; shown with `--no-capture`, and by nextest when the test fails.
#[expect(clippy::print_stdout, reason = "what a drill is run for")]
pub(crate) fn measured(figure: &str) {
    println!("measured: {figure}");
}

/// Names a test that cannot run here. `make test` lists these, `.ci/run` fails on them.
pub(crate) fn left_out(test: &str, why: &str) {
    use std::io::Write;
    let path = repository().join("target/left-out.txt");
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{test}: {why}").unwrap();
}
