//! The real program as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) use super::postgres::free_port;

/// A `tool-router serve` that is killed when dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) http: SocketAddr,
}

impl Program {
    /// Starts on `store` and waits until it takes traffic.
    pub(crate) fn start(store: &Path) -> Self {
        Self::start_under(&[], store)
    }

    /// The same with a command before it, as `strace -o file`.
    pub(crate) fn start_under(before: &[&str], store: &Path) -> Self {
        Self::start_at(free_port(), before, store)
    }

    /// The same on a port of the test's choice.
    pub(crate) fn start_at(port: u16, before: &[&str], store: &Path) -> Self {
        Self::start_with(port, free_port(), before, |command| {
            command.arg("--store").arg(store);
        })
    }

    /// One of several on a database, on ports of the test's choice.
    pub(crate) fn start_shared(port: u16, http_port: u16, url: &str) -> Self {
        Self::start_with(port, http_port, &[], |command| {
            command.env("TOOL_ROUTER__STORE__POSTGRES__URL", url);
            // Longer than the second and a half in which haproxy.cfg's looks notice that it stops.
            command.env("TOOL_ROUTER__SERVER__DRAIN_DELAY_MS", "2000").env("TOOL_ROUTER__STORE__POSTGRES__TIMEOUT_MS", "2000");
        })
    }

    /// One with a configuration file; TLS and tokens may make `health` say no, so it only waits for its probe.
    pub(crate) fn start_configured(file: &Path) -> Self {
        let (port, http_port) = (free_port(), free_port());
        let http = SocketAddr::from(([127, 0, 0, 1], http_port));
        let program = Self::spawn(port, http, &[], |command| {
            command.arg("--config").arg(file);
        });
        program.once(|_| is_ready(http))
    }

    /// One with other arguments, variables or outputs.
    pub(crate) fn start_with(port: u16, http_port: u16, before: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let program = Self::spawn(port, SocketAddr::from(([127, 0, 0, 1], http_port)), before, change);
        program.once(|program| run(&["health", "--address", &program.address]).status.success())
    }

    /// Waits until it is there.
    fn once(mut self, is_there: impl Fn(&Self) -> bool) -> Self {
        let started = Instant::now();
        while !is_there(&self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the program ended, perhaps for want of a port: {ended:?}");
            assert!(started.elapsed() < Duration::from_secs(30), "the program does not get ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// One that nobody waits for.
    pub(crate) fn spawn(port: u16, http: SocketAddr, before: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let words: Vec<&str> = before.iter().copied().chain([env!("CARGO_BIN_EXE_tool-router")]).collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["serve", "--embedder", "hashing", "--http-address", &http.to_string()])
            .args(["--grpc-address", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        change(&mut command);
        Self { child: command.spawn().unwrap(), address: format!("http://127.0.0.1:{port}"), http }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(process, signal).unwrap();
    }

    /// SIGTERM, and waits until it has drained.
    pub(crate) fn stop(mut self) {
        self.signal(rustix::process::Signal::TERM);
        assert!(self.child.wait().unwrap().success(), "it drains and ends well");
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn is_ready(http: SocketAddr) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(http) else { return false };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: router\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// Runs a command of the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tool-router")).args(arguments).stdin(Stdio::null()).output().unwrap()
}
