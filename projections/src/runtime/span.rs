//! The spans of applied events, each in the trace of the command that wrote the event.
//!
//! Events are applied by the page, but a span of a page could only be linked with their traces, and collectors
//! find nothing by a link. So each event has a span, which lasts as long as its page. Where nobody wants spans,
//! an event costs nothing: its metadata is not looked at.

use std::sync::Arc;

use chrono::TimeDelta;
use event_log::{RecordedEvent, clock, trace};
use tracing::Span;
use tracing::field::Empty;

/// Older events are not told: whoever catches up with years of them would bury the traces of today.
const AGE_MAX: TimeDelta = TimeDelta::minutes(15);

/// Opens the spans of a page; they end when they are dropped. What was written outside of any trace has none.
pub(super) fn of_page(projection: &str, events: &[Arc<RecordedEvent>]) -> Vec<Span> {
    if !trace::is_wanted() {
        return vec![];
    }
    let oldest = clock::now() - AGE_MAX;
    let traced = events.iter().filter(|event| event.recorded_at >= oldest).filter_map(|event| {
        let traceparent = event.traceparent()?;
        Some(tracing::info_span!(
            target: trace::TARGET,
            "apply",
            traceparent,
            otel.name = format!("{projection} {}", event.event_type),
            otel.kind = "consumer",
            otel.status_code = Empty,
            routix.projection = projection,
            routix.event_type = event.event_type,
            routix.position = event.position,
        ))
    });
    traced.collect()
}

/// Tells that the page was not applied; it will be tried again.
pub(super) fn tell_failure(spans: &[Span]) {
    for span in spans {
        span.record("otel.status_code", "ERROR");
    }
}
