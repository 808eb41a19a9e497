//! `[telemetry]`: who this router is to those who watch it, and where its spans and metrics go.
//!
//! Where the file says nothing, OpenTelemetry's own variables count (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_PROTOCOL`,
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`), so that a router fits in where all else is set up by them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::environment;
use crate::telemetry::{Collector, Identity, LogOptions, MeterOptions, Options, Protocol, SpanOptions};

/// Longest wait for a collector.
const MAX_TIMEOUT_MS: u64 = 60_000;
/// Between two pushes of metrics.
const PUSH_MS: [u64; 2] = [1_000, 3_600_000];
/// Longest value of a name.
const MAX_NAME: usize = 256;

/// Who, and where to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// `service.name`. Absent: `OTEL_SERVICE_NAME`, else `tool-router`.
    pub service_name: Option<String>,
    /// `service.namespace`; empty for none.
    pub namespace: String,
    /// `service.instance.id`. Absent: drawn at each start.
    pub instance_id: Option<String>,
    /// `deployment.environment.name`, such as `production`; empty for none.
    pub environment: String,
    /// A selection that takes this long is slow: its trace is kept. In ms, 1 or more.
    pub slow_ms: u64,
    /// Share of traces that are exported whatever comes of them, in `[0, 1]`; those of errors, calls turned away and slow selections always are.
    pub sample_ratio: f64,
    /// The collector. Absent: `OTEL_EXPORTER_OTLP_ENDPOINT`, else none.
    pub otlp: Option<Otlp>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            service_name: None,
            namespace: String::new(),
            instance_id: None,
            environment: String::new(),
            slow_ms: 250,
            sample_ratio: 0.01,
            otlp: None,
        }
    }
}

/// `[telemetry.otlp]`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    /// `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// `grpc` or `http`.
    #[serde(default)]
    pub protocol: Protocol,
    /// File with headers for each export, `name: value` a line, such as a vendor's key.
    #[serde(default)]
    pub headers_file: Option<PathBuf>,
    /// Longest wait for an answer, in ms: 1 to 60,000.
    #[serde(default = "ten_seconds")]
    pub timeout_ms: u64,
    /// Whether spans are sent.
    #[serde(default = "yes")]
    pub traces: bool,
    /// Whether metrics are pushed; they can be scraped in any case.
    #[serde(default)]
    pub metrics: bool,
    /// Between two pushes of metrics, in ms: 1,000 to 3,600,000.
    #[serde(default = "fifteen_seconds")]
    pub metrics_interval_ms: u64,
}

fn ten_seconds() -> u64 {
    10_000
}

fn fifteen_seconds() -> u64 {
    15_000
}

fn yes() -> bool {
    true
}

impl Telemetry {
    /// Who this router is. An id that is not configured is drawn, so this is asked once.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let drawn = Identity::default();
        let attributes = environment::variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let mut more: Vec<(String, String)> = pairs(&attributes).collect();
        let mut taken = |name: &str| more.iter().position(|(known, _)| known == name).map(|place| more.remove(place).1);
        let or = |own: &str, other: Option<String>| if own.is_empty() { other.unwrap_or_default() } else { own.to_owned() };
        let service = taken("service.name");
        Identity {
            service: self
                .service_name
                .clone()
                .or_else(|| environment::variable("OTEL_SERVICE_NAME"))
                .or(service)
                .unwrap_or(drawn.service),
            namespace: or(&self.namespace, taken("service.namespace")),
            instance: self.instance_id.clone().or_else(|| taken("service.instance.id")).unwrap_or(drawn.instance),
            environment: or(&self.environment, taken("deployment.environment.name")),
            more,
        }
    }

    /// The collector, where there is one, with the settings that go with it.
    ///
    /// # Errors
    /// What is wrong, with its key.
    pub fn collector(&self) -> Result<Option<(Collector, Otlp)>, String> {
        let (otlp, is_ours) = match &self.otlp {
            Some(otlp) => (otlp.clone(), true),
            None => match environment::variable("OTEL_EXPORTER_OTLP_ENDPOINT") {
                Some(endpoint) => (from_environment(endpoint)?, false),
                None => return Ok(None),
            },
        };
        let key = if is_ours { "telemetry.otlp.endpoint" } else { "OTEL_EXPORTER_OTLP_ENDPOINT" };
        let uri: http::Uri = otlp.endpoint.parse().map_err(|e| format!("{key} {:?} is no address: {e}", otlp.endpoint))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!("{key} {:?} is no address: write http://host:port or https://host:port", otlp.endpoint));
        }
        if otlp.timeout_ms == 0 || MAX_TIMEOUT_MS < otlp.timeout_ms {
            return Err(format!("telemetry.otlp.timeout_ms is {}, it must be 1 to {MAX_TIMEOUT_MS}", otlp.timeout_ms));
        }
        if !(PUSH_MS[0]..=PUSH_MS[1]).contains(&otlp.metrics_interval_ms) {
            let [least, most] = PUSH_MS;
            let given = otlp.metrics_interval_ms;
            return Err(format!("telemetry.otlp.metrics_interval_ms is {given}, it must be {least} to {most}"));
        }
        let mut headers: Vec<(String, String)> = Vec::new();
        if let Some(file) = &otlp.headers_file {
            let place = format!("telemetry.otlp.headers_file {}", file.display());
            let text = std::fs::read_to_string(file).map_err(|e| format!("{place} cannot be read: {e}"))?;
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                // Not the line itself: it may hold a key.
                let (name, value) = line.split_once(':').ok_or_else(|| format!("{place} must hold `name: value` lines"))?;
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        } else if !is_ours {
            let given = environment::variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
            headers.extend(pairs(&given).map(|(name, value)| (name.to_ascii_lowercase(), value)));
        }
        for (name, value) in &headers {
            let sound = http::HeaderName::try_from(name).is_ok() && http::HeaderValue::try_from(value).is_ok();
            if !sound {
                return Err(format!("telemetry.otlp: {name:?} with its value is no header"));
            }
        }
        let collector = Collector {
            endpoint: otlp.endpoint.clone(),
            protocol: otlp.protocol,
            headers,
            timeout: Duration::from_millis(otlp.timeout_ms),
        };
        Ok(Some((collector, otlp)))
    }

    /// Where spans go, for people; empty for nowhere.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let collector = self.collector().ok().flatten().filter(|(_, otlp)| otlp.traces);
        collector.map(|(collector, _)| collector.endpoint).unwrap_or_default()
    }

    /// What the process sets up.
    ///
    /// # Errors
    /// As [`Telemetry::collector`].
    pub fn options(&self, log: LogOptions, identity: Identity) -> Result<Options, String> {
        let collector = self.collector()?.filter(|(_, otlp)| otlp.traces);
        let spans = collector.map(|(collector, _)| SpanOptions { collector, share: self.sample_ratio });
        Ok(Options { log, identity, spans })
    }

    /// What is measured and for whom.
    ///
    /// # Errors
    /// As [`Telemetry::collector`].
    pub fn meters(&self, identity: Identity, server: Option<std::net::SocketAddr>) -> Result<MeterOptions, String> {
        let collector = self.collector()?.filter(|(_, otlp)| otlp.metrics);
        let push = collector.map(|(collector, otlp)| (collector, Duration::from_millis(otlp.metrics_interval_ms)));
        Ok(MeterOptions { identity, server, slow: Some(Duration::from_millis(self.slow_ms)), push })
    }

    /// What is wrong with it.
    pub(super) fn complaint(&self) -> Option<String> {
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Some(format!("telemetry.sample_ratio is {}, it must be 0 to 1", self.sample_ratio));
        }
        if self.slow_ms == 0 {
            return Some("telemetry.slow_ms is 0, 1 is the least".to_owned());
        }
        let names = [
            ("service_name", self.service_name.as_deref()),
            ("namespace", Some(self.namespace.as_str())),
            ("instance_id", self.instance_id.as_deref()),
            ("environment", Some(self.environment.as_str())),
        ];
        for (key, name) in names.iter().filter_map(|(key, name)| Some((key, (*name)?))) {
            let required = matches!(*key, "service_name" | "instance_id");
            if MAX_NAME < name.len() || name.chars().any(char::is_control) || (required && name.trim().is_empty()) {
                return Some(format!("telemetry.{key} must be a name of at most {MAX_NAME} bytes"));
            }
        }
        self.collector().err()
    }
}

/// What OpenTelemetry's variables say of a collector.
fn from_environment(endpoint: String) -> Result<Otlp, String> {
    let protocol = match environment::variable("OTEL_EXPORTER_OTLP_PROTOCOL").as_deref() {
        None | Some("" | "grpc") => Protocol::Grpc,
        Some("http/protobuf") => Protocol::Http,
        Some(other) => return Err(format!("OTEL_EXPORTER_OTLP_PROTOCOL is {other:?}: grpc and http/protobuf are spoken here")),
    };
    Ok(Otlp {
        endpoint,
        protocol,
        headers_file: None,
        timeout_ms: ten_seconds(),
        traces: true,
        metrics: false,
        metrics_interval_ms: fifteen_seconds(),
    })
}

/// `name=value` pairs with commas between them; values may be percent-encoded.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split(',').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.trim().to_owned(), decoded(value.trim())))
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten().and_then(|digits| hex::decode(digits).ok());
        match escaped.as_deref() {
            Some([byte]) => {
                decoded.push(*byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(change: impl FnOnce(&mut Telemetry)) -> String {
        let mut telemetry = Telemetry::default();
        change(&mut telemetry);
        telemetry.complaint().unwrap_or_default()
    }

    fn otlp(endpoint: &str) -> Otlp {
        from_environment(endpoint.to_owned()).unwrap()
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |change: fn(&mut Telemetry), words: &str| {
            let said = complaint(change);
            assert!(said.contains(words), "{said:?}");
        };
        check(|t| t.sample_ratio = 1.5, "telemetry.sample_ratio is 1.5, it must be 0 to 1");
        check(|t| t.sample_ratio = f64::NAN, "telemetry.sample_ratio is NaN");
        check(|t| t.slow_ms = 0, "telemetry.slow_ms is 0");
        check(|t| t.instance_id = Some(String::new()), "telemetry.instance_id must be a name");
        check(|t| t.namespace = "a\nb".into(), "telemetry.namespace");
        check(
            |t| t.otlp = Some(otlp("collector:4317")),
            "telemetry.otlp.endpoint \"collector:4317\" is no address: write http://",
        );
        check(|t| t.otlp = Some(otlp("not an address")), "is no address");
        check(|t| t.otlp = Some(Otlp { timeout_ms: 0, ..otlp("http://h:1") }), "telemetry.otlp.timeout_ms is 0, it must be 1 to");
        check(|t| t.otlp = Some(Otlp { metrics_interval_ms: 5, ..otlp("http://h:1") }), "metrics_interval_ms is 5");
        check(|t| t.otlp = Some(Otlp { headers_file: Some("/nowhere".into()), ..otlp("http://h:1") }), "/nowhere cannot be read");
        check(|_| (), "");
    }

    #[test]
    fn headers_come_from_a_file_and_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Api-Key: secret: value\n\nx-team: agents\n").unwrap();
        let otlp = Otlp { headers_file: Some(file.path().into()), ..otlp("https://h:4317") };
        let telemetry = Telemetry { otlp: Some(otlp), ..Telemetry::default() };
        let (collector, _) = telemetry.collector().unwrap().unwrap();
        let headers: Vec<_> = collector.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(headers, [("api-key", "secret: value"), ("x-team", "agents")]);
        assert!(!format!("{collector:?}").contains("secret"));
        std::fs::write(file.path(), "no header at all, but a secret").unwrap();
        let refused = telemetry.collector().unwrap_err();
        assert!(refused.contains("must hold `name: value` lines") && !refused.contains("secret"), "{refused}");
    }

    #[test]
    fn pairs_are_read_as_opentelemetry_writes_them() {
        let read: Vec<_> = pairs("service.name=router,team=a%20b%2, broken ,k=v=w").collect();
        let expected = [("service.name", "router"), ("team", "a b%2"), ("k", "v=w")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
