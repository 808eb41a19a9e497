//! A PostgreSQL server of a test's own, never as root: Debian's or whatever `pg_ctl` is on the path.
//!
//! Also compiled into the unit tests, so it needs nothing but `std`, `tempfile` and `rustix`.

use std::io::{Error, Result};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for a server to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port nobody listens on now, and nobody is given by chance: below those that the system gives to outgoing connections, and told once in
/// a process. So a server that is stopped finds its port free when it starts again.
pub(crate) fn free_port() -> u16 {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(131).wrapping_add(TOLD.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from(number % 20_000).unwrap_or(0);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running server. Dropping it stops it and removes its data.
pub(crate) struct Server {
    programs: PathBuf,
    /// Data, socket and log.
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
    databases: u32,
}

impl Server {
    /// A new server with nothing in it; `None` where PostgreSQL is not installed.
    pub(crate) fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        if let Some((user, group)) = other_user() {
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let made = unprivileged(&programs.join("initdb"))
            .args(["--auth=trust", "--username=router", "--no-sync", "--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let child = spawn(&programs, folder.path(), port).unwrap();
        let server = Self { programs, folder, port, child, databases: 0 };
        server.wait();
        Some(server)
    }

    /// The address of a new, empty database.
    pub(crate) fn database(&mut self) -> String {
        self.databases += 1;
        let name = format!("test_{}", self.databases);
        self.sql("postgres", &format!("CREATE DATABASE {name}")).unwrap();
        format!("postgres://router@127.0.0.1:{}/{name}", self.port)
    }

    /// What `psql` prints for a statement: a line per row, columns with `|` between.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> Result<String> {
        let said = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--username=router", "--host"])
            .arg(self.folder.path())
            .args(["--port", &self.port.to_string(), "--dbname", database, "--command", statement])
            .output()?;
        if !said.status.success() {
            return Err(Error::other(String::from_utf8_lossy(&said.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    /// Where it listens.
    #[allow(dead_code, reason = "unit tests compile this too and need it not")]
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Asks every client that comes over TCP for TLS, with this certificate and key (PEM).
    #[allow(dead_code, reason = "only the store's own tests need it")]
    pub(crate) fn encrypt(&self, certificate: &str, key: &str) {
        let data = self.folder.path().join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            if let Some((user, group)) = other_user() {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
        std::fs::write(data.join("pg_hba.conf"), "local all all trust\nhostssl all all all trust\n").unwrap();
        self.sql("postgres", "ALTER SYSTEM SET ssl = on").unwrap();
        self.sql("postgres", "SELECT pg_reload_conf()").unwrap();
        let begun = Instant::now();
        while self.sql("postgres", "SHOW ssl").unwrap() != "on" {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL takes no certificate: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it in its tracks (SIGSTOP), every process of it: connections stay open and nothing is said any more.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let own = i32::try_from(self.child.id()).unwrap();
        for process in children_of(own).into_iter().chain([own]) {
            if let Some(process) = Pid::from_raw(process) {
                kill_process(process, signal).ok();
            }
        }
    }

    /// kill -9, as a machine that loses its power.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        // After a kill, the last of its processes may still be on their way out.
        let begun = Instant::now();
        loop {
            self.child = spawn(&self.programs, self.folder.path(), self.port).unwrap();
            while self.child.try_wait().unwrap().is_none() {
                if self.sql("postgres", "SELECT 1").is_ok() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not come back: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn wait(&self) {
        let begun = Instant::now();
        while let Err(error) = self.sql("postgres", "SELECT 1") {
            assert!(begun.elapsed() < PATIENCE, "PostgreSQL does not answer: {error}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test may have failed while it was frozen.
        self.signal(Signal::CONT);
        // SIGINT is a fast shutdown: transactions are rolled back, connections closed.
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(process) = process.filter(|_| self.child.try_wait().is_ok_and(|ended| ended.is_none())) {
            kill_process(process, Signal::INT).ok();
        }
        self.child.wait().ok();
    }
}

/// By `/proc`, whose `stat` has the parent's id after the name and the state.
fn children_of(parent: i32) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_child = |id: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        after_name.split_whitespace().nth(1).and_then(|id| id.parse().ok()) == Some(parent)
    };
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}

fn spawn(programs: &Path, folder: &Path, port: u16) -> Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
    unprivileged(&programs.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder)
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// PostgreSQL refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

/// For root: user and group of `postgres`, else of nobody. For anyone else nothing: they run it themselves.
fn other_user() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let of = |name: &str| {
        let fields: Vec<&str> = users.lines().find(|line| line.starts_with(&format!("{name}:")))?.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    #[expect(clippy::disallowed_methods, reason = "where programs are is the environment's to say")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = debian.chain(std::env::split_paths(&path)).collect();
    all.retain(|folder| ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).exists()));
    all.into_iter().max()
}
