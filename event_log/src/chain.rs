//! The hash chain: each event stores the hash of its predecessor's chain value and of itself.
//!
//! `chain(n) = SHA-256(chain(n-1) ‖ position ‖ recorded_at ‖ digest(n))` where position and `recorded_at` (in
//! microseconds since 1970) are big-endian i64 and the digest is the SHA-256 of the length-prefixed aggregate
//! type, aggregate id, sequence, event type, event version, event id, payload bytes, metadata bytes and owner id
//! (16 bytes, none without an owner). The digest is computed by whoever makes the event, the chain where
//! the position is known: by the appender for a batch that goes ahead, else inside the functions that append.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Position, RecordedEvent};

/// A value of the chain, 32 bytes.
pub type Chain = [u8; 32];

/// The parts of an event that its digest covers.
#[derive(Debug, Clone, Copy)]
pub struct EventDigest<'a> {
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    pub event_id: Uuid,
    pub payload: &'a str,
    pub metadata: &'a str,
    pub owner: Option<Uuid>,
}

impl EventDigest<'_> {
    pub fn compute(&self) -> Chain {
        let mut hash = Sha256::new();
        let sequence = self.sequence.to_be_bytes();
        let parts: [&[u8]; 9] = [
            self.aggregate_type.as_bytes(),
            self.aggregate_id.as_bytes(),
            &sequence,
            self.event_type.as_bytes(),
            self.event_version.as_bytes(),
            self.event_id.as_bytes(),
            self.payload.as_bytes(),
            self.metadata.as_bytes(),
            self.owner.as_ref().map_or(&[], |owner| owner.as_bytes().as_slice()),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl RecordedEvent {
    /// The SHA-256 that the chain and the authentication value cover.
    pub fn digest(&self) -> Chain {
        EventDigest {
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            event_id: self.event_id,
            payload: &self.payload,
            metadata: &self.metadata,
            owner: self.owner_id,
        }
        .compute()
    }
}

/// The chain value that an event must have behind the chain value `previous`.
pub fn chain_of(previous: &[u8], event: &RecordedEvent) -> Chain {
    link(previous, event.position, event.recorded_at.timestamp_micros(), &event.digest())
}

/// The chain value of an event, from that of the event before it.
pub fn link(previous: &[u8], position: Position, recorded_at_us: i64, digest: &Chain) -> Chain {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(position.get().to_be_bytes());
    hash.update(recorded_at_us.to_be_bytes());
    hash.update(digest);
    hash.finalize().into()
}
