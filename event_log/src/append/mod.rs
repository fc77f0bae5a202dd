//! Group commit: units that queue up while a batch is in flight are the next batch.

mod appender;
mod call;
mod flight;
mod lanes;
mod metrics;
mod pacing;
#[cfg(test)]
mod pacing_tests;
mod queue;
mod rows;
#[cfg(test)]
mod tests;
mod tip;
mod told;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub(crate) use appender::Appender;

use crate::authentic::AuthenticationValue;
use crate::cache::StreamKey;
use crate::chain::Chain;
use crate::rewound::Rewound;
use crate::{Position, Version};

/// An event of a unit, sealed and numbered within its stream. The unit hashes it: the appender has
/// all units to send, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) event_id: Uuid,
    /// Which of the unit's expected streams it belongs to.
    pub(crate) stream: usize,
    pub(crate) sequence: i64,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) payload: String,
    pub(crate) digest: Chain,
    pub(crate) authentication: AuthenticationValue,
}

#[derive(Debug, Clone)]
pub(crate) struct NewSnapshot {
    /// Which of the unit's expected streams it is of.
    pub(crate) stream: usize,
    pub(crate) version: Version,
    pub(crate) schema_tag: String,
    pub(crate) payload: String,
    /// The event that makes the version.
    pub(crate) event_id: Uuid,
    pub(crate) authentication: AuthenticationValue,
}

#[derive(Debug, Clone)]
pub(crate) struct NewClaim {
    pub(crate) kind: &'static str,
    pub(crate) key_hash: Vec<u8>,
    pub(crate) owner: Uuid,
    pub(crate) taken: bool,
}

/// The writes of one command: all of them or nothing.
#[derive(Debug, Clone)]
pub(crate) struct NewUnit {
    pub(crate) owner: Uuid,
    pub(crate) command_id: Uuid,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) outcome: String,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    /// JSON, the same for all events of the unit.
    pub(crate) metadata: String,
    /// Whose the events are.
    pub(crate) event_owner: Option<Uuid>,
    /// The version at which each stream must be.
    pub(crate) expected: Vec<(StreamKey, Version)>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) claims: Vec<NewClaim>,
    pub(crate) snapshots: Vec<NewSnapshot>,
}

impl NewUnit {
    pub(crate) fn bytes(&self) -> usize {
        self.events.iter().map(|event| event.payload.len() + self.metadata.len()).sum()
    }
}

/// The outcome of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Appended {
    Stored { first: Position, last: Position },
    Duplicate { last: Position, outcome: String },
    Mismatch,
    Conflict { stream: String },
    Taken { kind: String },
}

/// Why a unit has no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    #[error("the appender has stopped")]
    Stopped,
    /// Its answer was lost, and the log takes no more questions now.
    #[error("it is not known whether the unit was stored")]
    Unknown,
    #[error(transparent)]
    Rewound(Rewound),
    #[error("the database refused the unit: {reason}")]
    Refused { reason: String },
}
