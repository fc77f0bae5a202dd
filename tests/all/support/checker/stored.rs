//! The log, read as it is stored.

use serde_json::Value;
use sqlx::{PgPool, Row};
use uuid::Uuid;

/// A row of the log, as it is stored.
#[derive(Debug, Clone)]
pub struct Stored {
    pub position: i64,
    pub aggregate: String,
    pub id: String,
    pub sequence: i64,
    pub event: String,
    pub version: String,
    pub payload_text: String,
    pub payload: Value,
    pub metadata_text: String,
    pub metadata: Value,
    pub event_id: Uuid,
    pub owner: Option<Uuid>,
    pub recorded_us: i64,
    pub chain: Vec<u8>,
}

/// The log as it is stored.
pub async fn read_log(pool: &PgPool) -> Vec<Stored> {
    let rows = sqlx::query(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
                payload::text AS payload, metadata::text AS metadata, event_id, owner_id, \
                (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_us, chain \
         FROM events ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let (payload_text, metadata_text): (String, String) = (row.get("payload"), row.get("metadata"));
            Stored {
                position: row.get("position"),
                aggregate: row.get("aggregate_type"),
                id: row.get("aggregate_id"),
                sequence: row.get("sequence"),
                event: row.get("event_type"),
                version: row.get("event_version"),
                payload: serde_json::from_str(&payload_text).unwrap(),
                metadata: serde_json::from_str(&metadata_text).unwrap(),
                payload_text,
                metadata_text,
                event_id: row.get("event_id"),
                owner: row.get("owner_id"),
                recorded_us: row.get("recorded_us"),
                chain: row.get("chain"),
            }
        })
        .collect()
}

/// Whose command an event is of, and its id.
pub(super) fn person_and_command(event: &Stored) -> (Uuid, Uuid) {
    let actor = event.metadata["actor"].as_str().unwrap();
    let person = actor.split_once(':').and_then(|(_, id)| id.parse().ok()).unwrap_or(Uuid::nil());
    (person, event.metadata["command_id"].as_str().unwrap().parse().unwrap())
}
