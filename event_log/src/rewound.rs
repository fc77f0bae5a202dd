//! A log that lost its end.

use crate::Position;

/// The log is behind what was published of it, or is another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log is at {log} and does not hold what the stream holds up to {stream}")]
pub struct Rewound {
    /// The last position outside the database: of the stream, or of what this process was told.
    pub stream: Position,
    pub log: Position,
}
