//! What can change while the router runs: on SIGHUP the configuration is read again, and what it says of these is taken.

use serde_json::Value;
use tokio::sync::mpsc;

use super::AppError;
use crate::config::{self, Config};
use crate::rpc::Access;
use crate::rpc::server::{Certificate, TlsPem};
use crate::telemetry;

/// Keys that are taken live. A section stands for all in it; the contents of the files they name are read again as well.
const LIVE: [&str; 3] = ["access", "server.tls", "log.filter"];

/// Takes configurations until no more can come.
pub(super) async fn follow(start: Config, mut configs: mpsc::Receiver<Config>, access: Access, certificate: Certificate) {
    let mut current = start;
    while let Some(next) = configs.recv().await {
        let waiting = changed(&current, &next);
        match take(keep(&current, next), &access, &certificate) {
            Ok(taken) => {
                current = taken;
                if waiting.is_empty() {
                    tracing::info!("the configuration was read again");
                } else {
                    let keys = waiting.join(", ");
                    tracing::warn!(config.keys = keys, "the configuration was read again; these need a restart");
                }
            }
            Err(error) => tracing::error!(error.message = %error, "the configuration is kept as it was"),
        }
    }
}

/// All or nothing: what can fail comes first. Judged is what will be in force, not what was read: a router that goes on listening where it
/// did must not lose its tokens because the file names another address.
fn take(config: Config, access: &Access, certificate: &Certificate) -> Result<Config, AppError> {
    config::check(&config)?;
    let tokens = config.access.tokens()?;
    set_certificate(certificate, &config)?;
    access.set(tokens.map(|tokens| (tokens.select, tokens.admin)));
    // It was checked above.
    telemetry::set_filter(&config.log.filter).ok();
    Ok(config)
}

/// The configuration in force afterwards: what needs a restart is as before, and told again next time. So is TLS for a router that had none.
fn keep(current: &Config, next: Config) -> Config {
    let mut kept = current.clone();
    (kept.access, kept.log.filter) = (next.access, next.log.filter);
    if kept.server.tls.is_some() && next.server.tls.is_some() {
        kept.server.tls = next.server.tls;
    }
    kept
}

/// Certificate and key as they are in their files now.
pub(super) fn set_certificate(certificate: &Certificate, config: &Config) -> Result<(), AppError> {
    let Some(tls) = &config.server.tls else { return Ok(()) };
    let failed = |detail: String| AppError::System { what: "server.tls", detail };
    let read = |path: &std::path::Path| std::fs::read(path).map_err(|e| failed(format!("{}: {e}", path.display())));
    let pem = TlsPem { certificates: read(&tls.certificate_file)?, key: read(&tls.key_file)? };
    certificate.set(&pem).map_err(failed)
}

/// Keys that differ and are not taken live.
fn changed(current: &Config, next: &Config) -> Vec<String> {
    // A configuration always serialises; were it not to, nothing would be told, and nothing else depends on it.
    let value = |config: &Config| serde_json::to_value(config).unwrap_or_default();
    let mut keys = Vec::new();
    differences("", &value(current), &value(next), &mut keys);
    // TLS for a router that had none, or none for one that had it, changes what is listened for.
    if current.server.tls.is_some() != next.server.tls.is_some() {
        keys.push("server.tls".to_owned());
    }
    // Secrets are not in what was compared.
    let hidden =
        [("store.postgres", current.store.postgres != next.store.postgres), ("sources", current.sources != next.sources)];
    for (key, differs) in hidden {
        if differs && !keys.iter().any(|named| named.starts_with(key)) {
            keys.push(key.to_owned());
        }
    }
    keys
}

fn differences(path: &str, one: &Value, other: &Value, keys: &mut Vec<String>) {
    if one == other || LIVE.contains(&path) {
        return;
    }
    match (one, other) {
        (Value::Object(members), Value::Object(others)) if members.len() == others.len() => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(&path, value, others.get(name).unwrap_or(&Value::Null), keys);
            }
        }
        _ => keys.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named() {
        let (current, mut next) = (Config::default(), Config::default());
        let tls = crate::config::Tls { certificate_file: "c".into(), key_file: "k".into() };
        let with = Config { server: crate::config::Server { tls: Some(tls), ..Default::default() }, ..Config::default() };
        assert_eq!(changed(&current, &with), ["server.tls"]);
        assert!(keep(&current, with.clone()).server.tls.is_none() && keep(&with, current.clone()).server.tls.is_some());
        assert!(changed(&current, &next).is_empty());
        next.log.filter = "debug".into();
        next.access.admin_token_file = Some("a".into());
        assert!(changed(&current, &next).is_empty(), "these are taken");
        next.cache.answers_mib = 7;
        next.store.max_mib = Some(3);
        next.store.postgres = Some(crate::config::Postgres { url: Some("postgres://a".into()), ..Default::default() });
        let mut moved = next.clone();
        moved.store.postgres.as_mut().unwrap().url = Some("postgres://b".into());
        assert_eq!(changed(&next, &moved), ["store.postgres"]);
        next.store.postgres = None;
        assert_eq!(changed(&current, &next), ["cache.answers_mib", "store.max_mib"].map(str::to_owned).to_vec());
    }
}
