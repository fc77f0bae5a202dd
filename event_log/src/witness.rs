//! Somebody outside the database who remembers how far the log had come: the stream that the log is published
//! to. A log that was restored, or failed over to a lagging replica, does not know itself that it lost its end.

use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{Position, Provenance};

/// The end of the log as the witness holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The last position that this log told the witness.
    pub position: Position,
    /// The last place that is taken there. Behind the position lies what somebody else wrote.
    pub end: Position,
    /// Event id and chain value at that position, unless the witness keeps it no more.
    pub event: Option<(Uuid, Vec<u8>)>,
    /// The log that the witness follows, where it was written down.
    pub log_id: Option<Uuid>,
}

/// The witness cannot be asked at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the witness is away: {reason}")]
pub struct WitnessAway {
    pub reason: String,
}

/// Remembers the end of the log outside the database.
pub trait Witness: Send + Sync + 'static {
    /// The end that it holds, by what this log wrote alone; `None` when it holds nothing of it. Answers soon, also when
    /// it is away.
    fn last<'a>(&'a self, provenance: &'a Provenance) -> BoxFuture<'a, Result<Option<Held>, WitnessAway>>;
}
