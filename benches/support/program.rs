//! `serve` as a process of its own, driven over loopback as any user would.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tool_router::rpc::client::{Client, ClientOptions, chunks};
use tool_router::rpc::proto::{SelectToolsRequest, SelectToolsResponse, select_tools_request};
use tool_router::tool::Tool;

/// Tools per registration, as `tool-router import` sends them.
const STEP: usize = 50;

/// The program, killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) client: Client,
    http: u16,
    pub(crate) ready_after: Duration,
}

impl Program {
    pub(crate) async fn start(store: &Path) -> Self {
        Self::start_with(store, &[]).await
    }

    /// The same with variables of its environment.
    pub(crate) async fn start_with(store: &Path, variables: &[(&str, &str)]) -> Self {
        let port = || std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let (grpc, http) = (port(), port());
        let started = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_tool-router"))
            .args(["serve", "--grpc-address", &format!("127.0.0.1:{grpc}"), "--http-address", &format!("127.0.0.1:{http}")])
            .arg("--store")
            .arg(store)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while http_get(http, "/readyz").await.is_none_or(|answer| !answer.starts_with("HTTP/1.1 200")) {
            assert!(started.elapsed() < Duration::from_secs(120), "the program does not get ready: run `make setup`");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ready_after = started.elapsed();
        let timeout = Duration::from_secs(60);
        let options = ClientOptions { address: format!("http://127.0.0.1:{grpc}"), ca_file: None, token_file: None, timeout };
        let client = Client::connect(&options).await.expect("it is ready");
        Self { child, client, http, ready_after }
    }

    pub(crate) fn resident(&self) -> usize {
        super::resident(self.child.id())
    }

    /// The value of a metric line that starts so.
    pub(crate) async fn metric(&self, start: &str) -> f64 {
        let text = http_get(self.http, "/metrics").await.unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(start));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn http_get(port: u16, path: &str) -> Option<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.ok()?;
    Some(text)
}

/// One selection, and how long its caller waited.
pub(crate) async fn select(client: &mut Client, query: &str) -> (Duration, SelectToolsResponse) {
    let input = Some(select_tools_request::Input::Query(query.to_owned()));
    let request = SelectToolsRequest { input, ..Default::default() };
    let started = Instant::now();
    let answer = client.select(request).await.expect("an answer");
    (started.elapsed(), answer)
}

/// Registers tools as `tool-router import` does: by source, in order of first appearance.
pub(crate) async fn register(client: &mut Client, tools: &[Tool]) {
    let mut sources: Vec<&str> = Vec::new();
    let mut groups: std::collections::HashMap<&str, Vec<Tool>> = std::collections::HashMap::new();
    for tool in tools {
        groups.entry(tool.id.source()).or_insert_with(|| {
            sources.push(tool.id.source());
            Vec::new()
        });
        if let Some(group) = groups.get_mut(tool.id.source()) {
            group.push(tool.clone());
        }
    }
    let bar = super::bar(tools.len(), "registering");
    for source in sources {
        for chunk in chunks(&groups[source], STEP) {
            // A tool that the gate refuses takes its batch with it; the sets hold a handful.
            if client.register(source, chunk, false).await.is_err() {
                for tool in chunk {
                    let _ = client.register(source, std::slice::from_ref(tool), false).await;
                }
            }
            bar.inc(chunk.len() as u64);
        }
    }
    bar.finish_and_clear();
}
