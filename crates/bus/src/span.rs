//! What one step of a trace is and how long it took, told to a collector where one is set.
//!
//! Architecture Invariant: a span holds nothing of the customer and no secret: kinds, counts, ids of ours, and names of
//! rules. Its attributes have the names of OpenTelemetry's conventions.

use std::borrow::Cow;
use std::sync::OnceLock;

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::trace::SdkTracer;

pub use opentelemetry::trace::SpanKind;

use crate::TraceParent;

/// Who makes the spans of this process; unset where nobody collects them.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// A step of a trace. It ends when it is dropped.
#[derive(Debug)]
pub struct Span {
    own: TraceParent,
    told: Option<Box<opentelemetry_sdk::trace::Span>>,
}

impl Span {
    /// From now on, the spans of this process are told to a collector. Does nothing when it was called before.
    pub fn collect_with(tracer: SdkTracer) {
        if TRACER.set(tracer).is_err() {
            tracing::debug!("traces were collected before");
        }
    }

    /// Whether anybody collects spans.
    pub fn is_collected() -> bool {
        TRACER.get().is_some()
    }

    /// Begins a step of the trace of `parent`, or of a new one. Where nobody collects, it only hands on the trace.
    pub fn start(name: impl Into<Cow<'static, str>>, kind: SpanKind, parent: Option<&TraceParent>) -> Span {
        let Some(tracer) = TRACER.get() else {
            return Span { own: parent.cloned().unwrap_or_else(TraceParent::start), told: None };
        };
        let context = match parent.and_then(context_of) {
            Some(before) => Context::new().with_remote_span_context(before),
            None => Context::new(),
        };
        let span = tracer.build_with_context(tracer.span_builder(name).with_kind(kind), &context);
        // At the end of the process, when all was told, steps have no place of their own.
        let own = Some(span.span_context()).filter(|own| own.is_valid()).and_then(trace_parent);
        let own = own.or_else(|| parent.cloned()).unwrap_or_else(TraceParent::start);
        Span { own, told: Some(Box::new(span)) }
    }

    /// What the next step hands on as its parent.
    pub fn trace(&self) -> &TraceParent {
        &self.own
    }

    /// Says something about the step. Never words, numbers or names of customers.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.told {
            span.set_attribute(KeyValue::new(name, value));
        }
    }

    /// Says that the step failed, and by which kind of failure.
    pub fn failed(&mut self, kind: &'static str) {
        if let Some(span) = &mut self.told {
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(kind));
        }
    }

    /// An append to a stream, by the names of the conventions.
    pub(crate) fn append(destination: &'static str, parent: &TraceParent) -> Span {
        let mut span = Span::start("send EVENTS", SpanKind::Producer, Some(parent));
        span.set("messaging.system", "nats");
        span.set("messaging.operation.type", "send");
        span.set("messaging.destination.name", destination);
        span
    }

    /// What a consumer does about a message of EVENTS.
    pub fn process(consumer: &'static str, parent: Option<&TraceParent>) -> Span {
        let mut span = Span::start("process EVENTS", SpanKind::Consumer, parent);
        span.set("messaging.system", "nats");
        span.set("messaging.operation.type", "process");
        span.set("messaging.destination.name", "EVENTS");
        span.set("messaging.consumer.group.name", consumer);
        span
    }
}

fn context_of(parent: &TraceParent) -> Option<SpanContext> {
    let mut parts = parent.as_str().split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    let context = SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::default());
    context.is_valid().then_some(context)
}

fn trace_parent(context: &SpanContext) -> Option<TraceParent> {
    let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
    TraceParent::parse(&format!("00-{trace}-{span}-{flags:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_collector_a_span_hands_on_the_trace() {
        let parent = TraceParent::start();
        assert_eq!(Span::start("a step", SpanKind::Internal, Some(&parent)).trace(), &parent);
        assert_ne!(Span::start("a step", SpanKind::Internal, None).trace(), &parent);
    }

    #[test]
    fn a_trace_parent_is_the_same_there_and_back() {
        let parent = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap();
        assert_eq!(trace_parent(&context_of(&parent).unwrap()), Some(parent));
        let nobody = TraceParent::parse(&format!("00-{}-{}-01", "0".repeat(32), "0".repeat(16))).unwrap();
        assert!(context_of(&nobody).is_none());
    }
}
