//! The MCP server of `tests/mcp/server.py`, which behaves as it is told to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tool_router::config::{Source, environment};
use tool_router::import::mcp::{self, Endpoint, Http};

use super::{program, repository};

/// The command line of a server in `mode`, with the file of its tools where it has one.
pub(crate) fn command(mode: &str, tools: Option<&Path>) -> Vec<String> {
    let script = repository().join("tests/mcp/server.py");
    let mut words = vec!["python3".to_owned(), script.to_str().unwrap().to_owned(), mode.to_owned()];
    if let Some(tools) = tools {
        words.extend(["--tools".to_owned(), tools.to_str().unwrap().to_owned()]);
    }
    words
}

/// The same as an endpoint.
pub(crate) fn endpoint(mode: &str, tools: Option<&Path>) -> Endpoint {
    let mut words = command(mode, tools);
    let program = words.remove(0);
    let environment = environment::for_server(&BTreeMap::new(), None).unwrap();
    Endpoint::Command(mcp::Command { program, arguments: words, environment, folder: None })
}

/// A source for the configuration; its interval is long, so that what happens has another reason.
pub(crate) fn source(name: &str, mode: &str, tools: Option<&Path>) -> Source {
    Source { name: name.into(), command: command(mode, tools), interval_s: Some(3_600), ..Source::default() }
}

/// A list of tools in a file, replaced as a whole.
pub(crate) struct ToolFile {
    folder: tempfile::TempDir,
}

impl ToolFile {
    pub(crate) fn new(names: &[&str]) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        file.set(names);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tools.json")
    }

    /// Tools of these names.
    pub(crate) fn set(&self, names: &[&str]) {
        let tools: Vec<_> = names
            .iter()
            .map(|name| {
                let words = name.replace('_', " ");
                serde_json::json!({"name": name, "description": format!("Can {words}."), "inputSchema": {"type": "object"}})
            })
            .collect();
        self.write(&serde_json::Value::Array(tools).to_string());
    }

    pub(crate) fn write(&self, text: &str) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, self.path()).unwrap();
    }
}

/// The server over HTTP; killed when dropped.
pub(crate) struct HttpServer {
    pub(crate) port: u16,
    child: Child,
}

impl HttpServer {
    pub(crate) async fn start(mode: &str, arguments: &[&str]) -> Self {
        Self::start_at(program::free_port(), mode, arguments).await
    }

    pub(crate) async fn start_at(port: u16, mode: &str, arguments: &[&str]) -> Self {
        let words = command(mode, None);
        let child = Command::new(&words[0])
            .args(&words[1..])
            .args(["--http", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { port, child }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::Http(Http { url: self.url(), headers_file: None, ca_file: None })
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Processes whose command line holds `words`: file names of a test are its own.
pub(crate) fn processes_with(words: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(words)
    })
    .collect()
}
