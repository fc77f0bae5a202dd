//! The spans of a unit: its commands, and the wait for the append.

use tracing::Span;
use tracing::field::Empty;

use super::committed::Committed;
use super::step::Step;
use crate::append::{AppendError, Appended};
use crate::trace::{self, TARGET};

/// The span of deciding and appending. It is named after its commands, as in `Hold+Request+Say`.
pub(super) fn of_commands<E>(steps: &[Box<dyn Step<E>>]) -> Span {
    if !trace::is_wanted() {
        return Span::none();
    }
    let (mut commands, mut aggregates) = (String::new(), String::new());
    for step in steps {
        for (text, separator) in [(&mut commands, "+"), (&mut aggregates, ",")] {
            if !text.is_empty() {
                text.push_str(separator);
            }
        }
        step.name_commands(&mut commands);
        aggregates.push_str(step.key().aggregate_type);
    }
    tracing::info_span!(
        target: TARGET,
        "command",
        otel.name = commands,
        routix.command = commands,
        routix.aggregate = aggregates,
        routix.outcome = Empty,
    )
}

/// Tells what became of the commands.
pub(super) fn tell<E>(span: &Span, result: &Result<Committed, E>) {
    let outcome = match result {
        Ok(committed) if committed.is_news() => "appended",
        Ok(committed) if committed.replayed => "replayed",
        Ok(_) => "unchanged",
        Err(_) => "refused",
    };
    span.record("routix.outcome", outcome);
}

/// The span of one append: the wait for the batch before, and the batch that the unit is in.
pub(super) fn of_append(events: usize) -> Span {
    tracing::info_span!(
        target: TARGET,
        "append",
        routix.events = events,
        routix.position.first = Empty,
        routix.position.last = Empty,
        routix.outcome = Empty,
        otel.status_code = Empty,
    )
}

/// Tells which positions the events have got.
pub(super) fn tell_append(span: &Span, appended: &Result<Appended, AppendError>) {
    let outcome = match appended {
        Ok(Appended::Stored { first, last }) => {
            span.record("routix.position.first", first.get());
            span.record("routix.position.last", last.get());
            "stored"
        }
        Ok(Appended::Duplicate { .. }) => "duplicate",
        Ok(Appended::Mismatch) => "mismatch",
        Ok(Appended::Conflict { .. }) => "conflict",
        Ok(Appended::Taken { .. }) => "taken",
        Err(_) => {
            span.record("otel.status_code", "ERROR");
            "failed"
        }
    };
    span.record("routix.outcome", outcome);
}
