//! Who wants a span, whose child it is, and what is told when nobody takes it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use opentelemetry::trace::{TraceContextExt, TraceFlags, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::dispatcher::with_default;
use tracing_subscriber::EnvFilter;

use super::collector::{Collector, WARN_EVERY};
use super::dispatch;
use super::tracer::{ContinuingTracer, parse, traceparent};
use event_log::trace::{TARGET, is_wanted};

/// Whether a callsite is switched off depends on every subscriber of the process: one test at a time has some.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A callsite that no subscriber has seen.
fn metadata_of_a_span() -> &'static tracing::Metadata<'static> {
    let span = tracing::subscriber::with_default(
        tracing_subscriber::registry(),
        || tracing::info_span!(target: TARGET, "of a trace"),
    );
    span.metadata().expect("the registry wants every span")
}

#[test]
fn a_span_that_nobody_wants_is_switched_off_where_it_is_opened() {
    let _alone = alone();
    let metadata = metadata_of_a_span();
    for wanted_of_the_log in ["info", "trace", "routix_trace=trace"] {
        let lines_only = dispatch(EnvFilter::new(wanted_of_the_log), false, None);
        assert!(lines_only.register_callsite(metadata).is_never(), "{wanted_of_the_log}");
        with_default(&lines_only, || {
            assert!(!is_wanted());
            assert_eq!(traceparent(), None);
        });
    }
    let provider = SdkTracerProvider::builder().build();
    let with_spans = dispatch(EnvFilter::new("off"), false, Some(&provider));
    assert!(!with_spans.register_callsite(metadata).is_never());
}

#[test]
fn a_task_is_where_its_span_is_and_its_span_goes_on_with_what_it_names() {
    let _alone = alone();
    let provider = SdkTracerProvider::builder().build();
    with_default(&dispatch(EnvFilter::new("off"), false, Some(&provider)), || {
        let outer = tracing::info_span!(target: TARGET, "outer", traceparent = PARENT);
        let (trace, span) = outer.in_scope(place);
        assert_eq!(trace, PARENT[3..35]);
        assert_ne!(span, PARENT[36..52]);
        let inner = outer.in_scope(|| tracing::info_span!(target: TARGET, "inner"));
        let (inner_trace, inner_span) = inner.in_scope(place);
        assert_eq!(inner_trace, trace);
        assert_ne!(inner_span, span);
        let broken = tracing::info_span!(target: TARGET, "outer", traceparent = "00-not-a-trace");
        assert_ne!(broken.in_scope(place).0, trace);
    });
}

/// Trace and span of where the caller is.
fn place() -> (String, String) {
    let text = traceparent().expect("the caller is in a span");
    let place = parse(&text).expect("it is a trace context");
    (place.trace_id().to_string(), place.span_id().to_string())
}

#[test]
fn what_the_caller_does_not_sample_is_not_sampled_but_keeps_its_trace() {
    let _alone = alone();
    let provider = SdkTracerProvider::builder().build();
    let tracer = ContinuingTracer(provider.tracer("test"));
    let unsampled = PARENT.replace("-01", "-00");
    let named = vec![KeyValue::new("traceparent", unsampled), KeyValue::new("kept", true)];
    let span = tracer.build(tracer.span_builder("quiet").with_attributes(named));
    let context = Context::new().with_span(span);
    let place = context.span().span_context().clone();
    assert_eq!(place.trace_id().to_string(), PARENT[3..35]);
    assert_eq!(place.trace_flags(), TraceFlags::default());
    assert!(!context.span().is_recording());
}

#[tokio::test]
async fn of_a_collector_that_is_away_the_log_tells_once_a_minute() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let collector = Collector::new(tokio::runtime::Handle::current()).unwrap();
    let first = Instant::now();
    assert!(collector.may_warn(first));
    assert!(!collector.may_warn(first + WARN_EVERY / 2));
    assert!(collector.may_warn(first + WARN_EVERY));
    assert!(!collector.may_warn(first + WARN_EVERY));
}
