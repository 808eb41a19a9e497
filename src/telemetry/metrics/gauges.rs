//! Figures that are looked up when somebody asks, not kept up to date meanwhile.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use super::super::{Loss, logs};
use crate::embed::ModelInfo;
use crate::sources::Status;

/// What a cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheSize {
    /// Values.
    pub entries: u64,
    /// Bytes, keys included.
    pub bytes: u64,
}

/// A look at something that changes.
type Look<T> = Box<dyn Fn() -> T + Send + Sync>;

/// What gauges look at when they are read.
pub struct Watched {
    /// Enabled tools over all tenants.
    pub enabled_tools: Look<u64>,
    /// Disabled tools over all tenants.
    pub disabled_tools: Look<u64>,
    /// Tools that a graph covers, over all tenants.
    pub graph_tools: Look<u64>,
    /// Tools in deltas, over all tenants.
    pub delta_tools: Look<u64>,
    /// Merges of deltas so far, and whether one is under way.
    pub merges: Look<(u64, bool)>,
    /// Number of the default tenant's version.
    pub version: Look<u64>,
    /// Changes that the store has and this router does not serve yet.
    pub lag: Look<u64>,
    /// Recall@10 of graph searches against exact ones; nothing before the first check.
    pub shadow_recall: Look<Option<f64>>,
    /// Queries waiting for a worker.
    pub embed_waiting: Look<u64>,
    /// Texts embedded so far: queries, and tools' texts.
    pub embedded: Look<(u64, u64)>,
    /// Known answers and known vectors.
    pub caches: Look<[(&'static str, CacheSize); 2]>,
    /// Replay records that were written, dropped and failed to be written, and the bytes of their file.
    pub records: Look<[u64; 4]>,
    /// Whether the store answered when it was last asked.
    pub store_answers: Look<bool>,
    /// How configured sources are doing.
    pub sources: Arc<dyn Fn() -> Vec<Status> + Send + Sync>,
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched")
    }
}

/// Lets gauges look whenever they are read.
pub(super) fn watch(meter: &Meter, watched: Watched) {
    super::sources::watch(meter, Arc::clone(&watched.sources));
    let Watched { enabled_tools, disabled_tools, graph_tools, delta_tools, merges, version, lag, .. } = watched;
    let Watched { shadow_recall, embed_waiting, embedded, caches, records, store_answers, .. } = watched;
    meter
        .u64_observable_gauge("toolrouter.catalog.tools")
        .with_unit("{tool}")
        .with_description("Registered tools, by state.")
        .with_callback(move |gauge| {
            gauge.observe(enabled_tools(), &[KeyValue::new("state", "enabled")]);
            gauge.observe(disabled_tools(), &[KeyValue::new("state", "disabled")]);
        })
        .build();
    let gauge = |name: &'static str, unit: &'static str, description: &'static str, look: Look<u64>| {
        meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(move |gauge| gauge.observe(look(), &[]))
            .build();
    };
    gauge("toolrouter.catalog.version", "{change}", "Changes of the default tenant's catalogue so far.", version);
    gauge("toolrouter.catalog.lag", "{change}", "Changes that the store has and this router does not serve yet.", lag);
    gauge(
        "toolrouter.index.graph.tools",
        "{tool}",
        "Tools that a graph covers; the others are compared one by one.",
        graph_tools,
    );
    gauge("toolrouter.index.delta.tools", "{tool}", "Tools that came since the index was last merged.", delta_tools);
    // Without a unit: Prometheus would call it a ratio.
    gauge(
        "toolrouter.store.up",
        "",
        "1 while the store answers; 0 while selections go on without it and registrations fail.",
        Box::new(move || u64::from(store_answers())),
    );
    gauge("toolrouter.embed.waiting", "{query}", "Queries waiting for an embed worker.", embed_waiting);
    let merges = Arc::new(merges);
    let looked = Arc::clone(&merges);
    gauge(
        "toolrouter.index.merging",
        "",
        "1 while an index is merged or a graph is built in the background.",
        Box::new(move || u64::from(looked().1)),
    );
    meter
        .u64_observable_counter("toolrouter.index.merges")
        .with_unit("{merge}")
        .with_description("Merges of indexes and building of graphs that are done.")
        .with_callback(move |counter| counter.observe(merges().0, &[]))
        .build();
    meter
        .f64_observable_gauge("toolrouter.index.recall")
        .with_unit("1")
        .with_description("Recall at 10 of graph searches against exact ones, over the last shadow queries.")
        .with_callback(move |gauge| {
            if let Some(mean) = shadow_recall() {
                gauge.observe(mean, &[]);
            }
        })
        .build();
    meter
        .u64_observable_counter("toolrouter.embed.texts")
        .with_unit("{text}")
        .with_description("Texts the model was run on, by lane.")
        .with_callback(move |counter| {
            let (queries, passages) = embedded();
            counter.observe(queries, &[KeyValue::new("lane", "query")]);
            counter.observe(passages, &[KeyValue::new("lane", "registration")]);
        })
        .build();
    cached(meter, caches);
    recorded(meter, records);
    own(meter);
}

fn cached(meter: &Meter, look: Look<[(&'static str, CacheSize); 2]>) {
    let look = Arc::new(look);
    let looked = Arc::clone(&look);
    meter
        .u64_observable_gauge("toolrouter.cache.entries")
        .with_unit("{entry}")
        .with_description("Answers and query vectors that are remembered.")
        .with_callback(move |gauge| {
            looked().iter().for_each(|(cache, size)| gauge.observe(size.entries, &[KeyValue::new("cache", *cache)]));
        })
        .build();
    meter
        .u64_observable_gauge("toolrouter.cache.bytes")
        .with_unit("{byte}")
        .with_description("Bytes of answers and query vectors that are remembered.")
        .with_callback(move |gauge| {
            look().iter().for_each(|(cache, size)| gauge.observe(size.bytes, &[KeyValue::new("cache", *cache)]));
        })
        .build();
}

/// The ring of replay records.
fn recorded(meter: &Meter, look: Look<[u64; 4]>) {
    let look = Arc::new(look);
    let looked = Arc::clone(&look);
    meter
        .u64_observable_counter("toolrouter.replay.records")
        .with_unit("{record}")
        .with_description(
            "Replay records by what became of them; dropped ones had no room to wait, failed ones were not written.",
        )
        .with_callback(move |counter| {
            let counts = looked();
            for (outcome, count) in ["written", "dropped", "failed"].into_iter().zip(counts) {
                counter.observe(count, &[KeyValue::new("outcome", outcome)]);
            }
        })
        .build();
    meter
        .u64_observable_gauge("toolrouter.replay.bytes")
        .with_unit("{byte}")
        .with_description("Size of the file of replay records.")
        .with_callback(move |gauge| {
            let [.., bytes] = look();
            gauge.observe(bytes, &[]);
        })
        .build();
}

/// What became of the telemetry itself.
fn own(meter: &Meter) {
    let counts = logs::counts();
    let looked = Arc::clone(&counts);
    meter
        .u64_observable_counter("toolrouter.telemetry.spans")
        .with_unit("{span}")
        .with_description("Spans by what became of them; unsampled ones are no loss, dropped and failed ones are.")
        .with_callback(move |counter| {
            let outcomes = [
                ("exported", looked.exported_spans.get()),
                ("unsampled", looked.unsampled_spans.get()),
                ("dropped", looked.lost(Loss::Spans).saturating_sub(looked.failed_spans.get())),
                ("failed", looked.failed_spans.get()),
            ];
            outcomes.iter().for_each(|(outcome, count)| counter.observe(*count, &[KeyValue::new("outcome", *outcome)]));
        })
        .build();
    let looked = Arc::clone(&counts);
    meter
        .u64_observable_gauge("toolrouter.telemetry.tail.spans")
        .with_unit("{span}")
        .with_description("Spans that wait for the end of their trace.")
        .with_callback(move |gauge| gauge.observe(looked.tail_spans.load(Ordering::Relaxed), &[]))
        .build();
    meter
        .u64_observable_counter("toolrouter.log.held_back")
        .with_unit("{line}")
        .with_description("Log lines that were held back because they repeat.")
        .with_callback(move |counter| counter.observe(counts.held_back_log_lines.get(), &[]))
        .build();
}

/// Which build and model this is.
pub(super) fn build(meter: &Meter, info: &ModelInfo) {
    let labels = [
        KeyValue::new("version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("model", info.id.clone()),
        KeyValue::new("numerics", info.numerics.clone()),
    ];
    meter
        .u64_observable_gauge("toolrouter.build.info")
        .with_description("1, with the build and its model as labels.")
        .with_callback(move |gauge| gauge.observe(1, &labels))
        .build();
}
