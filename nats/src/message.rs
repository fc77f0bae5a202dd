//! An event as a message: CloudEvents in binary mode. The body is the payload's exact stored bytes, still
//! sealed; everything else is a header, so that the event can be rebuilt from the message alone.

use async_nats::HeaderMap;
use chrono::{DateTime, SecondsFormat, Utc};
use event_log::RecordedEvent;

use crate::BusError;

/// The name of the stream that holds all events.
pub const STREAM: &str = "ROUTIX_EVENTS";
pub(crate) const SUBJECTS: &str = "routix.events.>";

const ID: &str = "ce-id";
const TYPE: &str = "ce-type";
const SUBJECT: &str = "ce-subject";
const TIME: &str = "ce-time";
const VERSION: &str = "routix-event-version";
const POSITION: &str = "routix-position";
const SEQUENCE: &str = "routix-sequence";
const CHAIN: &str = "routix-chain";
const OWNER: &str = "routix-owner";
const METADATA: &str = "routix-metadata";
const AGGREGATE: &str = "routix-aggregate";

/// The subject of an event: `routix.events.<aggregate>.<event>`.
pub fn subject_of(event: &RecordedEvent) -> String {
    format!("routix.events.{}.{}", event.aggregate_type, event.event_type)
}

pub(crate) fn headers_of(event: &RecordedEvent) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-source", format!("/routix/{}", event.aggregate_type));
    headers.insert("content-type", "application/json");
    headers.insert(ID, event.event_id.to_string());
    headers.insert(TYPE, format!("routix.{}.{}", event.aggregate_type, event.event_type));
    headers.insert(SUBJECT, event.aggregate_id.clone());
    headers.insert(TIME, event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true));
    headers.insert(AGGREGATE, event.aggregate_type.clone());
    headers.insert(VERSION, event.event_version.clone());
    headers.insert(POSITION, event.position.to_string());
    headers.insert(SEQUENCE, event.sequence.to_string());
    headers.insert(CHAIN, hex::encode(&event.chain));
    headers.insert(METADATA, event.metadata.clone());
    if let Some(owner) = event.owner_id {
        headers.insert(OWNER, owner.to_string());
    }
    headers
}

/// The event that a message of the stream carries.
///
/// # Errors
/// `Malformed` when a header is missing, cannot be read, or the position is not the message's sequence.
pub fn decode(sequence: u64, headers: Option<&HeaderMap>, payload: &[u8]) -> Result<RecordedEvent, BusError> {
    let malformed = |header| BusError::Malformed { sequence, header };
    let headers = headers.ok_or(malformed(ID))?;
    let text = |name: &'static str| {
        headers
            .get(name)
            .map(async_nats::HeaderValue::as_str)
            .ok_or(BusError::Malformed { sequence, header: name })
    };
    let number = |name: &'static str| text(name)?.parse::<i64>().map_err(|_| malformed(name));
    let position = number(POSITION)?;
    if u64::try_from(position) != Ok(sequence) {
        return Err(malformed(POSITION));
    }
    let aggregate_type = text(AGGREGATE)?.to_owned();
    let event_type = text(TYPE)?.rsplit('.').next().unwrap_or_default().to_owned();
    let recorded_at = DateTime::parse_from_rfc3339(text(TIME)?).map_err(|_| malformed(TIME))?;
    let owner_id = match headers.get(OWNER) {
        Some(owner) => Some(owner.as_str().parse().map_err(|_| malformed(OWNER))?),
        None => None,
    };
    Ok(RecordedEvent {
        position,
        aggregate_type,
        aggregate_id: text(SUBJECT)?.to_owned(),
        sequence: number(SEQUENCE)?,
        event_type,
        event_version: text(VERSION)?.to_owned(),
        payload: String::from_utf8(payload.to_vec()).map_err(|_| malformed("body"))?,
        metadata: text(METADATA)?.to_owned(),
        event_id: text(ID)?.parse().map_err(|_| malformed(ID))?,
        owner_id,
        recorded_at: recorded_at.with_timezone(&Utc),
        chain: hex::decode(text(CHAIN)?).map_err(|_| malformed(CHAIN))?,
    })
}
