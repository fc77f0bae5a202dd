//! The spans of applied events, each in the trace of the command that wrote the event.
//!
//! Events are applied by the page, but a span of a page could only be linked with their traces, and collectors
//! find nothing by a link. So each event has a span, which lasts as long as its page. Where nobody wants spans,
//! an event costs nothing: its metadata is not looked at.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_log::{OpenedEvent, Position, RecordedEvent, trace};
use tracing::Span;
use tracing::field::Empty;

use super::halt::Halt;

/// The span of the event at a position.
pub(super) type EventSpan = (Position, Span);

/// Opens the spans of a page; they end when they are dropped. What was written outside of any trace, or long ago,
/// has none.
pub(super) fn of_page(projection: &str, events: &[Arc<RecordedEvent>]) -> Vec<EventSpan> {
    if !trace::is_wanted() {
        return vec![];
    }
    let recent = events.iter().filter(|event| trace::is_recent(event.recorded_at));
    let traced = recent.filter_map(|event| {
        let traceparent = event.traceparent()?;
        let span = tracing::info_span!(
            target: trace::TARGET,
            "apply",
            traceparent,
            otel.name = format!("{projection} {}", event.event_type),
            otel.kind = "consumer",
            otel.status_code = Empty,
            routix.projection = projection,
            routix.event_type = event.event_type,
            routix.position = event.position.get(),
        );
        Some((event.position, span))
    });
    traced.collect()
}

/// Tells which events were not applied: they are parked, or will be tried again.
pub(super) fn tell_failures(spans: &[EventSpan], applied: &Result<Vec<OpenedEvent>, Halt>) {
    for (position, span) in spans {
        let failed = match applied {
            Ok(events) => events.binary_search_by_key(position, |event| event.recorded.position).is_err(),
            Err(Halt::Stopped { position: stopped, .. }) => position >= stopped,
            Err(Halt::Lost | Halt::Failed(_)) => true,
        };
        if failed {
            span.record("otel.status_code", "ERROR");
        }
    }
}
