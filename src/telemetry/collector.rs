//! Where spans and metrics are sent: a collector that speaks OTLP, over gRPC or HTTP.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol as Wire, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use serde::{Deserialize, Serialize};

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// gRPC, usually on port 4317.
    #[default]
    Grpc,
    /// Protobuf over HTTP, usually on port 4318; `/v1/traces` and `/v1/metrics` are added to the endpoint.
    Http,
}

/// A collector.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    /// `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Sent with every export, such as a vendor's key.
    pub headers: Vec<(String, String)>,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers hold keys.
        f.debug_struct("Collector").field("endpoint", &self.endpoint).field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Collector {
    fn metadata(&self) -> Result<MetadataMap, String> {
        let mut headers = http::HeaderMap::new();
        for (name, value) in &self.headers {
            let name = http::HeaderName::try_from(name).map_err(|_| format!("{name:?} is no name of a header"))?;
            let value = http::HeaderValue::try_from(value).map_err(|_| format!("the value of {name} is none of a header"))?;
            headers.append(name, value);
        }
        Ok(MetadataMap::from_headers(headers))
    }

    fn is_secure(&self) -> bool {
        self.endpoint.starts_with("https://")
    }

    /// The address of one signal. Over HTTP the exporter takes it as it is.
    fn signal(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.endpoint.trim_end_matches('/'))
    }

    /// Builds inside the runtime that is to carry it.
    pub(super) fn spans(&self) -> Result<SpanExporter, String> {
        let built = match self.protocol {
            Protocol::Grpc => {
                let builder = SpanExporter::builder().with_tonic().with_endpoint(&self.endpoint).with_timeout(self.timeout);
                let builder = builder.with_metadata(self.metadata()?);
                let secure = |b: opentelemetry_otlp::SpanExporterBuilder<_>| {
                    b.with_tls_config(ClientTlsConfig::new().with_enabled_roots())
                };
                if self.is_secure() { secure(builder).build() } else { builder.build() }
            }
            Protocol::Http => SpanExporter::builder()
                .with_http()
                .with_http_client(client()?)
                .with_protocol(Wire::HttpBinary)
                .with_endpoint(self.signal("traces"))
                .with_timeout(self.timeout)
                .with_headers(self.map())
                .build(),
        };
        built.map_err(|e| self.failed(&e))
    }

    pub(super) fn metrics(&self) -> Result<Carried, String> {
        let built = match self.protocol {
            Protocol::Grpc => {
                let builder = MetricExporter::builder().with_tonic().with_endpoint(&self.endpoint).with_timeout(self.timeout);
                let builder = builder.with_metadata(self.metadata()?);
                let tls = ClientTlsConfig::new().with_enabled_roots();
                if self.is_secure() { builder.with_tls_config(tls).build() } else { builder.build() }
            }
            Protocol::Http => MetricExporter::builder()
                .with_http()
                .with_http_client(client()?)
                .with_protocol(Wire::HttpBinary)
                .with_endpoint(self.signal("metrics"))
                .with_timeout(self.timeout)
                .with_headers(self.map())
                .build(),
        };
        let exporter = built.map_err(|e| self.failed(&e))?;
        Ok(Carried { exporter, runtime: tokio::runtime::Handle::current() })
    }

    fn map(&self) -> HashMap<String, String> {
        self.headers.iter().cloned().collect()
    }

    fn failed(&self, error: &ExporterBuildError) -> String {
        format!("telemetry.otlp.endpoint {}: {error}", self.endpoint)
    }
}

/// With the tree's own choice of cryptography, which reqwest must be told.
fn client() -> Result<reqwest::Client, String> {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(|e| e.to_string())
}

/// An exporter of metrics that finds its runtime on whatever thread it is asked: the reader that asks has one of its own.
#[derive(Debug)]
pub(super) struct Carried {
    exporter: MetricExporter,
    runtime: tokio::runtime::Handle,
}

impl PushMetricExporter for Carried {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut work: Pin<Box<dyn Future<Output = OTelSdkResult> + Send + '_>> = Box::pin(self.exporter.export(metrics));
        std::future::poll_fn(move |context| {
            let _entered = self.runtime.enter();
            work.as_mut().poll(context)
        })
        .await
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
