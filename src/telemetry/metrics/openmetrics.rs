//! The OpenMetrics text format 1.0, which is Prometheus' own with stricter names and room for exemplars.
//!
//! The prometheus crate writes the older format only.

use std::fmt::Write;

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::exemplars::{Exemplar, Exemplars, HISTOGRAM};

/// Writes what was gathered.
pub(super) fn encode(families: &[MetricFamily], exemplars: &Exemplars) -> String {
    let mut text = String::new();
    for family in families {
        let kind = family.get_field_type();
        // A counter's name is without the `_total` of its samples, an info's without its `_info`.
        let (name, word) = match kind {
            MetricType::COUNTER => (family.name().strip_suffix("_total").unwrap_or(family.name()), "counter"),
            MetricType::GAUGE => match family.name().strip_suffix("_info") {
                Some(name) => (name, "info"),
                None => (family.name(), "gauge"),
            },
            MetricType::HISTOGRAM => (family.name(), "histogram"),
            MetricType::SUMMARY => (family.name(), "summary"),
            MetricType::UNTYPED => (family.name(), "unknown"),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "# TYPE {name} {word}");
        if !family.help().is_empty() {
            let _ = writeln!(text, "# HELP {name} {}", escaped(family.help()));
        }
        for metric in family.get_metric() {
            one(&mut text, name, kind, word, metric, exemplars);
        }
    }
    text.push_str("# EOF\n");
    text
}

fn one(text: &mut String, name: &str, kind: MetricType, word: &str, metric: &Metric, exemplars: &Exemplars) {
    let labels = metric.get_label();
    match kind {
        MetricType::COUNTER => sample(text, &format!("{name}_total"), labels, None, metric.get_counter().get_value(), None),
        MetricType::GAUGE if word == "info" => sample(text, &format!("{name}_info"), labels, None, 1.0, None),
        MetricType::GAUGE => sample(text, name, labels, None, metric.get_gauge().get_value(), None),
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            let mut has_infinity = false;
            for bucket in histogram.get_bucket() {
                let bound = bucket.upper_bound();
                has_infinity |= bound.is_infinite();
                let exemplar = exemplar(exemplars, name, labels, bound);
                sample(text, &format!("{name}_bucket"), labels, Some(bound), bucket.cumulative_count() as f64, exemplar);
            }
            let count = histogram.get_sample_count() as f64;
            if !has_infinity {
                let exemplar = exemplar(exemplars, name, labels, f64::INFINITY);
                sample(text, &format!("{name}_bucket"), labels, Some(f64::INFINITY), count, exemplar);
            }
            sample(text, &format!("{name}_count"), labels, None, count, None);
            sample(text, &format!("{name}_sum"), labels, None, histogram.get_sample_sum(), None);
        }
        // None of ours is either.
        MetricType::SUMMARY | MetricType::UNTYPED => (),
    }
}

fn exemplar(exemplars: &Exemplars, name: &str, labels: &[LabelPair], bound: f64) -> Option<Exemplar> {
    let label = |wanted: &str| labels.iter().find(|label| label.name() == wanted).map(LabelPair::value);
    (name == HISTOGRAM).then(|| exemplars.get(label("rpc_method")?, label("rpc_response_status_code")?, bound)).flatten()
}

fn sample(text: &mut String, name: &str, labels: &[LabelPair], bound: Option<f64>, value: f64, exemplar: Option<Exemplar>) {
    text.push_str(name);
    let bound = bound.map(|bound| ("le", number(bound)));
    let pairs = labels.iter().map(|label| (label.name(), escaped(label.value())));
    let mut before = '{';
    for (label, value) in pairs.chain(bound) {
        let _ = write!(text, "{before}{label}=\"{value}\"");
        before = ',';
    }
    if before == ',' {
        text.push('}');
    }
    let _ = write!(text, " {}", number(value));
    if let Some(Exemplar { trace_id, span_id, value, at }) = exemplar {
        let _ = write!(text, " # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} {value} {at:.3}");
    }
    text.push('\n');
}

fn number(value: f64) -> String {
    if value.is_infinite() { if 0.0 < value { "+Inf".into() } else { "-Inf".into() } } else { value.to_string() }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Registry};

    use super::*;
    use crate::telemetry::trace;

    #[test]
    fn names_types_labels_and_exemplars() {
        let registry = Registry::new();
        let counter = IntCounter::with_opts(Opts::new("calls_total", "Calls.").const_label("who", "a\"b\\c\nd")).unwrap();
        let gauge = IntGauge::new("waiting", "Waiting.").unwrap();
        let info = IntGauge::with_opts(Opts::new("build_info", "Build.").const_label("version", "1")).unwrap();
        let labels = [("rpc_method", "m"), ("rpc_response_status_code", "OK")];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let options = HistogramOpts::new(HISTOGRAM, "Durations.").buckets(vec![0.1, 0.5]).const_labels(labels);
        let histogram = Histogram::with_opts(options).unwrap();
        counter.inc_by(3);
        histogram.observe(0.25);
        registry.register(Box::new(counter)).unwrap();
        registry.register(Box::new(gauge)).unwrap();
        registry.register(Box::new(info)).unwrap();
        registry.register(Box::new(histogram)).unwrap();
        let exemplars = Exemplars::new(&[0.1, 0.5]);
        exemplars.put(("m", "OK"), Duration::from_millis(250), &trace::context(0xab, 0xcd));
        let text = encode(&registry.gather(), &exemplars);
        let shown: Vec<String> = text.lines().map(|line| line.split(" 0.25 ").next().unwrap_or_default().to_owned()).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        # TYPE build info
        # HELP build Build.
        build_info{version="1"} 1
        # TYPE calls counter
        # HELP calls Calls.
        calls_total{who="a\"b\\c\nd"} 3
        # TYPE rpc_server_call_duration_seconds histogram
        # HELP rpc_server_call_duration_seconds Durations.
        rpc_server_call_duration_seconds_bucket{rpc_method="m",rpc_response_status_code="OK",le="0.1"} 0
        rpc_server_call_duration_seconds_bucket{rpc_method="m",rpc_response_status_code="OK",le="0.5"} 1 # {trace_id="000000000000000000000000000000ab",span_id="00000000000000cd"}
        rpc_server_call_duration_seconds_bucket{rpc_method="m",rpc_response_status_code="OK",le="+Inf"} 1
        rpc_server_call_duration_seconds_count{rpc_method="m",rpc_response_status_code="OK"} 1
        rpc_server_call_duration_seconds_sum{rpc_method="m",rpc_response_status_code="OK"} 0.25
        # TYPE waiting gauge
        # HELP waiting Waiting.
        waiting 0
        # EOF
        "#);
    }
}
