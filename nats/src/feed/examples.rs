//! Histories for the tests of the feed, and a log that nobody can ask.

use std::sync::Arc;

use event_log::{EventLog, LogKeys, LogOptions, MasterKey, Position, RecordedEvent, chain_of};
use sqlx::postgres::PgPoolOptions;

/// A history of so many events, each linked to the one before it. Another `payload` makes another history.
pub(super) fn history(payload: &str, length: i64) -> Vec<Arc<RecordedEvent>> {
    let mut chain = vec![0; 32];
    let events = (1..=length).map(|number| {
        let mut event = RecordedEvent {
            position: Position::new(number),
            aggregate_type: "jar".to_owned(),
            aggregate_id: "1".to_owned(),
            sequence: number,
            event_type: "Filled".to_owned(),
            event_version: "1.0".to_owned(),
            payload: payload.to_owned(),
            metadata: "{}".to_owned(),
            event_id: uuid::Uuid::nil(),
            owner_id: None,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            chain: vec![],
            authentication: vec![],
        };
        event.authentication = keys().authenticator().of_event(&event.digest()).to_vec();
        event.chain = chain_of(&chain, &event).to_vec();
        chain.clone_from(&event.chain);
        Arc::new(event)
    });
    events.collect()
}

/// A log whose database does not exist: a test that asks it fails.
pub(super) fn unreachable_log() -> EventLog {
    let pool = PgPoolOptions::new().connect_lazy("postgres://localhost:1/nowhere").unwrap();
    EventLog::start(pool, &keys(), &LogOptions::default())
}

fn keys() -> LogKeys {
    MasterKey::from_secret(b"a secret of tests").first_keys(uuid::Uuid::nil())
}

pub(super) fn positions(events: &[Arc<RecordedEvent>]) -> Vec<Position> {
    events.iter().map(|event| event.position).collect()
}
