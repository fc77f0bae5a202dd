//! Authentication values. The chain is a plain hash that anybody can recompute, so it tells a whole log from a damaged
//! one, and not what this log wrote from what somebody else put into Postgres or NATS. That is told by a value under the
//! log's own key, which neither of them holds in the clear.
//!
//! An event has `form ‖ key ‖ HMAC-SHA-256(key, digest ‖ origin id)`: two bytes and 32. The digest is the one that the
//! chain covers (`chain.rs`), and the origin id (16 bytes) says which log. A snapshot has the same over a digest of its
//! own, under a key that is derived from the log's.

#[cfg(test)]
mod tests;

use hmac::{Hmac, Mac};
use metrics::counter;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

use crate::chain::{Chain, EventDigest};
use crate::{RecordedEvent, Version};

/// The form of a value, its key, and the keyed hash.
pub type AuthenticationValue = [u8; 34];

/// The form of the values that are made today.
const FORM: u8 = 1;
/// The number of the key that they are made with.
const KEY: u8 = 1;
/// A forgery is told once; so many are remembered.
const TOLD_MAX: usize = 1000;

type Keyed = Hmac<Sha256>;

/// Makes authentication values and checks them. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Keys>);

struct Keys {
    origin_id: Uuid,
    events: Keyed,
    snapshots: Keyed,
    messages: Keyed,
    frames: Keyed,
    told: Cache<Vec<u8>, ()>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(…)")
    }
}

/// A snapshot as its value covers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SnapshotDigest<'a> {
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: &'a str,
    pub(crate) version: Version,
    pub(crate) schema_tag: &'a str,
    /// The event that made the version.
    pub(crate) event_id: Uuid,
    pub(crate) payload: &'a str,
}

impl SnapshotDigest<'_> {
    fn compute(&self) -> Chain {
        let mut hash = Sha256::new();
        let parts: [&[u8]; 6] = [
            self.aggregate_type.as_bytes(),
            self.aggregate_id.as_bytes(),
            &self.version.get().to_be_bytes(),
            self.schema_tag.as_bytes(),
            self.event_id.as_bytes(),
            self.payload.as_bytes(),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl Authenticator {
    pub(crate) fn new(key: &[u8; 32], origin_id: Uuid) -> Self {
        let keyed = |key: &[u8]| Keyed::new_from_slice(key).expect("HMAC takes a key of any length");
        let events = keyed(key);
        let derived = |purpose: &[u8]| keyed(&events.clone().chain_update(purpose).finalize().into_bytes());
        let (snapshots, messages, frames) = (derived(b"snapshots"), derived(b"messages"), derived(b"frames"));
        Self(Arc::new(Keys { origin_id, events, snapshots, messages, frames, told: Cache::new(TOLD_MAX) }))
    }

    /// The value of an event, from its digest.
    pub fn of_event(&self, digest: &Chain) -> AuthenticationValue {
        self.value(&self.0.events, digest)
    }

    pub(crate) fn of_snapshot(&self, snapshot: &SnapshotDigest<'_>) -> AuthenticationValue {
        self.value(&self.0.snapshots, &snapshot.compute())
    }

    fn value(&self, key: &Keyed, digest: &Chain) -> AuthenticationValue {
        of_hash(self.hash(key, digest))
    }

    fn hash(&self, key: &Keyed, digest: &Chain) -> Keyed {
        key.clone().chain_update(digest).chain_update(self.0.origin_id.as_bytes())
    }

    /// Tells that this log wrote the event, in all that its digest covers.
    pub fn is_authentic(&self, event: &RecordedEvent) -> bool {
        self.has_value(&event.digest(), &event.authentication)
    }

    pub(crate) fn has_value(&self, digest: &Chain, value: &[u8]) -> bool {
        self.holds(&self.0.events, digest, value)
    }

    pub(crate) fn is_snapshot(&self, snapshot: &SnapshotDigest<'_>, value: &[u8]) -> bool {
        self.holds(&self.0.snapshots, &snapshot.compute(), value)
    }

    fn holds(&self, key: &Keyed, digest: &Chain, value: &[u8]) -> bool {
        is_of_hash(self.hash(key, digest), value)
    }

    /// The value of a frame that is not stored, to somebody.
    pub fn of_frame(&self, user_id: Uuid, frame: &[u8]) -> AuthenticationValue {
        of_hash(self.frame(user_id, frame))
    }

    pub fn is_frame(&self, user_id: Uuid, frame: &[u8], value: &[u8]) -> bool {
        is_of_hash(self.frame(user_id, frame), value)
    }

    fn frame(&self, user_id: Uuid, frame: &[u8]) -> Keyed {
        self.0.frames.clone().chain_update(user_id.as_bytes()).chain_update(frame)
    }

    /// What tells the messages of a log from others. A log that became another one has other messages.
    pub fn of_log(&self, log_id: Uuid) -> Provenance {
        Provenance { authenticator: self.clone(), log_id }
    }

    /// Raises the alarm about what bears no value of this log: once for each, however often it is met.
    pub fn alarm(&self, what: Forged, name: &str) {
        counter!("routix_forged_total", "what" => what.name()).increment(1);
        let key = [what.name().as_bytes(), b" ", name.as_bytes()].concat();
        if self.0.told.get(&key).is_none() {
            self.0.told.insert(key, ());
            tracing::error!(what = what.name(), name, "this log did not write it, and nothing believes it");
        }
    }

    /// An event that this log wrote; what somebody else wrote becomes void, with an alarm.
    pub fn admit(&self, event: RecordedEvent) -> RecordedEvent {
        if self.is_authentic(&event) {
            return event;
        }
        self.alarm(Forged::Event, &event.position.to_string());
        event.voided()
    }
}

/// Makes the values of the messages in which a log is published, and checks them. Such a value covers all of a message,
/// its place too: an event of the log under another position is none.
#[derive(Debug, Clone)]
pub struct Provenance {
    authenticator: Authenticator,
    log_id: Uuid,
}

impl Provenance {
    pub fn of_message(&self, event: &RecordedEvent) -> AuthenticationValue {
        of_hash(self.hash(event))
    }

    pub fn is_of_message(&self, event: &RecordedEvent, value: &[u8]) -> bool {
        is_of_hash(self.hash(event), value)
    }

    /// Raises the alarm about a message that this log did not publish.
    pub fn alarm(&self, sequence: u64) {
        self.authenticator.alarm(Forged::Message, &sequence.to_string());
    }

    fn hash(&self, event: &RecordedEvent) -> Keyed {
        let (position, recorded_at) = (event.position.get(), event.recorded_at.timestamp_micros());
        self.authenticator
            .0
            .messages
            .clone()
            .chain_update(self.log_id.as_bytes())
            .chain_update(position.to_be_bytes())
            .chain_update(recorded_at.to_be_bytes())
            .chain_update(event.digest())
            .chain_update((event.chain.len() as u64).to_be_bytes())
            .chain_update(&event.chain)
            .chain_update(&event.authentication)
    }
}

fn of_hash(hash: Keyed) -> AuthenticationValue {
    let mut value = [0; 34];
    (value[0], value[1]) = (FORM, KEY);
    value[2..].copy_from_slice(&hash.finalize().into_bytes());
    value
}

fn is_of_hash(hash: Keyed, value: &[u8]) -> bool {
    let Some((&[FORM, KEY], stated)) = value.split_first_chunk() else { return false };
    hash.verify_slice(stated).is_ok()
}

/// What may bear a value that is none of this log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// A row of the table of events.
    Event,
    Snapshot,
    /// A message of the stream.
    Message,
    /// A frame that is not stored.
    Frame,
}

impl Forged {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Snapshot => "snapshot",
            Self::Message => "message",
            Self::Frame => "frame",
        }
    }
}

impl EventDigest<'_> {
    /// The value of the event, under the key of a log.
    pub fn authenticated(&self, authenticator: &Authenticator) -> (Chain, AuthenticationValue) {
        let digest = self.compute();
        let value = authenticator.of_event(&digest);
        (digest, value)
    }
}
