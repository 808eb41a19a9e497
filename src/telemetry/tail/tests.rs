//! The tail against what it promises: all or nothing of a trace, within its bounds.

use std::collections::HashSet;

use opentelemetry::KeyValue;
use opentelemetry::trace::{TraceFlags, TraceState, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use proptest::prelude::*;
use tokio::sync::mpsc::error::TryRecvError;

use super::*;
use crate::telemetry::outlet::Queue;
use crate::telemetry::sampling::Head;

struct Stage {
    tracer: SdkTracer,
    queue: Queue,
    counts: Arc<Counts>,
    _provider: SdkTracerProvider,
}

fn stage(share: f64) -> Stage {
    let counts = Arc::new(Counts::new(Instant::now()));
    let (outlet, queue) = Outlet::new(Arc::clone(&counts));
    let tail = Tail::new(outlet, Arc::clone(&counts));
    let provider = SdkTracerProvider::builder().with_sampler(Head::new(share)).with_span_processor(tail).build();
    Stage { tracer: provider.tracer("test"), queue, counts, _provider: provider }
}

fn remote(trace: u128, sampled: bool) -> Context {
    let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    Context::new().with_remote_span_context(SpanContext::new(trace.into(), 7.into(), flags, true, TraceState::default()))
}

impl Stage {
    /// A call with `parts` spans below it; `reason` to keep it.
    fn call(&self, parent: &Context, parts: usize, reason: Option<&'static str>) {
        let call = Context::new().with_span(self.tracer.start_with_context("call", parent));
        for _ in 0..parts {
            self.tracer.start_with_context("part", &call).end();
        }
        if let Some(reason) = reason {
            call.span().set_attribute(KeyValue::new(names::SAMPLING_REASON, reason));
        }
        call.span().end();
    }

    fn exported(&mut self) -> Vec<SpanData> {
        let mut spans = Vec::new();
        loop {
            match self.queue.try_recv() {
                Ok(span) => spans.push(span),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return spans,
            }
        }
    }
}

#[test]
fn a_trace_with_a_reason_comes_whole_and_another_not_at_all() {
    let mut stage = stage(0.0);
    stage.call(&remote(1, false), 3, None);
    stage.call(&remote(2, false), 3, Some("slow"));
    stage.call(&Context::new(), 2, Some("error"));
    let spans = stage.exported();
    assert_eq!(spans.len(), 7);
    assert!(spans.iter().all(|span| span.span_context.is_sampled()), "back ends count on the flag");
    assert_eq!(stage.counts.unsampled_spans.get(), 4);
    assert_eq!(stage.counts.tail_spans.load(Ordering::Relaxed), 0);
}

#[test]
fn a_sampled_parent_is_followed_at_once() {
    let mut stage = stage(0.0);
    stage.call(&remote(1, true), 2, None);
    assert_eq!(stage.exported().len(), 3);
}

#[test]
fn calls_of_one_trace_share_their_fate_and_so_do_spans_that_end_late() {
    let mut stage = stage(0.0);
    let parent = remote(5, false);
    let long = Context::new().with_span(stage.tracer.start_with_context("call", &parent));
    stage.call(&parent, 1, Some("error"));
    let late = stage.tracer.start_with_context("late", &long);
    long.span().end();
    assert_eq!(stage.exported().len(), 3, "both calls and the part");
    drop(late);
    assert_eq!(stage.exported().len(), 1);
}

#[test]
fn what_waits_is_bounded_and_what_is_given_up_is_counted() {
    let mut stage = stage(0.0);
    let open: Vec<Context> = (1..=200_u128)
        .map(|trace| {
            let call = Context::new().with_span(stage.tracer.start_with_context("call", &remote(trace, false)));
            for _ in 0..MAX_SPANS_PER_TRACE + 10 {
                stage.tracer.start_with_context("part", &call).end();
            }
            call
        })
        .collect();
    let waiting = stage.counts.tail_spans.load(Ordering::Relaxed);
    assert!(waiting <= MAX_SPANS as u64, "{waiting}");
    let parts = 200 * (MAX_SPANS_PER_TRACE as u64 + 10);
    assert_eq!(stage.counts.lost(Loss::Spans) + waiting, parts, "each is kept or counted");
    for call in open {
        call.span().end();
    }
    assert_eq!(stage.counts.tail_spans.load(Ordering::Relaxed), 0);
    assert!(stage.exported().is_empty());
}

#[test]
fn one_call_that_goes_on_for_ever_makes_nothing_pile_up() {
    let counts = Arc::new(Counts::new(Instant::now()));
    let (outlet, _queue) = Outlet::new(Arc::clone(&counts));
    let tail = Arc::new(Tail::new(outlet, counts));
    let provider =
        SdkTracerProvider::builder().with_sampler(Head::new(0.0)).with_span_processor(Shared(Arc::clone(&tail))).build();
    let tracer = provider.tracer("test");
    let _long = tracer.start_with_context("call", &remote(1, false));
    for trace in 2..20_000 {
        drop(tracer.start_with_context("call", &remote(trace, false)));
    }
    let waiting = tail.waiting();
    assert_eq!(waiting.traces.len(), 1);
    assert!(waiting.order.len() <= MAX_DECIDED + 2, "{}", waiting.order.len());
}

/// A processor that the test can look into.
#[derive(Debug)]
struct Shared(Arc<Tail>);

impl SpanProcessor for Shared {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

proptest! {
    /// Against a plain model: a trace goes out whole if any of its calls had a reason or its parent was sampled.
    #[test]
    fn agrees_with_the_model(calls in prop::collection::vec((1_u128..6, 0_usize..4, prop::option::of(Just("error"))), 0..40)) {
        let mut stage = stage(0.0);
        let mut expected = 0;
        for (trace, parts, reason) in &calls {
            stage.call(&remote(*trace, false), *parts, *reason);
            // One after the other, each call is a trace of its own to the tail, but for what a kept one leaves known.
            if reason.is_some() {
                expected += parts + 1;
            }
        }
        let spans = stage.exported();
        prop_assert_eq!(spans.len(), expected);
        let all: usize = calls.iter().map(|(_, parts, _)| parts + 1).sum();
        prop_assert_eq!(stage.counts.unsampled_spans.get(), (all - expected) as u64);
        let ids: HashSet<_> = spans.iter().map(|span| span.span_context.span_id()).collect();
        prop_assert_eq!(ids.len(), spans.len());
    }
}
