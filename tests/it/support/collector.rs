//! A collector of the test's own: takes spans and metrics over OTLP, and gives them back as they came.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A span, in words.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// `service.name` of its resource.
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty for none.
    pub(crate) parent: String,
    pub(crate) kind: SpanKind,
    pub(crate) is_error: bool,
    /// Span ids that it links to.
    pub(crate) links: Vec<String>,
    pub(crate) took: Duration,
    attributes: Vec<(String, String)>,
}

impl Span {
    /// An attribute as text; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Whether `text` stands anywhere in it.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.name.contains(text) || self.attributes.iter().any(|(name, value)| name.contains(text) || value.contains(text))
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }
}

#[derive(Default)]
struct Taken {
    spans: Vec<Span>,
    metrics: Vec<String>,
    headers: Vec<String>,
}

/// The collector. It ends with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
    /// How long each export waits for its answer.
    delay: Duration,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self::start_slow(Duration::ZERO).await
    }

    pub(crate) async fn start_slow(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self { address: listener.local_addr().unwrap(), taken: Arc::default(), delay };
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()).accept_compressed(tonic::codec::CompressionEncoding::Gzip))
            .add_service(MetricsServiceServer::new(collector.clone()).accept_compressed(tonic::codec::CompressionEncoding::Gzip));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        collector
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// Names of metrics, as they came.
    pub(crate) fn metrics(&self) -> Vec<String> {
        self.taken.lock().unwrap().metrics.clone()
    }

    /// The headers of exports, as `name: value`.
    pub(crate) fn headers(&self) -> Vec<String> {
        self.taken.lock().unwrap().headers.clone()
    }

    /// Waits until `holds`, and gives what is there then.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let started = Instant::now();
        loop {
            let spans = self.spans();
            if holds(&spans) {
                return spans;
            }
            let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
            assert!(started.elapsed() < Duration::from_secs(20), "{what}: {names:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(yes)) => yes.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn pairs(attributes: Vec<KeyValue>) -> Vec<(String, String)> {
    attributes.into_iter().map(|KeyValue { key, value, .. }| (key, text(value))).collect()
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        tokio::time::sleep(self.delay).await;
        let mut taken = self.taken.lock().unwrap();
        for key in request.metadata().keys() {
            let tonic::metadata::KeyRef::Ascii(key) = key else { continue };
            let value = request.metadata().get(key).and_then(|value| value.to_str().ok()).unwrap_or_default();
            taken.headers.push(format!("{key}: {value}"));
        }
        for of_resource in request.into_inner().resource_spans {
            let resource = pairs(of_resource.resource.unwrap_or_default().attributes);
            let service = resource.iter().find(|(name, _)| name == "service.name").map(|(_, value)| value.clone());
            for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                taken.spans.push(Span {
                    service: service.clone().unwrap_or_default(),
                    kind: span.kind(),
                    is_error: span.status.as_ref().is_some_and(|status| status.code == 2),
                    name: span.name,
                    trace_id: hex(&span.trace_id),
                    span_id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
                    took: Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano),
                    attributes: pairs(span.attributes),
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let metrics = request.into_inner().resource_metrics.into_iter().flat_map(|r| r.scope_metrics).flat_map(|s| s.metrics);
        self.taken.lock().unwrap().metrics.extend(metrics.map(|metric| metric.name));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
