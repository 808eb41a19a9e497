//! What can change while the router runs: on SIGHUP the configuration is read again, and what it says of these is taken.

use serde_json::Value;
use tokio::sync::mpsc;

use super::AppError;
use crate::config::Config;
use crate::rpc::Access;
use crate::rpc::server::{Certificate, TlsPem};
use crate::telemetry;

/// Keys that are taken live. A section stands for all in it; the contents of the files they name are read again as well.
const LIVE: [&str; 3] = ["access", "server.tls", "log.filter"];

/// Takes configurations until no more can come.
pub(super) async fn follow(start: Config, mut configs: mpsc::Receiver<Config>, access: Access, certificate: Certificate) {
    let mut current = start;
    while let Some(next) = configs.recv().await {
        match take(&next, &access, &certificate) {
            Ok(()) => {
                let waiting = changed(&current, &next);
                if waiting.is_empty() {
                    tracing::info!("the configuration was read again");
                } else {
                    let keys = waiting.join(", ");
                    tracing::warn!(config.keys = keys, "the configuration was read again; these need a restart");
                }
                current = keep(current, next);
            }
            Err(error) => tracing::error!(error.message = %error, "the configuration is kept as it was"),
        }
    }
}

/// All or nothing: what can fail comes first.
fn take(config: &Config, access: &Access, certificate: &Certificate) -> Result<(), AppError> {
    let tokens = config.access.tokens()?;
    set_certificate(certificate, config)?;
    access.set(tokens.map(|tokens| (tokens.select, tokens.admin)));
    telemetry::set_filter(&config.log.filter).map_err(|e| AppError::System { what: "log.filter", detail: e.to_string() })
}

/// The configuration in force afterwards: what needs a restart is as before, and told again next time.
fn keep(current: Config, next: Config) -> Config {
    let mut kept = current;
    (kept.access, kept.server.tls, kept.log.filter) = (next.access, next.server.tls, next.log.filter);
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
        assert!(changed(&current, &next).is_empty());
        next.log.filter = "debug".into();
        next.access.admin_token_file = Some("a".into());
        assert!(changed(&current, &next).is_empty(), "these are taken");
        next.cache.answers_mib = 7;
        next.store.max_mib = Some(3);
        assert_eq!(changed(&current, &next), ["store.max_mib", "cache.answers_mib"].map(str::to_owned).to_vec());
    }
}
