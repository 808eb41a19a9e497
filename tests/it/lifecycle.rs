//! From start to end: connections that grow old, what SIGHUP takes, what the doctor says.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::load::Load;
use crate::support::program::{Program, free_port, run};
use crate::support::proxy::Proxy;
use crate::support::replicas::{replica, server};
use crate::support::{TestRouter, http_get, tool};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_end_when_they_are_old_and_no_call_fails() {
    let mut router = TestRouter::start_with(|config| config.server.max_connection_age_s = 1).await;
    router.register("s", vec![tool("read", "Reads a file.")]).await;
    let proxy = Proxy::before(router.grpc).await;
    let load = Load::on(&[proxy.address()], 4, Some(Duration::from_millis(2)));
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    let summary = load.stop().await;
    assert!(12 <= proxy.taken(), "four callers changed connections {} times in 4.5 s", proxy.taken());
    // A call that comes while the connection goes is tried again; those under way are finished.
    assert!(summary.failures.is_empty() && summary.retried < 20, "{summary:?}");
}

/// A folder with tokens, a certificate and a configuration that names them.
struct Secrets(tempfile::TempDir);

impl Secrets {
    fn new(more: &str) -> Self {
        let secrets = Self(tempfile::tempdir().unwrap());
        secrets.tokens("first");
        secrets.certificate("cert.pem", "key.pem");
        secrets.configure(more);
        secrets
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn tokens(&self, word: &str) {
        std::fs::write(self.path("select"), format!("{word}-select-token-0123456789")).unwrap();
        std::fs::write(self.path("admin"), format!("{word}-admin-token-0123456789")).unwrap();
    }

    fn certificate(&self, certificate: &str, key: &str) {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(self.path(certificate), made.cert.pem()).unwrap();
        std::fs::write(self.path(key), made.signing_key.serialize_pem()).unwrap();
    }

    fn configure(&self, more: &str) {
        let folder = self.0.path().display();
        let text = format!(
            "[server]\ntls = {{ certificate_file = \"{folder}/cert.pem\", key_file = \"{folder}/key.pem\" }}\n\
             [access]\nselect_token_file = \"{folder}/select\"\nadmin_token_file = \"{folder}/admin\"\n\
             [store]\npath = \"{folder}/router.db\"\n[embedder]\nkind = \"hashing\"\n{more}\n"
        );
        std::fs::write(self.path("config.toml"), text).unwrap();
    }

    /// Asks with a copy of token and certificate.
    fn asks(&self, program: &Program, ca: &Path, token: &Path) -> bool {
        let address = program.address.replace("http://", "https://");
        let [ca, token] = [ca, token].map(|path| path.to_str().unwrap());
        run(&["tools", "list", "--address", &address, "--ca-file", ca, "--token-file", token]).status.success()
    }

    fn copy(&self, from: &str, to: &str) -> PathBuf {
        std::fs::copy(self.path(from), self.path(to)).unwrap();
        self.path(to)
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn sighup_takes_new_tokens_and_certificates() {
    let secrets = Secrets::new("");
    let program = Program::start_configured(&secrets.path("config.toml"));
    let (old_ca, old_token) = (secrets.copy("cert.pem", "old.pem"), secrets.copy("select", "old-select"));
    assert!(secrets.asks(&program, &old_ca, &old_token));

    // Without a gap: for a while both count.
    secrets.tokens("second");
    assert!(secrets.asks(&program, &old_ca, &old_token), "files alone change nothing");
    let new_token = secrets.copy("select", "new-select");
    let [old, new] = [&old_token, &new_token].map(|path| std::fs::read_to_string(path).unwrap());
    std::fs::write(secrets.path("select"), format!("{new}\n{old}\n")).unwrap();
    program.signal(Signal::HUP);
    until("the new token counts", || secrets.asks(&program, &old_ca, &new_token));
    assert!(secrets.asks(&program, &old_ca, &old_token), "and so does the old one");
    secrets.tokens("second");
    program.signal(Signal::HUP);
    until("the old token no longer counts", || !secrets.asks(&program, &old_ca, &old_token));
    until("the new token counts", || secrets.asks(&program, &old_ca, &secrets.path("select")));
    assert!(!secrets.asks(&program, &old_ca, &old_token), "the old one no longer does");

    secrets.certificate("cert.pem", "key.pem");
    program.signal(Signal::HUP);
    until("the new certificate is shown", || secrets.asks(&program, &secrets.path("cert.pem"), &secrets.path("select")));
    assert!(!secrets.asks(&program, &old_ca, &secrets.path("select")), "the old one no longer is");

    // A configuration that is not usable changes nothing, and a key that is not the certificate's neither.
    let good = secrets.copy("cert.pem", "good.pem");
    secrets.configure("[nonsense]");
    program.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(300));
    assert!(secrets.asks(&program, &good, &secrets.path("select")));
    secrets.configure("");
    secrets.certificate("other.pem", "key.pem");
    let second = secrets.copy("select", "second-select");
    secrets.tokens("third");
    for _ in 0..3 {
        program.signal(Signal::HUP);
        std::thread::sleep(Duration::from_millis(200));
        assert!(!secrets.asks(&program, &good, &secrets.path("select")), "all or nothing: the new token came with a bad key");
        assert!(secrets.asks(&program, &good, &second), "and the old one counts as before");
    }
    program.stop();
}

fn doctor(arguments: &[&str]) -> (bool, String) {
    let output = run(&[&["doctor"], arguments].concat());
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[track_caller]
fn says(said: &str, word: &str, subject: &str, words: &str) {
    let found = said.lines().any(|line| line.starts_with(word) && line.contains(subject) && line.contains(words));
    assert!(found, "{word} {subject} {words:?} is not in\n{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_looks_and_changes_nothing() {
    let secrets = Secrets::new("");
    let config = secrets.text("config.toml");
    let (well, said) = doctor(&["--config", &config]);
    assert!(well, "{said}");
    says(&said, "ok", "configuration", &config);
    says(&said, "ok", "model", "hashing");
    says(&said, "ok", "runtime", "none is needed");
    says(&said, "ok", "store", "empty; the first start makes it");
    says(&said, "ok", "certificate", "is good for");
    says(&said, "ok", "disk", "MiB free");
    assert!(!secrets.path("router.db").exists(), "it makes nothing");

    let file = secrets.path("config.toml");
    let program = tokio::task::spawn_blocking(move || Program::start_configured(&file)).await.unwrap();
    let (well, said) = doctor(&["--config", &config]);
    assert!(well, "{said}");
    says(&said, "ok", "store", "a router has it");
    let address = program.address.replace("http://", "https://");
    let (ca, token) = (secrets.text("cert.pem"), secrets.text("select"));
    let replica_flags = ["--replica", &address, "--ca-file", &ca, "--token-file", &token];
    let (well, said) = doctor(&[&["--config", config.as_str()], &replica_flags[..]].concat());
    assert!(well, "{said}");
    says(&said, "ok", "replica", "takes traffic");
    tokio::task::spawn_blocking(move || program.stop()).await.unwrap();
    says(&doctor(&["--config", &config]).1, "ok", "store", "schema version 4");

    let (well, said) = doctor(&["--config", &config, "--replica", "http://127.0.0.1:9"]);
    assert!(!well);
    says(&said, "FAIL", "replica", "http://127.0.0.1:9");
    std::fs::write(secrets.path("router.db"), "no database, but longer than the head of one ".repeat(40)).unwrap();
    let mut old = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    (old.not_before, old.not_after) = (rcgen::date_time_ymd(2019, 1, 1), rcgen::date_time_ymd(2020, 1, 1));
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(secrets.path("cert.pem"), old.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(secrets.path("key.pem"), key.serialize_pem()).unwrap();
    let (well, said) = doctor(&["--config", &config]);
    assert!(!well);
    says(&said, "FAIL", "certificate", "has ended");
    says(&said, "FAIL", "store", "is not a tool-router store");
    assert_eq!(run(&["doctor", "--config", "/nowhere.toml"]).status.code(), Some(64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_asks_the_database_and_every_replica() {
    let Some(mut server) = server("lifecycle::the_doctor_asks_the_database_and_every_replica").await else { return };
    let url = server.database();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, format!("[embedder]\nkind = \"hashing\"\n[store.postgres]\nurl = \"{url}\"\ntimeout_ms = 1000\n"))
        .unwrap();
    let config = file.to_str().unwrap().to_owned();
    says(&doctor(&["--config", &config]).1, "ok", "store", "empty; the first start makes it");
    let (mut one, other) = (replica(&url).await, replica(&url).await);
    let version = one.register("s", vec![tool("read", "Reads a file.")]).await.catalog_version;
    let addresses = [&one, &other].map(|router| format!("http://{}", router.grpc));
    let (well, said) = doctor(&["--config", &config, "--replica", &addresses[0], "--replica", &addresses[1]]);
    assert!(well, "{said}");
    says(&said, "ok", "store", &version);
    says(&said, "ok", "clock", "against the database's");
    says(&said, "ok", "replica", &format!("{} takes traffic, at {version} with 1 tools", addresses[0]));
    server.kill();
    let (well, said) = doctor(&["--config", &config]);
    assert!(!well);
    says(&said, "FAIL", "store", "no connection within 1000 ms");
}

#[tokio::test]
async fn a_router_that_is_still_starting_can_be_scraped() {
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
    // It waits for a database that is not there, and listens already.
    let program = Program::spawn(free_port(), http, &[], |command| {
        command.env("TOOL_ROUTER__STORE__POSTGRES__URL", "postgres://nobody@127.0.0.1:9/nothing");
        command.env("TOOL_ROUTER__STORE__POSTGRES__START_TIMEOUT_MS", "30000");
    });
    let started = Instant::now();
    let metrics = loop {
        let (status, metrics) = http_get(http, "/metrics").await;
        if status == 200 && metrics.contains("toolrouter_build_info{") {
            break metrics;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{status} {metrics}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(http_get(http, "/readyz").await.0, 503);
    for line in ["process_resident_memory_bytes ", "toolrouter_sheds_total{reason=\"embed_queue\"} 0"] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    drop(program);
}
