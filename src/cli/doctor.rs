//! `tool-router doctor`: looks at everything a router needs where it is going to run, changes nothing, and says what is wrong.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::json;
use x509_parser::pem::Pem;

use super::{Exit, output};
use crate::config::{self, Config, EmbedderKind, Tls};
use crate::disk::Disk;
use crate::embed::Loaded;
use crate::rpc::client::{Client, ClientOptions};
use crate::rpc::proto::ListToolsRequest;
use crate::store::StoreError;
use crate::store::place::{Found, Place};

/// A certificate that ends sooner is worth a word.
const SOON: Duration = Duration::from_secs(14 * 24 * 3_600);
/// Clocks that differ by more are worth a word; nothing in the router depends on it, reading logs does.
const APART: f64 = 2.0;
/// Less free space than this is worth a word.
const LITTLE: u64 = 256 << 20;

/// Flags of `doctor`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The configuration to look at; without it the defaults and the environment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A running router to look at as well; may be given several times
    #[arg(long = "replica", value_name = "URL")]
    replicas: Vec<String>,
    /// File with the bearer token for replicas
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificate authority to trust (PEM), for replicas at https:// addresses
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// As JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Word {
    Ok,
    Warn,
    Fail,
}

/// What has been found.
struct Report {
    json: bool,
    failed: usize,
}

impl Report {
    fn say(&mut self, word: Word, subject: &str, text: &str) {
        let name = match word {
            Word::Ok => "ok",
            Word::Warn => "warn",
            Word::Fail => "FAIL",
        };
        self.failed += usize::from(word == Word::Fail);
        output::line(&if self.json {
            json!({ "result": name.to_lowercase(), "subject": subject, "detail": text }).to_string()
        } else {
            format!("{name:<4}  {subject:<13} {text}")
        });
    }
}

/// Looks at everything. `load` loads the configured model.
///
/// # Errors
/// Something is wrong, or the configuration is not usable.
pub async fn run(
    arguments: Arguments,
    config: Config,
    load: impl FnOnce(&Config) -> Result<Loaded, String> + Send,
) -> Result<(), Exit> {
    let mut report = Report { json: arguments.json, failed: 0 };
    let from = arguments.config.as_ref().map_or("the defaults and the environment".to_owned(), |path| path.display().to_string());
    report.say(Word::Ok, "configuration", &format!("{from} can be used"));
    let begun = Instant::now();
    match load(&config) {
        Ok(loaded) => {
            let (id, numerics, took) = (&loaded.info.id, &loaded.info.numerics, begun.elapsed().as_millis());
            report.say(
                Word::Ok,
                "model",
                &format!("{id}, {} numbers a vector, loaded in {took} ms, numerics {numerics}", loaded.info.dimension),
            );
        }
        Err(error) => report.say(Word::Fail, "model", &error),
    }
    runtime(&mut report, &config);
    store(&mut report, &config).await;
    if let Some(tls) = &config.server.tls {
        certificate(&mut report, tls);
    }
    disk(&mut report, &config);
    replicas(&mut report, &arguments).await;
    match report.failed {
        0 => Ok(()),
        1 => Err(Exit::failed("one check failed")),
        failed => Err(Exit::failed(format!("{failed} checks failed"))),
    }
}

/// Which ONNX Runtime the model runs on: the first of those that are looked for.
fn runtime(report: &mut Report, config: &Config) {
    if config.embedder.kind != EmbedderKind::Onnx {
        return report.say(Word::Ok, "runtime", "none is needed: embedder.kind is \"hashing\"");
    }
    if !cfg!(feature = "onnx") {
        return report.say(Word::Fail, "runtime", "this build has no ONNX Runtime: build with the feature `onnx`");
    }
    let candidates = config::runtime_candidates(&config.embedder);
    let (word, text) = match candidates.iter().find(|path| path.exists()) {
        Some(path) => (Word::Ok, format!("ONNX Runtime {}", path.display())),
        // The system's own is found by its name alone, if at all; the line of the model says whether.
        None => (Word::Warn, "no ONNX Runtime in any of its places but the system's: `make setup` brings one".to_owned()),
    };
    report.say(word, "runtime", &text);
}

async fn store(report: &mut Report, config: &Config) {
    let place = match config.store_place() {
        Ok(place) => place,
        Err(error) => return report.say(Word::Fail, "store", &error.to_string()),
    };
    let name = place.name();
    match place.look().await {
        Ok(Found::Nothing) => report.say(Word::Ok, "store", &format!("{name}: empty; the first start makes it")),
        Ok(Found::Store { schema, known, tenants, now }) => {
            let versions: Vec<String> =
                tenants.iter().map(|(tenant, version)| format!("{} {version}", tenant.as_str())).collect();
            let versions = if versions.is_empty() { "no tools yet".to_owned() } else { format!("at {}", versions.join(", ")) };
            let older = if schema < known { format!(" of {known}, which the next start brings up") } else { String::new() };
            report.say(Word::Ok, "store", &format!("{name}: schema version {schema}{older}, {versions}"));
            if let Some(now) = now {
                clock(report, now);
            }
        }
        Err(error @ StoreError::InUse { .. }) if matches!(place, Place::Embedded(_)) => {
            report.say(Word::Ok, "store", &format!("{name}: a router has it ({error})"));
        }
        Err(error) => report.say(Word::Fail, "store", &error.to_string()),
    }
}

/// Against the database's, which is what several routers have in common.
fn clock(report: &mut Report, database: f64) {
    let own = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    let apart = own - database;
    let word = if apart.abs() <= APART { Word::Ok } else { Word::Warn };
    report.say(word, "clock", &format!("{apart:+.1} s against the database's; leases go by the database's"));
}

fn certificate(report: &mut Report, tls: &Tls) {
    let path = tls.certificate_file.display();
    let text = match std::fs::read(&tls.certificate_file) {
        Ok(text) => text,
        Err(error) => return report.say(Word::Fail, "certificate", &format!("{path}: {error}")),
    };
    // The first is the router's own; those after it are its authorities'.
    for (place, pem) in Pem::iter_from_buffer(&text).enumerate() {
        let parsed = pem.map_err(|e| e.to_string());
        let until =
            parsed.and_then(|pem| pem.parse_x509().map(|x509| x509.validity().not_after.timestamp()).map_err(|e| e.to_string()));
        let until = match until {
            Ok(until) => until,
            Err(error) => return report.say(Word::Fail, "certificate", &format!("{path}: {error}")),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        let left = until - now;
        let days = left / 86_400;
        let which = if place == 0 { "it" } else { "an authority in it" };
        match left {
            ..=0 => report.say(Word::Fail, "certificate", &format!("{path}: {which} has ended {} days ago", -days)),
            left if left < i64::try_from(SOON.as_secs()).unwrap_or(0) => {
                report.say(Word::Warn, "certificate", &format!("{path}: {which} ends in {days} days"));
            }
            _ => report.say(Word::Ok, "certificate", &format!("{path}: {which} is good for {days} days")),
        }
    }
}

fn disk(report: &mut Report, config: &Config) {
    let postgres = config.store.postgres.as_ref();
    let file = match postgres {
        Some(postgres) => postgres.snapshot_file.clone(),
        None => Some(config.store.path.clone()),
    };
    let Some(file) = file else { return };
    let place = file.display();
    match Disk::of(&file) {
        Ok(disk) => {
            let (word, mib) = (if disk.free < LITTLE { Word::Warn } else { Word::Ok }, output::thousands(disk.free >> 20));
            report.say(word, "disk", &format!("{mib} MiB free where {place} is"));
            if disk.read_only {
                report.say(Word::Fail, "disk", &format!("{place} cannot be written: its file system is read-only"));
            }
        }
        Err(error) => report.say(Word::Fail, "disk", &format!("{place}: {error}")),
    }
}

async fn replicas(report: &mut Report, arguments: &Arguments) {
    let mut versions: Vec<(String, String)> = Vec::new();
    for address in &arguments.replicas {
        let options = ClientOptions {
            address: address.clone(),
            ca_file: arguments.ca_file.clone(),
            token_file: arguments.token_file.clone(),
            timeout: Duration::from_secs(5),
        };
        let asked = async {
            let mut client = Client::connect(&options).await?;
            let serving = client.is_serving().await?;
            let listed = client.list(ListToolsRequest { page_size: Some(1), ..Default::default() }).await?;
            Ok::<_, crate::rpc::client::ClientError>((serving, listed))
        };
        match asked.await {
            Ok((serving, listed)) => {
                let word = if serving { Word::Ok } else { Word::Fail };
                let takes = if serving { "takes traffic" } else { "takes no traffic" };
                let (version, tools) = (listed.catalog_version, output::thousands(u64::from(listed.total)));
                report.say(word, "replica", &format!("{address} {takes}, at {version} with {tools} tools"));
                versions.push((address.clone(), version));
            }
            Err(error) => report.say(Word::Fail, "replica", &format!("{address}: {error}")),
        }
    }
    let differ = versions.windows(2).any(|pair| matches!(pair, [(_, one), (_, other)] if one != other));
    if differ {
        report.say(Word::Warn, "replicas", "they are at different versions: look again in a second, it should pass");
    }
}
