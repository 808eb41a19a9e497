//! The real program as a child process.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

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
            // Half a second's notice before it stops: time for a balancer's two looks at shorter intervals.
            command.env("TOOL_ROUTER__SERVER__DRAIN_DELAY_MS", "1000").env("TOOL_ROUTER__STORE__POSTGRES__TIMEOUT_MS", "2000");
        })
    }

    fn start_with(port: u16, http_port: u16, before: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let http = SocketAddr::from(([127, 0, 0, 1], http_port));
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
        let child = command.spawn().unwrap();
        let program = Self { child, address: format!("http://127.0.0.1:{port}"), http };
        let started = Instant::now();
        while !run(&["health", "--address", &program.address]).status.success() {
            assert!(started.elapsed() < Duration::from_secs(30), "the program does not get ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        program
    }

    /// SIGTERM, and waits until it has drained.
    pub(crate) fn stop(mut self) {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
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

/// Runs a command of the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tool-router")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// A port nobody listens on now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
