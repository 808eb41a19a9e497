//! Exemplars of call durations: for each bucket of each method and status one trace that fell into it and was kept, the latest.
//!
//! OpenTelemetry's SDK for Rust has none yet, so they are kept beside its histogram and joined with it when they are shown. Only traces that
//! are exported are remembered: an exemplar that leads nowhere is worse than none.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::SpanContext;

use crate::telemetry::trace;

/// The histogram they are of, as Prometheus names it.
pub(super) const HISTOGRAM: &str = "rpc_server_call_duration_seconds";

/// A trace that fell into a bucket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exemplar {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    /// Seconds.
    pub(super) value: f64,
    /// Seconds since the Unix epoch.
    pub(super) at: f64,
}

/// Method and status: both are of closed sets, so this is bounded.
type Series = (&'static str, &'static str);

/// All of them.
#[derive(Debug)]
pub(super) struct Exemplars {
    bounds: Vec<f64>,
    latest: Mutex<HashMap<Series, Vec<Option<Exemplar>>>>,
}

impl Exemplars {
    pub(super) fn new(bounds: &[f64]) -> Self {
        Self { bounds: bounds.to_vec(), latest: Mutex::default() }
    }

    pub(super) fn put(&self, series: Series, took: Duration, ids: &SpanContext) {
        let value = took.as_secs_f64();
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let (trace_id, span_id) = trace::hex(ids);
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets = latest.entry(series).or_insert_with(|| vec![None; self.bounds.len() + 1]);
        if let Some(place) = buckets.get_mut(bucket) {
            *place = Some(Exemplar { trace_id, span_id, value, at });
        }
    }

    /// The one of the bucket that ends at `bound`.
    pub(super) fn get(&self, method: &str, status: &str, bound: f64) -> Option<Exemplar> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, buckets) = latest.iter().find(|((m, s), _)| *m == method && *s == status)?;
        buckets.get(self.bounds.partition_point(|b| *b < bound))?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_has_its_latest() {
        let exemplars = Exemplars::new(&[0.1, 0.5]);
        let put = |trace, ms| exemplars.put(("m", "OK"), Duration::from_millis(ms), &trace::context(trace, 7));
        put(1, 100);
        put(2, 300);
        put(3, 400);
        put(4, 9_000);
        let trace = |bound| exemplars.get("m", "OK", bound).map(|exemplar| exemplar.trace_id.trim_start_matches('0').to_owned());
        assert_eq!([0.1, 0.5, f64::INFINITY].map(trace), ["1", "3", "4"].map(|id| Some(id.to_owned())));
        assert_eq!(exemplars.get("m", "UNKNOWN", 0.1), None);
    }
}
