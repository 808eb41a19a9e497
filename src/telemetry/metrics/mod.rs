//! Every instrument, in one struct. Units go through the API: the exporter writes `_seconds` and `_total` itself.
//!
//! Label values are closed sets, or bounded ones: of tenants and tools the first so many have a name of their own (`labels.rs`), the rest share
//! `_OTHER`. All that is recorded here is recorded before any sampling.

mod exemplars;
mod gauges;
mod labels;
mod openmetrics;
mod sources;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider, UpDownCounter};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::{Encoder, Registry, TextEncoder};

use self::exemplars::Exemplars;
pub use self::gauges::{CacheSize, Watched};
use self::labels::Labels;
use super::collector::Collector;
use super::identity::Identity;
use super::recent::Recent;
use super::trace::{self, Ended, ModelName};
use super::{Loss, logs};
use crate::catalog::TenantCatalog;
use crate::embed::ModelInfo;
use crate::index::Engine;
use crate::outcomes::{Cited, Counted, Outcome, Refusal};
use crate::select::{Answer, Reranked, Trace};
use crate::spans::names;
use crate::tool::{TenantId, ToolId};

/// From 10 µs, since all but the embedding takes less than a millisecond, to 10 s.
const SECONDS: [f64; 19] =
    [1e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0];
/// As the convention for databases wants them.
const DB_SECONDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// Tools are other people's services: milliseconds to a minute.
const TOOL_SECONDS: [f64; 10] = [0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Powers of 4, as the convention for generative AI has them.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// In `[0, 1]`.
const CONFIDENCE: [f64; 12] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0];
/// Tenants with a label of their own.
const MAX_TENANTS: usize = 100;
/// Tools with a label of their own: a dozen series each.
const MAX_TOOLS: usize = 200;
/// Kinds of failure by source with a label of their own: the callers' words, so nobody knows how many they have.
const MAX_FAILURES: usize = 300;
/// Methods whose calls must be quick.
const SELECTIONS: [&str; 2] = ["toolrouter.v1.ToolRouter/SelectTools", "toolrouter.v1.ToolRouter/RankTools"];
/// Methods whose success means that a change can be found.
const REGISTRATIONS: [&str; 4] = [
    "toolrouter.v1.ToolCatalog/RegisterTools",
    "toolrouter.v1.ToolCatalog/SyncSource",
    "toolrouter.v1.ToolCatalog/UnregisterTools",
    "toolrouter.v1.ToolCatalog/SetToolState",
];

/// How to measure.
#[derive(Clone, Debug, Default)]
pub struct MeterOptions {
    /// Who measures.
    pub identity: Identity,
    /// Where calls arrive, for their spans.
    pub server: Option<SocketAddr>,
    /// From when on a selection is slow; `None`: never.
    pub slow: Option<Duration>,
    /// To whom metrics are pushed, and how often. They can be scraped in any case.
    pub push: Option<(Collector, Duration)>,
}

/// The instruments.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    provider: SdkMeterProvider,
    exemplars: Exemplars,
    server: Option<SocketAddr>,
    slow: Option<Duration>,
    model: OnceLock<ModelName>,
    tenants: Labels<TenantId>,
    tools: Labels<ToolId>,
    /// By source and kind of failure.
    failures: Labels<(String, String)>,
    call_duration: Histogram<f64>,
    calls_active: UpDownCounter<i64>,
    sheds: Counter<u64>,
    registration_visible: Histogram<f64>,
    stage_duration: Histogram<f64>,
    embed_wait: Histogram<f64>,
    selections: Counter<u64>,
    reranks: Counter<u64>,
    no_match: Counter<u64>,
    tokens: Counter<u64>,
    returned: Histogram<u64>,
    confidence: Histogram<f64>,
    tool_returned: Counter<u64>,
    db_duration: Histogram<f64>,
    outcomes: Counter<u64>,
    refused_outcomes: Counter<u64>,
    unknown_selections: Counter<u64>,
    place: Histogram<u64>,
    tool_calls: Counter<u64>,
    tool_failures: Counter<u64>,
    tool_duration: Histogram<f64>,
    model_tokens: Counter<u64>,
    token_usage: Histogram<u64>,
    recent: Recent,
}

/// The exporter could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("metrics could not be set up: {0}")]
pub struct MetersError(String);

/// Makes instruments of one kind alike.
struct Maker(Meter);

impl Maker {
    fn seconds(&self, name: &'static str, bounds: &[f64], description: &'static str) -> Histogram<f64> {
        self.0.f64_histogram(name).with_unit("s").with_description(description).with_boundaries(bounds.to_vec()).build()
    }

    fn counter(&self, name: &'static str, unit: &'static str, description: &'static str) -> Counter<u64> {
        self.0.u64_counter(name).with_unit(unit).with_description(description).build()
    }
}

impl Meters {
    /// Sets up the instruments and their Prometheus form. Pushing takes a runtime.
    ///
    /// # Errors
    /// A name is registered twice: a build fault. The collector is unusable.
    pub fn new(options: &MeterOptions) -> Result<Self, MetersError> {
        let registry = Registry::new();
        let failed = |e: &dyn std::fmt::Display| MetersError(e.to_string());
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(|e| failed(&e))?;
        #[cfg(target_os = "linux")]
        {
            let process = prometheus::process_collector::ProcessCollector::for_self();
            registry.register(Box::new(process)).map_err(|e| failed(&e))?;
        }
        let mut provider = SdkMeterProvider::builder().with_reader(exporter).with_resource(options.identity.resource());
        if let Some((collector, every)) = &options.push {
            let pushed = collector.metrics().map_err(MetersError)?;
            provider = provider.with_reader(PeriodicReader::builder(pushed).with_interval(*every).build());
        }
        let provider = provider.build();
        let make = Maker(provider.meter("tool-router"));
        let histogram = |name: &'static str, unit: &'static str, bounds: &[f64], description: &'static str| {
            make.0.u64_histogram(name).with_unit(unit).with_description(description).with_boundaries(bounds.to_vec()).build()
        };
        let meters = Self {
            call_duration: make.seconds("rpc.server.call.duration", &SECONDS, "Duration of gRPC calls."),
            calls_active: make
                .0
                .i64_up_down_counter("toolrouter.calls.active")
                .with_unit("{call}")
                .with_description("Calls under way.")
                .build(),
            sheds: make.counter(
                "toolrouter.sheds",
                "{call}",
                "Calls that were turned away under load, by what there was too much of.",
            ),
            registration_visible: make.seconds(
                "toolrouter.registration.visible",
                &SECONDS,
                "From the arrival of a change of the catalogue to its acknowledgement, after which it is found.",
            ),
            stage_duration: make.seconds("toolrouter.select.stage.duration", &SECONDS, "Duration of a selection's stages."),
            embed_wait: make.seconds("toolrouter.embed.wait", &SECONDS, "How long queries wait for an embed worker."),
            selections: make.counter(
                "toolrouter.selections",
                "{selection}",
                "Selections answered, by mode, engine and what was known from before.",
            ),
            reranks: make.counter("toolrouter.reranks", "{selection}", "Selections that a reranker was asked about, by outcome."),
            no_match: make.counter("toolrouter.no_match", "{selection}", "Selections that returned no tool, by reason."),
            tokens: make.counter("toolrouter.tokens", "{token}", "Tokens of tool lists: eligible at FULL, returned, saved."),
            returned: histogram(
                "toolrouter.select.tools",
                "{tool}",
                &[0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 50.0, 100.0, 200.0],
                "Tools returned by a selection.",
            ),
            confidence: make
                .0
                .f64_histogram("toolrouter.select.confidence")
                .with_unit("1")
                .with_description("How likely it is that any tool fits, where that is calibrated.")
                .with_boundaries(CONFIDENCE.to_vec())
                .build(),
            tool_returned: make.counter("toolrouter.tool.returned", "{selection}", "Selections that returned a tool."),
            db_duration: make.seconds("db.client.operation.duration", &DB_SECONDS, "Duration of what is asked of the store."),
            outcomes: make.counter("toolrouter.outcomes", "{outcome}", "Reported calls of tools, by how they went."),
            refused_outcomes: make.counter(
                "toolrouter.outcomes.refused",
                "{outcome}",
                "Reported calls that are in no count, or in none that is kept, by reason.",
            ),
            unknown_selections: make.counter(
                "toolrouter.outcome.unknown_selections",
                "{outcome}",
                "Reported calls that name a selection which this router does not remember.",
            ),
            place: histogram(
                "toolrouter.outcome.place",
                "{place}",
                &[1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 50.0],
                "Place of a called tool in the list that showed it, from 1.",
            ),
            tool_calls: make.counter("toolrouter.tool.calls", "{call}", "Reported calls of a tool, by how they went."),
            tool_failures: make.counter(
                "toolrouter.tool.failures",
                "{call}",
                "Reported calls of tools that did not go well, by what the caller says went wrong, or else by how they ended.",
            ),
            tool_duration: make.seconds(
                "toolrouter.tool.call.duration",
                &TOOL_SECONDS,
                "Duration of a tool's calls, as reported.",
            ),
            model_tokens: make.counter("toolrouter.model.tokens", "{token}", "Tokens of models' turns, as reported, by tenant."),
            token_usage: histogram(
                "gen_ai.client.token.usage",
                "{token}",
                &TOKENS,
                "Tokens of one turn of a model, as reported: input and output apart.",
            ),
            recent: Recent::new(Instant::now()),
            exemplars: Exemplars::new(&SECONDS),
            server: options.server,
            slow: options.slow,
            model: OnceLock::new(),
            tenants: Labels::new(MAX_TENANTS),
            tools: Labels::new(MAX_TOOLS),
            failures: Labels::new(MAX_FAILURES),
            registry,
            provider,
        };
        meters.begin_at_nothing();
        Ok(meters)
    }

    /// Lets gauges look at live state.
    pub fn watch(&self, watched: Watched) {
        gauges::watch(&self.provider.meter("tool-router"), watched);
    }

    /// Says which model embeds.
    pub fn set_model(&self, info: &ModelInfo) {
        let _ = self.model.set(ModelName { id: info.id.clone(), dimension: info.dimension });
        gauges::build(&self.provider.meter("tool-router"), info);
    }

    /// What the last minutes were like.
    #[must_use]
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Where calls arrive.
    #[must_use]
    pub fn server(&self) -> Option<SocketAddr> {
        self.server
    }

    /// Counts a call as under way until the guard is dropped.
    #[must_use]
    pub fn active(&self, method: &'static str) -> Active<'_> {
        self.calls_active.add(1, &[KeyValue::new(names::RPC_METHOD, method)]);
        Active { meters: self, method }
    }

    /// Records a call that is over, and says on the current span how it ended.
    pub fn call(&self, method: &'static str, status: &'static str, took: Duration) {
        let is_selection = SELECTIONS.contains(&method);
        let ended = Ended { status, took, slow: self.slow.filter(|_| is_selection) };
        let kept = trace::ended(&ended);
        let mut labels = vec![
            KeyValue::new(names::RPC_SYSTEM, "grpc"),
            KeyValue::new(names::RPC_METHOD, method),
            KeyValue::new(names::RPC_STATUS, status),
        ];
        if ended.is_fault() {
            labels.push(KeyValue::new(names::ERROR_TYPE, status));
        }
        self.call_duration.record(took.as_secs_f64(), &labels);
        if let Some(ids) = kept {
            self.exemplars.put((method, status), took, &ids);
        }
        if status == "RESOURCE_EXHAUSTED" {
            self.sheds.add(1, &[KeyValue::new("reason", shed_reason(method))]);
        }
        if status == "OK" && REGISTRATIONS.contains(&method) {
            self.registration_visible.record(took.as_secs_f64(), &[]);
        }
    }

    /// Records how long a query waited for a worker.
    pub fn waited(&self, time: Duration) {
        self.embed_wait.record(time.as_secs_f64(), &[]);
    }

    /// Records a selection, in numbers and as spans below the current one.
    pub fn selection(&self, registered: &TenantCatalog, answer: &Answer, trace: &Trace) {
        for timed in &trace.stages {
            self.stage_duration.record(timed.took.as_secs_f64(), &[KeyValue::new("stage", timed.stage.name())]);
        }
        trace::stages(trace, self.model.get());
        let labels = [
            KeyValue::new("mode", answer.mode.name()),
            KeyValue::new("engine", trace.engine.map_or("none", Engine::name)),
            KeyValue::new("cache", trace.answered.name()),
        ];
        self.selections.add(1, &labels);
        let outcome = match trace.reranked {
            Reranked::Not => None,
            Reranked::Done => Some("done"),
            Reranked::Left => Some("left"),
        };
        if let Some(outcome) = outcome {
            self.reranks.add(1, &[KeyValue::new("outcome", outcome)]);
        }
        self.returned.record(answer.tools.len() as u64, &[]);
        let kinds = [
            ("eligible", answer.usage.eligible_tokens),
            ("returned", u64::from(answer.usage.returned.0)),
            ("saved", answer.usage.saved()),
        ];
        let tenant = self.tenant_labels(registered.tenant());
        for (kind, tokens) in kinds {
            let mut labels = vec![KeyValue::new("kind", kind)];
            labels.extend(tenant.iter().cloned());
            self.tokens.add(tokens, &labels);
        }
        if let Some(confidence) = answer.confidence {
            self.confidence.record(f64::from(confidence), &[]);
        }
        // Not those that the caller brought along: labels are for what an operator knows, and their number is bounded.
        for tool in answer.tools.iter().filter(|tool| registered.get(&tool.id).is_some()) {
            let labels = self.tool_labels(&tool.id);
            self.tool_returned.add(1, &labels);
        }
        if let Some(no_match) = &answer.no_match {
            self.no_match.add(1, &[KeyValue::new("reason", no_match.name())]);
        }
    }

    fn tool_labels(&self, tool: &ToolId) -> Arc<[KeyValue]> {
        self.tools.of(tool, |tool| {
            vec![KeyValue::new("source", tool.source().to_owned()), KeyValue::new("tool", tool.name().to_owned())]
        })
    }

    /// Records a call that was reported.
    pub fn outcome(&self, counted: &Counted) {
        let outcome = KeyValue::new("outcome", counted.outcome.name());
        self.outcomes.add(1, std::slice::from_ref(&outcome));
        if counted.selection == Cited::Unknown {
            self.unknown_selections.add(1, &[]);
        }
        if let Some(place) = counted.place {
            self.place.record(u64::from(place), &[]);
        }
        let tool = self.tool_labels(&counted.tool);
        if let Some(latency) = counted.latency {
            self.tool_duration.record(latency.as_secs_f64(), &tool);
        }
        let labels: Vec<KeyValue> = tool.iter().cloned().chain([outcome]).collect();
        self.tool_calls.add(1, &labels);
        if counted.outcome != Outcome::Ok {
            self.tool_failures.add(1, &self.failure_labels(counted));
        }
        let tenant = self.tenant_labels(&counted.tenant);
        for (kind, tokens) in [("input", counted.input_tokens), ("output", counted.output_tokens)] {
            let Some(tokens) = tokens else { continue };
            let kind = KeyValue::new(names::GEN_AI_TOKEN_TYPE, kind);
            self.token_usage.record(tokens, std::slice::from_ref(&kind));
            let labels: Vec<KeyValue> = tenant.iter().cloned().chain([kind]).collect();
            self.model_tokens.add(tokens, &labels);
        }
        logs::counts().outcomes.add(1);
    }

    /// Records reported calls that are not counted, or not kept.
    pub fn outcome_refused(&self, refusal: Refusal, outcomes: u64) {
        self.refused_outcomes.add(outcomes, &[KeyValue::new("reason", refusal.name())]);
        if refusal == Refusal::Dropped {
            logs::counts().lose(Loss::Outcomes, outcomes, Instant::now());
        }
    }

    fn failure_labels(&self, counted: &Counted) -> Arc<[KeyValue]> {
        let kind = Some(counted.error_class.as_str()).filter(|class| !class.is_empty()).unwrap_or(counted.outcome.name());
        self.failures.of(&(counted.tool.source().to_owned(), kind.to_owned()), |(source, kind)| {
            vec![KeyValue::new("source", source.clone()), KeyValue::new(names::ERROR_TYPE, kind.clone())]
        })
    }

    fn tenant_labels(&self, tenant: &TenantId) -> Arc<[KeyValue]> {
        self.tenants.of(tenant, |tenant| vec![KeyValue::new("tenant", tenant.as_str().to_owned())])
    }

    /// Series of faults exist before the first: a rate cannot be seen in a series that begins with it.
    fn begin_at_nothing(&self) {
        for refusal in Refusal::ALL {
            self.refused_outcomes.add(0, &[KeyValue::new("reason", refusal.name())]);
        }
        for outcome in Outcome::ALL {
            self.outcomes.add(0, &[KeyValue::new("outcome", outcome.name())]);
        }
        self.unknown_selections.add(0, &[]);
        for reason in ["embed_queue", "offers", "watchers", "registrations", "other"] {
            self.sheds.add(0, &[KeyValue::new("reason", reason)]);
        }
    }

    /// Records something that was asked of the store.
    pub fn stored(&self, system: &'static str, operation: &'static str, error: Option<&'static str>, started: Instant) {
        let mut labels = vec![KeyValue::new(names::DB_SYSTEM, system), KeyValue::new(names::DB_OPERATION, operation)];
        labels.extend(error.map(|error| KeyValue::new(names::ERROR_TYPE, error)));
        self.db_duration.record(started.elapsed().as_secs_f64(), &labels);
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory does not fail; a half text would be refused by the scraper anyway.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The same in the OpenMetrics format, which has room for exemplars.
    #[must_use]
    pub fn render_openmetrics(&self) -> String {
        openmetrics::encode(&self.registry.gather(), &self.exemplars)
    }

    /// Pushes what has not been pushed, and stops.
    pub fn stop(&self) {
        self.provider.shutdown_with_timeout(Duration::from_secs(1)).ok();
    }
}

/// A call that is under way.
#[derive(Debug)]
pub struct Active<'a> {
    meters: &'a Meters,
    method: &'static str,
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.meters.calls_active.add(-1, &[KeyValue::new(names::RPC_METHOD, self.method)]);
    }
}

/// What there was too much of.
fn shed_reason(method: &str) -> &'static str {
    match method {
        "toolrouter.v1.ToolRouter/SelectTools" => "embed_queue",
        "toolrouter.v1.ToolRouter/RankTools" => "offers",
        "toolrouter.v1.ToolCatalog/WatchCatalog" => "watchers",
        "toolrouter.v1.ToolCatalog/RegisterTools" | "toolrouter.v1.ToolCatalog/SyncSource" => "registrations",
        _ => "other",
    }
}
