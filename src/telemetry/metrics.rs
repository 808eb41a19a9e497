//! Every instrument, in one struct. Units go through the API: the exporter writes `_seconds` and `_total` itself.
//!
//! Label values are closed sets. No tenant and no tool name is a label: their number has no bound.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};

use crate::index::Engine;
use crate::outcomes::{Counted, Refusal};
use crate::select::{Answer, NoMatch, Reranked, Trace};
use crate::sources::Status;

/// From 10 µs, since all but the embedding takes less than a millisecond, to 10 s.
const SECONDS: [f64; 19] =
    [1e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0];

/// What gauges look at when they are read.
pub struct Watched {
    /// Enabled tools over all tenants.
    pub enabled_tools: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Disabled tools over all tenants.
    pub disabled_tools: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Tools that a graph covers, over all tenants.
    pub graph_tools: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Recall@10 of graph searches against exact ones; nothing before the first check.
    pub shadow_recall: Box<dyn Fn() -> Option<f64> + Send + Sync>,
    /// Queries waiting for a worker.
    pub embed_waiting: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Texts embedded so far: queries, and tools' texts.
    pub embedded: Box<dyn Fn() -> (u64, u64) + Send + Sync>,
    /// Whether the store answered when it was last asked.
    pub store_answers: Box<dyn Fn() -> bool + Send + Sync>,
    /// How configured sources are doing.
    pub sources: Arc<dyn Fn() -> Vec<Status> + Send + Sync>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

/// The instruments.
#[derive(Debug)]
pub struct Meters {
    registry: Registry,
    provider: SdkMeterProvider,
    call_duration: Histogram<f64>,
    stage_duration: Histogram<f64>,
    selections: Counter<u64>,
    reranks: Counter<u64>,
    no_match: Counter<u64>,
    tokens: Counter<u64>,
    tools: Histogram<u64>,
    outcomes: Counter<u64>,
    refused_outcomes: Counter<u64>,
}

/// The exporter could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("metrics could not be set up: {0}")]
pub struct MetersError(String);

impl Meters {
    /// Sets up the instruments and their Prometheus form.
    ///
    /// # Errors
    /// A name is registered twice: a build fault.
    pub fn new() -> Result<Self, MetersError> {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(|e| MetersError(e.to_string()))?;
        let provider = SdkMeterProvider::builder().with_reader(exporter).build();
        let meter = provider.meter("tool-router");
        let seconds = |name: &'static str, description: &'static str| {
            meter.f64_histogram(name).with_unit("s").with_description(description).with_boundaries(SECONDS.to_vec()).build()
        };
        let counter = |name: &'static str, unit: &'static str, description: &'static str| {
            meter.u64_counter(name).with_unit(unit).with_description(description).build()
        };
        Ok(Self {
            call_duration: seconds("rpc.server.call.duration", "Duration of gRPC calls."),
            stage_duration: seconds("toolrouter.select.stage.duration", "Duration of a selection's stages."),
            selections: counter(
                "toolrouter.selections",
                "{selection}",
                "Selections answered, by mode, engine and what was known from before.",
            ),
            reranks: counter("toolrouter.reranks", "{selection}", "Selections that a reranker was asked about, by outcome."),
            no_match: counter("toolrouter.no_match", "{selection}", "Selections that returned no tool, by reason."),
            tokens: counter("toolrouter.tokens", "{token}", "Tokens of tool lists: eligible at FULL, returned, saved."),
            tools: meter
                .u64_histogram("toolrouter.select.tools")
                .with_unit("{tool}")
                .with_description("Tools returned by a selection.")
                .with_boundaries(vec![0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 50.0, 100.0, 200.0])
                .build(),
            outcomes: counter("toolrouter.outcomes", "{outcome}", "Reported calls of tools, by how they went."),
            refused_outcomes: counter(
                "toolrouter.outcomes.refused",
                "{outcome}",
                "Reported calls that are in no count, or in none that is kept, by reason.",
            ),
            registry,
            provider,
        })
    }

    /// Lets gauges look at live state.
    pub fn watch(&self, watched: Watched) {
        let meter = self.provider.meter("tool-router");
        super::sources::watch(&meter, Arc::clone(&watched.sources));
        let watched = Arc::new(watched);
        let tools = Arc::clone(&watched);
        meter
            .u64_observable_gauge("toolrouter.catalog.tools")
            .with_unit("{tool}")
            .with_description("Registered tools, by state.")
            .with_callback(move |gauge| {
                gauge.observe((tools.enabled_tools)(), &[KeyValue::new("state", "enabled")]);
                gauge.observe((tools.disabled_tools)(), &[KeyValue::new("state", "disabled")]);
            })
            .build();
        let graph = Arc::clone(&watched);
        meter
            .u64_observable_gauge("toolrouter.index.graph.tools")
            .with_unit("{tool}")
            .with_description("Tools that a graph covers; the others are compared one by one.")
            .with_callback(move |gauge| gauge.observe((graph.graph_tools)(), &[]))
            .build();
        let store = Arc::clone(&watched);
        meter
            // Without a unit: Prometheus would call it a ratio.
            .u64_observable_gauge("toolrouter.store.up")
            .with_description("1 while the store answers; 0 while selections go on without it and registrations fail.")
            .with_callback(move |gauge| gauge.observe(u64::from((store.store_answers)()), &[]))
            .build();
        let recall = Arc::clone(&watched);
        meter
            .f64_observable_gauge("toolrouter.index.recall")
            .with_unit("1")
            .with_description("Recall at 10 of graph searches against exact ones, over the last shadow queries.")
            .with_callback(move |gauge| {
                if let Some(mean) = (recall.shadow_recall)() {
                    gauge.observe(mean, &[]);
                }
            })
            .build();
        let texts = Arc::clone(&watched);
        meter
            .u64_observable_counter("toolrouter.embed.texts")
            .with_unit("{text}")
            .with_description("Texts the model was run on, by lane.")
            .with_callback(move |counter| {
                let (queries, passages) = (texts.embedded)();
                counter.observe(queries, &[KeyValue::new("lane", "query")]);
                counter.observe(passages, &[KeyValue::new("lane", "registration")]);
            })
            .build();
        meter
            .u64_observable_gauge("toolrouter.embed.waiting")
            .with_unit("{query}")
            .with_description("Queries waiting for an embed worker.")
            .with_callback(move |gauge| gauge.observe((watched.embed_waiting)(), &[]))
            .build();
    }

    /// Records a call.
    pub fn call(&self, method: &'static str, status: &'static str, took: Duration) {
        let labels = [
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", method),
            KeyValue::new("rpc.response.status_code", status),
        ];
        self.call_duration.record(took.as_secs_f64(), &labels);
    }

    /// Records a selection.
    pub fn selection(&self, answer: &Answer, trace: &Trace) {
        for (stage, took) in &trace.stages {
            self.stage_duration.record(took.as_secs_f64(), &[KeyValue::new("stage", stage.name())]);
        }
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
        self.tools.record(answer.tools.len() as u64, &[]);
        let kinds = [
            ("eligible", answer.usage.eligible_tokens),
            ("returned", u64::from(answer.usage.returned.0)),
            ("saved", answer.usage.saved()),
        ];
        for (kind, tokens) in kinds {
            self.tokens.add(tokens, &[KeyValue::new("kind", kind)]);
        }
        if let Some(no_match) = &answer.no_match {
            let reason = match no_match {
                NoMatch::EmptyCatalog { .. } => "empty_catalog",
                NoMatch::EmptyScope { .. } => "empty_scope",
                NoMatch::NothingRelevant => "nothing_relevant",
                NoMatch::LowConfidence { .. } => "low_confidence",
                NoMatch::OverBudget { .. } => "over_budget",
            };
            self.no_match.add(1, &[KeyValue::new("reason", reason)]);
        }
    }

    /// Records a call that was reported.
    pub fn outcome(&self, counted: &Counted) {
        self.outcomes.add(1, &[KeyValue::new("outcome", counted.outcome.name())]);
    }

    /// Records reported calls that are not counted, or not kept.
    pub fn outcome_refused(&self, refusal: Refusal, outcomes: u64) {
        self.refused_outcomes.add(outcomes, &[KeyValue::new("reason", refusal.name())]);
    }

    /// Everything in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory does not fail; a half text would be refused by the scraper anyway.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}
