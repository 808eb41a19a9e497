//! Which traces are exported from the start, and which are only looked at until it is known whether they were worth it.
//!
//! A sampler that drops cannot be asked afterwards for the traces of errors: nobody recorded them. So nothing is dropped here. A trace that
//! the head does not choose is recorded without its sampled flag, and the tail decides at its end (`tail.rs`).

use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceId, TraceState};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// Follows the parent where there is one, and chooses this share of the others by trace id, so that all routers choose alike.
#[derive(Clone, Debug)]
pub(super) struct Head {
    share: Sampler,
}

impl Head {
    pub(super) fn new(share: f64) -> Self {
        Self { share: Sampler::TraceIdRatioBased(share) }
    }
}

impl ShouldSample for Head {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|context| context.span().span_context().clone()).filter(SpanContext::is_valid);
        let chosen = match &parent {
            Some(parent) => parent.is_sampled(),
            None => {
                let share = self.share.should_sample(None, trace, name, kind, attributes, links);
                share.decision == SamplingDecision::RecordAndSample
            }
        };
        SamplingResult {
            decision: if chosen { SamplingDecision::RecordAndSample } else { SamplingDecision::RecordOnly },
            attributes: Vec::new(),
            trace_state: parent.map_or_else(TraceState::default, |parent| parent.trace_state().clone()),
        }
    }
}
