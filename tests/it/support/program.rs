//! The real program as a child process.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A `tool-router serve` that is killed when dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) address: String,
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
        let address = format!("http://127.0.0.1:{port}");
        let program = env!("CARGO_BIN_EXE_tool-router");
        let words: Vec<&str> = before.iter().copied().chain([program]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["serve", "--embedder", "hashing", "--http-address", "127.0.0.1:0"])
            .args(["--grpc-address", &format!("127.0.0.1:{port}")])
            .arg("--store")
            .arg(store)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let program = Self { child, address };
        let started = Instant::now();
        while !run(&["health", "--address", &program.address]).status.success() {
            assert!(started.elapsed() < Duration::from_secs(30), "the program does not get ready");
            std::thread::sleep(Duration::from_millis(10));
        }
        program
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
