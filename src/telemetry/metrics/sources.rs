//! Gauges of configured sources. The source's name is a label here: there are as many as the configuration lists.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::sources::{State, Status};

/// Lets gauges look at sources whenever they are read.
pub(super) fn watch(meter: &Meter, list: Arc<dyn Fn() -> Vec<Status> + Send + Sync>) {
    let name = |status: &Status| KeyValue::new("source", status.source.clone());
    let look = Arc::clone(&list);
    meter
        .u64_observable_gauge("toolrouter.source.state")
        // Not "1", which the exporter spells out as `_ratio`.
        .with_unit("{source}")
        .with_description("1 for the state that a source is in, 0 for the others.")
        .with_callback(move |gauge| {
            for status in look() {
                for state in State::ALL {
                    gauge.observe(u64::from(status.state == state), &[name(&status), KeyValue::new("state", state.name())]);
                }
            }
        })
        .build();
    let look = Arc::clone(&list);
    meter
        .u64_observable_gauge("toolrouter.source.tools")
        .with_unit("{tool}")
        .with_description("Tools of a source in the catalogue.")
        .with_callback(move |gauge| look().iter().for_each(|status| gauge.observe(status.tools as u64, &[name(status)])))
        .build();
    let look = Arc::clone(&list);
    meter
        .u64_observable_gauge("toolrouter.source.refused_tools")
        .with_unit("{tool}")
        .with_description("Tools of a source's last list that were left out.")
        .with_callback(move |gauge| look().iter().for_each(|status| gauge.observe(status.left_out.len() as u64, &[name(status)])))
        .build();
    let look = Arc::clone(&list);
    meter
        .f64_observable_gauge("toolrouter.source.age")
        .with_unit("s")
        .with_description("Time since a source's last good list was applied; absent before the first.")
        .with_callback(move |gauge| {
            for status in look() {
                if let Some(age) = status.age {
                    gauge.observe(age.as_secs_f64(), &[name(&status)]);
                }
            }
        })
        .build();
    meter
        .u64_observable_counter("toolrouter.source.syncs")
        .with_unit("{sync}")
        .with_description("Tries to sync a source, by outcome; a held list counts as a success of its server.")
        .with_callback(move |counter| {
            for status in list() {
                let outcome = |outcome: &'static str| [name(&status), KeyValue::new("outcome", outcome)];
                counter.observe(status.syncs - status.failed_syncs, &outcome("success"));
                counter.observe(status.failed_syncs, &outcome("failure"));
            }
        })
        .build();
}
