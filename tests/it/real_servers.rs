//! Servers that others wrote, from npm and PyPI, as `tests/mcp/install.sh` leaves them. TOOL_ROUTER_MCP_SERVERS names the folder.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tool_router::config::Source;
use tool_router::rpc::proto::tool_sources_client::ToolSourcesClient;
use tool_router::rpc::proto::*;

use crate::support::mcp::processes_with;
use crate::support::{TestRouter, bundled, left_out, names, program};

fn folder(test: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let folder = std::env::var_os("TOOL_ROUTER_MCP_SERVERS").map(PathBuf::from);
    if folder.is_none() {
        left_out(test, "needs TOOL_ROUTER_MCP_SERVERS, a folder that tests/mcp/install.sh filled");
    }
    folder
}

struct Servers {
    modules: String,
    python: String,
    /// What the servers work on.
    work: tempfile::TempDir,
}

impl Servers {
    fn new(folder: &Path) -> Self {
        let work = tempfile::tempdir().unwrap();
        std::fs::create_dir(work.path().join("files")).unwrap();
        let repository = work.path().join("repository");
        assert!(Command::new("git").args(["init", "-q"]).arg(&repository).status().unwrap().success());
        let text = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        Self { modules: text("npm/node_modules"), python: text("python"), work }
    }

    fn node(&self, server: &str) -> Vec<String> {
        vec!["node".into(), format!("{}/@modelcontextprotocol/server-{server}/dist/index.js", self.modules)]
    }

    fn path(&self, name: &str) -> String {
        self.work.path().join(name).to_str().unwrap().to_owned()
    }

    fn python(&self, name: &str, module: &str, arguments: &[&str]) -> Source {
        let words = ["python3", "-m", module].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
        let env = [("PYTHONPATH".to_owned(), self.python.clone())].into();
        Source { name: name.into(), command: words, env, interval_s: Some(3_600), ..Source::default() }
    }

    fn sources(&self) -> Vec<Source> {
        let of = |name: &str, command: Vec<String>| Source {
            name: name.into(),
            command,
            interval_s: Some(3_600),
            ..Source::default()
        };
        let growing = program_text("tests/mcp/growing.mjs");
        let mut everything = of("everything", vec!["node".into(), growing, self.modules.clone()]);
        everything.env = [("GROW_WHEN".to_owned(), self.path("grow"))].into();
        vec![
            of("filesystem", [self.node("filesystem"), vec![self.path("files")]].concat()),
            of("memory", self.node("memory")),
            everything,
            self.python("git", "mcp_server_git", &["--repository", &self.path("repository")]),
            self.python("time", "mcp_server_time", &["--local-timezone", "UTC"]),
        ]
    }
}

fn program_text(path: &str) -> String {
    crate::support::repository().join(path).to_str().unwrap().to_owned()
}

/// A process that is killed when dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn statuses(router: &TestRouter) -> Vec<SourceStatus> {
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", router.grpc)).unwrap().connect().await.unwrap();
    ToolSourcesClient::new(channel).list_sources(ListSourcesRequest {}).await.unwrap().into_inner().sources
}

async fn until_all_synced(router: &TestRouter) -> Vec<SourceStatus> {
    for _ in 0..600 {
        let all = statuses(router).await;
        if all.iter().all(|status| status.state() == SourceState::Synced) {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within a minute: {:?}", statuses(router).await);
}

#[expect(clippy::print_stdout, reason = "a figure for whoever runs it with --no-capture")]
fn report(took: Duration) {
    println!("a tool that appeared was selectable {} ms later", took.as_millis());
}

#[tokio::test]
async fn five_servers_over_stdio_and_one_over_http_are_kept_in_sync() {
    let Some(folder) = folder("real_servers::five_servers_over_stdio_and_one_over_http_are_kept_in_sync") else { return };
    let servers = Servers::new(&folder);
    let port = program::free_port();
    let [node, everything] = &servers.node("everything")[..] else { unreachable!() };
    let mut command = Command::new(node);
    command.args([everything, "streamableHttp"]).env("PORT", port.to_string());
    let _http = Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut sources = servers.sources();
    sources.push(Source {
        name: "everything-http".into(),
        url: Some(format!("http://127.0.0.1:{port}/mcp")),
        interval_s: Some(3_600),
        ..Source::default()
    });
    let mut router = TestRouter::start_with(|config| config.sources = sources).await;
    let all = until_all_synced(&router).await;
    assert!(all.iter().all(|status| 0 < status.tools && status.refused_tools == 0), "{all:?}");
    for (query, tool) in [
        ("read_text_file", "filesystem/read_text_file"),
        ("create_entities", "memory/create_entities"),
        ("git_status", "git/git_status"),
        ("convert_time", "time/convert_time"),
    ] {
        assert_eq!(names(&router.select(query).await)[0], tool);
    }

    // One of them gets a tool and says so.
    std::fs::write(servers.path("grow"), "").unwrap();
    let told = Instant::now();
    while names(&router.select("water the plants").await).first().map(String::as_str) != Some("everything/water_the_plants") {
        assert!(told.elapsed() < Duration::from_secs(60), "{:?}", statuses(&router).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    report(told.elapsed());

    // One is killed: it comes back, and nothing else notices.
    let (version, before) = (router.version().await, statuses(&router).await);
    let [pid] = processes_with(&servers.path("repository"))[..] else { panic!("one git server") };
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    loop {
        let git = statuses(&router).await.into_iter().find(|status| status.source == "git").unwrap();
        if git.state() == SourceState::Synced && 2 <= git.syncs && 1 <= git.failed_syncs {
            break;
        }
        assert!(told.elapsed() < Duration::from_secs(120), "{git:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(router.version().await, version);
    let after = statuses(&router).await;
    for (before, after) in before.iter().zip(&after).filter(|(before, _)| before.source != "git") {
        assert_eq!((before.tools, before.failed_syncs), (after.tools, after.failed_syncs), "{}", before.source);
        // The one that grew may say so twice, and what it said last may just be being looked at.
        assert!(before.source == "everything" || before.syncs == after.syncs, "{}", before.source);
    }
}

#[test]
fn the_command_imports_a_real_server() {
    let Some(folder) = folder("real_servers::the_command_imports_a_real_server") else { return };
    let servers = Servers::new(&folder);
    let store = tempfile::tempdir().unwrap();
    let router = program::Program::start(&store.path().join("router.db"));
    let command = servers.node("memory");
    let words = ["import", "mcp", "--json", "--address", &router.address, "--", &command[0], &command[1]];
    let output = program::run(&words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(row["added"].as_array().unwrap().iter().any(|name| name == "create_entities"), "{row}");
}

/// The Inspector's command line, which is the protocol's own client.
fn inspect(folder: &Path, server: &[&str], arguments: &[&str]) -> serde_json::Value {
    let program = folder.join("npm/node_modules/.bin/mcp-inspector-cli");
    let output: Output = Command::new(program).arg("--cli").args(server).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output.stdout)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inspector_lists_and_calls_the_front() {
    let Some(folder) = folder("real_servers::the_inspector_lists_and_calls_the_front") else { return };
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let (address, port) = (format!("http://{}", router.grpc), program::free_port());
    let binary = env!("CARGO_BIN_EXE_tool-router");
    let mut over_http = Command::new(binary);
    over_http.args(["mcp", "--http", &format!("127.0.0.1:{port}"), "--address", &address]).stderr(Stdio::null());
    let _front = Killed(over_http.spawn().unwrap());
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let url = format!("http://127.0.0.1:{port}/mcp");
    let checks = tokio::task::spawn_blocking(move || {
        for server in [&[binary, "mcp", "--address", &address][..], &[&url, "--transport", "http"]] {
            let listed = inspect(&folder, server, &["--method", "tools/list"]);
            let names: Vec<&str> =
                listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["search_tools", "describe_tools"]);
            let search = ["--method", "tools/call", "--tool-name", "search_tools", "--tool-arg", "query=read a file"];
            let found = inspect(&folder, server, &search);
            let first = found["structuredContent"]["tools"][0]["name"].as_str().unwrap();
            assert!(found["content"][0]["text"].as_str().unwrap().contains(first), "{found}");
            let argument = format!("tools=[\"{first}\"]");
            let describe = ["--method", "tools/call", "--tool-name", "describe_tools", "--tool-arg", &argument];
            let described = inspect(&folder, server, &describe);
            assert_eq!(described["structuredContent"]["tools"][0]["name"], first, "{described}");
        }
    });
    checks.await.unwrap();
}
