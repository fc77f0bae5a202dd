//! An event as a message: CloudEvents in binary mode. The body is the payload's exact stored bytes, still
//! sealed; everything else is a header, so that the event can be rebuilt from the message alone.

use async_nats::{HeaderMap, HeaderName};
use chrono::{DateTime, SecondsFormat, Utc};
use event_log::{Position, Provenance, RecordedEvent};

use crate::BusError;

/// The name of the stream that holds all events.
pub const STREAM: &str = "ROUTIX_EVENTS";
pub(crate) const SUBJECTS: &str = "routix.events.>";

/// A header of ours: its name as text, and in the form that needs no copy for each message.
struct Name(&'static str, HeaderName);

const fn name(text: &'static str) -> Name {
    Name(text, HeaderName::from_static(text))
}

static SPEC_VERSION: Name = name("ce-specversion");
static SOURCE: Name = name("ce-source");
static CONTENT_TYPE: Name = name("content-type");
static ID: Name = name("ce-id");
static TYPE: Name = name("ce-type");
static SUBJECT: Name = name("ce-subject");
static TIME: Name = name("ce-time");
static VERSION: Name = name("routix-event-version");
static POSITION: Name = name("routix-position");
static SEQUENCE: Name = name("routix-sequence");
static CHAIN: Name = name("routix-chain");
static OWNER: Name = name("routix-owner");
static METADATA: Name = name("routix-metadata");
static AGGREGATE: Name = name("routix-aggregate");
static AUTHENTICATION: Name = name("routix-authentication");
static PROVENANCE: Name = name("routix-provenance");

/// The subject of an event: `routix.events.<aggregate>.<event>`.
pub fn subject_of(event: &RecordedEvent) -> String {
    format!("routix.events.{}.{}", event.aggregate_type, event.event_type)
}

/// What a message says of its event besides the payload.
pub fn headers_of(event: &RecordedEvent, provenance: &Provenance) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name: &Name, value: String| headers.insert(name.1.clone(), value);
    insert(&SPEC_VERSION, "1.0".to_owned());
    insert(&SOURCE, format!("/routix/{}", event.aggregate_type));
    insert(&CONTENT_TYPE, "application/json".to_owned());
    insert(&ID, event.event_id.to_string());
    insert(&TYPE, format!("routix.{}.{}", event.aggregate_type, event.event_type));
    insert(&SUBJECT, event.aggregate_id.clone());
    insert(&TIME, event.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true));
    insert(&AGGREGATE, event.aggregate_type.clone());
    insert(&VERSION, event.event_version.clone());
    insert(&POSITION, event.position.to_string());
    insert(&SEQUENCE, event.sequence.to_string());
    insert(&CHAIN, hex::encode(&event.chain));
    insert(&METADATA, event.metadata.clone());
    insert(&AUTHENTICATION, hex::encode(&event.authentication));
    insert(&PROVENANCE, hex::encode(provenance.of_message(event)));
    if let Some(owner) = event.owner_id {
        insert(&OWNER, owner.to_string());
    }
    headers
}

/// The event that a message of the stream carries, which this log published.
///
/// # Errors
/// `Forged` where somebody else did, with an alarm; else as [`decode`].
pub fn decode_own(
    provenance: &Provenance,
    sequence: u64,
    headers: Option<&HeaderMap>,
    payload: &[u8],
) -> Result<RecordedEvent, BusError> {
    let stated = headers.and_then(|headers| headers.get(PROVENANCE.1.clone()));
    let value = stated.and_then(|text| hex::decode(text.as_str()).ok()).unwrap_or_default();
    let event = decode(sequence, headers, payload).ok();
    let event = event.filter(|event| provenance.is_of_message(event, &value));
    event.ok_or_else(|| {
        provenance.alarm(sequence);
        BusError::Forged { sequence }
    })
}

/// The event that a message of the stream says that it carries.
///
/// # Errors
/// `Malformed` when a header is missing, cannot be read, or the position is not the message's sequence.
pub fn decode(sequence: u64, headers: Option<&HeaderMap>, payload: &[u8]) -> Result<RecordedEvent, BusError> {
    let malformed = |name: &Name| BusError::Malformed { sequence, header: name.0 };
    let headers = headers.ok_or(malformed(&ID))?;
    let text =
        |name: &Name| headers.get(name.1.clone()).map(async_nats::HeaderValue::as_str).ok_or(malformed(name));
    let number = |name: &Name| text(name)?.parse::<i64>().map_err(|_| malformed(name));
    let position = number(&POSITION)?;
    if u64::try_from(position) != Ok(sequence) {
        return Err(malformed(&POSITION));
    }
    let aggregate_type = text(&AGGREGATE)?.to_owned();
    let event_type = text(&TYPE)?.rsplit('.').next().unwrap_or_default().to_owned();
    let recorded_at = DateTime::parse_from_rfc3339(text(&TIME)?).map_err(|_| malformed(&TIME))?;
    let owner_id = match headers.get(OWNER.1.clone()) {
        Some(owner) => Some(owner.as_str().parse().map_err(|_| malformed(&OWNER))?),
        None => None,
    };
    Ok(RecordedEvent {
        position: Position::new(position),
        aggregate_type,
        aggregate_id: text(&SUBJECT)?.to_owned(),
        sequence: number(&SEQUENCE)?,
        event_type,
        event_version: text(&VERSION)?.to_owned(),
        payload: String::from_utf8(payload.to_vec())
            .map_err(|_| BusError::Malformed { sequence, header: "body" })?,
        metadata: text(&METADATA)?.to_owned(),
        event_id: text(&ID)?.parse().map_err(|_| malformed(&ID))?,
        owner_id,
        recorded_at: recorded_at.with_timezone(&Utc),
        chain: hex::decode(text(&CHAIN)?).map_err(|_| malformed(&CHAIN))?,
        authentication: hex::decode(text(&AUTHENTICATION)?).map_err(|_| malformed(&AUTHENTICATION))?,
    })
}
