//! Reads `history`, and what the events say from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_log::{EventLog, LogError, OpenedEvent, Position};
use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::NAME;
use super::shown::{plain, without_secrets};
use crate::{Cursor, Fresh, PAGE_ROWS_MAX, Reader, Wanted};

/// An event without its content.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Entry {
    pub position: Position,
    pub event_id: Uuid,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub owner_id: Option<Uuid>,
    /// `user:<id>`, `admin:<id>`, `process:<name>` or `anonymous`.
    pub actor: String,
    pub command_id: Option<Uuid>,
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Uuid>,
    pub recorded_at: DateTime<Utc>,
}

/// Reads entries of the history: its columns, from the rows that the rest of the statement picks.
macro_rules! entries {
    ($which:literal, $($value:expr),+) => {
        sqlx::query_as!(
            Entry,
            r#"
            SELECT
                position AS "position: Position",
                event_id,
                aggregate_type,
                aggregate_id,
                sequence,
                event_type,
                owner_id,
                actor,
                command_id,
                correlation_id,
                causation_id,
                recorded_at
            FROM history
            "# + $which,
            $($value),+
        )
    };
}
pub(super) use entries;

/// An event with its content, as far as an auditor may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditedEvent {
    pub entry: Entry,
    pub event_version: String,
    pub payload: Value,
    /// The origin of the command: `ip`, `user_agent`, `traceparent`.
    pub request: BTreeMap<String, String>,
}

/// The events that are asked for. Every given condition must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    pub aggregate_type: Option<String>,
    pub aggregate_id: Option<String>,
    pub event_type: Option<String>,
    pub owner: Option<Uuid>,
    pub actor: Option<String>,
    pub command_id: Option<Uuid>,
    pub correlation_id: Option<Uuid>,
    pub causation_id: Option<Uuid>,
    /// From then on.
    pub recorded_from: Option<DateTime<Utc>>,
    /// Before then.
    pub recorded_to: Option<DateTime<Utc>>,
    pub position_from: Option<Position>,
    /// Up to and with this one.
    pub position_to: Option<Position>,
}

/// The order of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

/// Some events, and the cursor of the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryPage {
    pub events: Vec<AuditedEvent>,
    pub next_cursor: Option<Position>,
}

/// A page of the history behind a cursor, which is the position of the last event of the page before.
pub async fn events(
    reader: &Reader,
    wanted: Wanted,
    filter: &Filter,
    order: Order,
    cursor: Cursor,
) -> Result<Fresh<HistoryPage>, LogError> {
    let limit = cursor.limit.clamp(1, PAGE_ROWS_MAX);
    let mut read = reader.begin(NAME, wanted).await?;
    let entries = rows(&mut read, filter, order, Cursor { limit, ..cursor }).await?;
    let Fresh { value: mut entries, checkpoint, behind } = read.finish(entries);
    let more = entries.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        entries.pop();
    }
    let next_cursor = entries.last().filter(|_| more).map(|last| last.position);
    let events = with_payloads(reader.log(), entries).await?;
    Ok(Fresh { value: HistoryPage { events, next_cursor }, checkpoint, behind })
}

async fn rows(
    connection: &mut PgConnection,
    filter: &Filter,
    order: Order,
    cursor: Cursor,
) -> Result<Vec<Entry>, LogError> {
    // dynamic: only the conditions that are asked for, so that the planner sees which index backs them.
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT h.position, h.event_id, h.aggregate_type, h.aggregate_id, h.sequence, h.event_type, h.owner_id, \
                h.actor, h.command_id, h.correlation_id, h.causation_id, h.recorded_at \
         FROM history AS h",
    );
    let f = filter;
    // The log has an index for each of these itself: `events_owner_position_idx` and `events_stream_key`.
    if let Some(owner) = f.owner {
        query.push(" JOIN events AS own ON own.position = h.position AND own.owner_id = ").push_bind(owner);
    }
    if let Some(aggregate) = &f.aggregate_type {
        query.push(" JOIN events AS stream ON stream.position = h.position AND stream.aggregate_type = ");
        query.push_bind(aggregate.clone());
        condition(&mut query, " AND stream.aggregate_id = ", f.aggregate_id.clone());
    }
    query.push(" WHERE true");
    condition(&mut query, " AND h.aggregate_type = ", f.aggregate_type.clone());
    condition(&mut query, " AND h.aggregate_id = ", f.aggregate_id.clone());
    condition(&mut query, " AND h.event_type = ", f.event_type.clone());
    condition(&mut query, " AND h.actor = ", f.actor.clone());
    condition(&mut query, " AND h.command_id = ", f.command_id);
    condition(&mut query, " AND h.correlation_id = ", f.correlation_id);
    condition(&mut query, " AND h.causation_id = ", f.causation_id);
    condition(&mut query, " AND h.recorded_at >= ", f.recorded_from);
    condition(&mut query, " AND h.recorded_at < ", f.recorded_to);
    let (behind, direction) = match order {
        Order::NewestFirst => ("<", "DESC"),
        Order::OldestFirst => (">", "ASC"),
    };
    // A bound on one side of a join is not known on the other, where the index of an owner needs it.
    let sides: &[&str] = if f.owner.is_some() { &["h", "own"] } else { &["h"] };
    for side in sides {
        condition(&mut query, &format!(" AND {side}.position >= "), f.position_from);
        condition(&mut query, &format!(" AND {side}.position <= "), f.position_to);
        condition(&mut query, &format!(" AND {side}.position {behind} "), cursor.at);
    }
    query.push(format!(" ORDER BY h.position {direction} LIMIT ")).push_bind(cursor.limit + 1);
    Ok(query.build_query_as().fetch_all(connection).await?)
}

fn condition<'q, T>(query: &mut QueryBuilder<'q, Postgres>, text: &str, value: Option<T>)
where
    T: sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres> + Send + 'q,
{
    if let Some(value) = value {
        query.push(text).push_bind(value);
    }
}

/// Adds what the events say. The log has every event that the history knows.
pub(super) async fn with_payloads(
    log: &EventLog,
    entries: Vec<Entry>,
) -> Result<Vec<AuditedEvent>, LogError> {
    let positions: Vec<Position> = entries.iter().map(|entry| entry.position).collect();
    let mut opened = BTreeMap::new();
    for event in log.events_at(&positions).await? {
        opened.insert(event.position, log.open(Arc::new(event)).await?);
    }
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries {
        let event = opened.get(&entry.position).ok_or_else(|| LogError::Unreadable {
            what: format!("event {}", entry.position),
            reason: "it is in the history and not in the log".to_owned(),
        })?;
        events.push(audited(log, entry, event).await?);
    }
    Ok(events)
}

pub(super) async fn audited(
    log: &EventLog,
    entry: Entry,
    event: &OpenedEvent,
) -> Result<AuditedEvent, LogError> {
    let mut request = BTreeMap::new();
    let metadata = event.metadata();
    let command_id = metadata.command_id.unwrap_or_default();
    let known =
        [("ip", metadata.ip), ("user_agent", metadata.user_agent), ("traceparent", metadata.traceparent)];
    for (ordinal, (key, text)) in (0..).zip(known) {
        if let Some(text) = text.as_deref() {
            let text = log.vault().open_text(command_id, ordinal, text).await?;
            request.insert(key.to_owned(), text.unwrap_or_else(|| "erased".to_owned()));
        }
    }
    Ok(AuditedEvent {
        entry,
        event_version: event.recorded.event_version.clone(),
        payload: without_secrets(plain(event.parse()?)),
        request,
    })
}
