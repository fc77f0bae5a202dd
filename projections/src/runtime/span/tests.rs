//! The applied events that traces show, and the failed ones among them.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use event_log::{EventLog, Position, RecordedEvent, clock};
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::{of_page, tell_failures};
use crate::runtime::halt::Halt;

const TRACED: &str = r#"{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#;

fn event(position: Position, metadata: &str, recorded_at: DateTime<Utc>) -> Arc<RecordedEvent> {
    Arc::new(RecordedEvent {
        position,
        aggregate_type: "jar".to_owned(),
        aggregate_id: "1".to_owned(),
        sequence: position.get(),
        event_type: "JarFilled".to_owned(),
        event_version: "1.0".to_owned(),
        payload: String::new(),
        metadata: metadata.to_owned(),
        event_id: clock::new_id(),
        owner_id: None,
        recorded_at,
        chain: vec![],
        authentication: vec![],
    })
}

/// Which spans were told to have failed, in order.
#[derive(Default, Clone)]
struct Failures(Arc<Mutex<Vec<Id>>>);

impl<S: tracing::Subscriber> Layer<S> for Failures {
    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        struct IsError(bool);
        impl Visit for IsError {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                self.0 |= field.name() == "otel.status_code" && format!("{value:?}") == "\"ERROR\"";
            }
        }
        let mut failed = IsError(false);
        values.record(&mut failed);
        if failed.0 {
            self.0.lock().unwrap().push(id.clone());
        }
    }
}

#[test]
fn only_new_events_of_a_trace_have_spans_and_none_when_nobody_wants_them() {
    let now = clock::now();
    let page = [
        event(Position::new(1), TRACED, now - TimeDelta::minutes(16)),
        event(Position::new(2), TRACED, now),
        event(Position::new(3), r#"{"actor":"anonymous"}"#, now),
        event(Position::new(4), TRACED, now),
    ];
    assert!(of_page("jars", &page).is_empty());
    tracing::subscriber::with_default(tracing_subscriber::registry(), || {
        let positions: Vec<Position> = of_page("jars", &page).iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [2, 4]);
    });
}

#[test]
fn an_event_that_was_parked_or_not_reached_is_told_as_failed() {
    let page: Vec<_> = (1..=4).map(|position| event(Position::new(position), TRACED, clock::now())).collect();
    let all_but_the_second = || {
        let kept = page.iter().filter(|event| event.position != 2);
        kept.map(|event| EventLog::unopened(event.clone())).collect()
    };
    let stopped_at = |position| Halt::Stopped { position, reason: "poison".to_owned() };
    let cases = [
        (Ok(all_but_the_second()), vec![2]),
        (Err(stopped_at(Position::new(3))), vec![3, 4]),
        (Err(Halt::Lost), vec![1, 2, 3, 4]),
    ];
    for (applied, expected) in cases {
        let failures = Failures::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(failures.clone()), || {
            let spans = of_page("jars", &page);
            tell_failures(&spans, &applied);
            let told = failures.0.lock().unwrap().clone();
            let failed = spans.iter().filter(|(_, span)| span.id().is_some_and(|id| told.contains(&id)));
            let positions: Vec<Position> = failed.map(|(position, _)| *position).collect();
            assert_eq!(positions, expected);
        });
    }
}
