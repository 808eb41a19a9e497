//! Keeps the spans of traces that were not sampled until their calls are over, and then either exports all of them or forgets them.
//!
//! A trace is worth it when the span of one of its calls says so (`sampling.reason`, set where the call ends). All spans of a trace in this
//! process share the decision, those of other calls of the same trace too. What it may take is bounded: beyond that the oldest traces go, and
//! are counted.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceId};
use opentelemetry::{Context, trace::Span as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::counts::{Counts, Loss};
use super::outlet::Outlet;
use crate::spans::names;

/// Spans of one trace that are kept: a selection has ten, a sync of many changes some hundred.
const MAX_SPANS_PER_TRACE: usize = 256;
/// Spans of all traces that are kept: about 20 MB.
const MAX_SPANS: usize = 16_384;
/// Traces whose fate is remembered for spans that end after their call did.
const MAX_DECIDED: usize = 4_096;

/// The processor.
#[derive(Debug)]
pub(super) struct Tail {
    waiting: Mutex<Waiting>,
    outlet: Outlet,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Waiting {
    traces: HashMap<TraceId, Trace>,
    /// Oldest first. May name traces that are over.
    order: VecDeque<TraceId>,
    spans: usize,
    /// Traces that are over and were kept, oldest first.
    kept: VecDeque<TraceId>,
}

#[derive(Debug, Default)]
struct Trace {
    /// Calls of it that are not over.
    open: usize,
    keep: bool,
    spans: Vec<SpanData>,
}

impl Tail {
    pub(super) fn new(outlet: Outlet, counts: Arc<Counts>) -> Self {
        Self { waiting: Mutex::default(), outlet, counts }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nobody panics with it.
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether a call, and not a part of one, begins with this span.
fn begins(parent: &SpanContext) -> bool {
    !parent.is_valid() || parent.is_remote()
}

impl Waiting {
    /// Room for one more span: those of the oldest traces go. Gives how many spans went.
    fn make_room(&mut self) -> usize {
        let mut gone = 0;
        for _ in 0..self.order.len() {
            if self.spans < MAX_SPANS {
                break;
            }
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(trace) = self.traces.get_mut(&oldest) {
                gone += trace.spans.len();
                self.spans -= trace.spans.len();
                trace.spans = Vec::new();
                // It stays known until its calls are over, and what it has from now on may have to go as well.
                self.order.push_back(oldest);
            }
        }
        gone
    }

    /// Lets go of the places of traces that are over. Those at the front cost nothing; behind one that goes on for long they would pile up.
    fn tidy(&mut self) {
        while self.order.front().is_some_and(|id| !self.traces.contains_key(id)) {
            self.order.pop_front();
        }
        if 2 * self.traces.len() + MAX_DECIDED < self.order.len() {
            self.order.retain(|id| self.traces.contains_key(id));
        }
    }

    /// A trace whose calls are over: its spans if they are to go out, else how many they were.
    fn finish(&mut self, id: TraceId) -> Result<Vec<SpanData>, usize> {
        let Some(trace) = self.traces.remove(&id) else { return Err(0) };
        self.spans -= trace.spans.len();
        self.tidy();
        if !trace.keep {
            return Err(trace.spans.len());
        }
        if MAX_DECIDED <= self.kept.len() {
            self.kept.pop_front();
        }
        self.kept.push_back(id);
        Ok(trace.spans)
    }
}

impl SpanProcessor for Tail {
    fn on_start(&self, span: &mut Span, context: &Context) {
        let own = span.span_context();
        if own.is_sampled() || !begins(context.span().span_context()) {
            return;
        }
        let id = own.trace_id();
        let mut waiting = self.waiting();
        let waiting = &mut *waiting;
        let trace = waiting.traces.entry(id).or_insert_with(|| {
            waiting.order.push_back(id);
            Trace::default()
        });
        trace.open += 1;
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.outlet.put(span);
            return;
        }
        let id = span.span_context.trace_id();
        let is_call = span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote;
        let reason = is_call && span.attributes.iter().any(|attribute| attribute.key.as_str() == names::SAMPLING_REASON);
        let mut waiting = self.waiting();
        let gone = waiting.make_room();
        self.counts.lose(Loss::Spans, gone as u64, Instant::now());
        let Some(trace) = waiting.traces.get_mut(&id) else {
            // Its calls are over.
            let kept = waiting.kept.contains(&id);
            drop(waiting);
            if kept {
                self.outlet.put(sampled(span));
            } else {
                self.counts.unsampled_spans.add(1);
            }
            return;
        };
        trace.keep |= reason;
        let fits = trace.spans.len() < MAX_SPANS_PER_TRACE || is_call;
        if fits {
            trace.spans.push(span);
        } else {
            self.counts.lose(Loss::Spans, 1, Instant::now());
        }
        trace.open -= usize::from(is_call && 0 < trace.open);
        let is_over = trace.open == 0;
        waiting.spans += usize::from(fits);
        let over = is_over.then(|| waiting.finish(id));
        self.counts.tail_spans.store(waiting.spans as u64, Ordering::Relaxed);
        drop(waiting);
        match over {
            Some(Ok(spans)) => spans.into_iter().for_each(|span| self.outlet.put(sampled(span))),
            Some(Err(unsampled)) => self.counts.unsampled_spans.add(unsampled as u64),
            None => (),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// As if it had been sampled: back ends count on the flag.
fn sampled(mut span: SpanData) -> SpanData {
    let own = &span.span_context;
    let flags = own.trace_flags().with_sampled(true);
    span.span_context = SpanContext::new(own.trace_id(), own.span_id(), flags, own.is_remote(), own.trace_state().clone());
    span
}

#[cfg(test)]
mod tests;
