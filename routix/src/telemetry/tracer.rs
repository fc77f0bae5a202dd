//! Spans that go on with what began elsewhere, and where in a trace a task is: `traceparent` in both directions
//! (W3C Trace Context).

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanBuilder, SpanContext, TraceContextExt, TraceFlags, Tracer};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, Span};

const TRACEPARENT: &str = "traceparent";

/// Makes what a span names in its field `traceparent` its parent. What is no trace context is passed over.
#[derive(Debug)]
pub(super) struct ContinuingTracer(pub(super) SdkTracer);

impl Tracer for ContinuingTracer {
    type Span = Span;

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Span {
        match take_traceparent(&mut builder).and_then(|text| parse(&text)) {
            Some(remote) => self.0.build_with_context(builder, &parent.with_remote_span_context(remote)),
            None => self.0.build_with_context(builder, parent),
        }
    }
}

fn take_traceparent(builder: &mut SpanBuilder) -> Option<String> {
    let attributes = builder.attributes.as_mut()?;
    let index = attributes.iter().position(|attribute| attribute.key.as_str() == TRACEPARENT)?;
    match attributes.swap_remove(index).value {
        Value::String(text) => Some(text.into()),
        _ => None,
    }
}

pub(super) fn parse(text: &str) -> Option<SpanContext> {
    struct Header<'a>(&'a str);
    impl Extractor for Header<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == TRACEPARENT).then_some(self.0)
        }

        fn keys(&self) -> Vec<&str> {
            vec![TRACEPARENT]
        }
    }
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(text));
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

/// The caller's place in a trace; `None` where nothing is recorded.
pub fn traceparent() -> Option<String> {
    Context::map_current(|here| {
        if !here.has_active_span() {
            return None;
        }
        let span = here.span();
        let place = span.span_context();
        let flags = place.trace_flags() & TraceFlags::SAMPLED;
        place.is_valid().then(|| format!("00-{}-{}-{flags:02x}", place.trace_id(), place.span_id()))
    })
}
