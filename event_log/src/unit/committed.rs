//! The results of a unit and of a load.

use serde_json::Value;

use crate::receipts::Receipt;
use crate::{Position, Version};

/// The effect of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The position of the unit's last event; of the head when the unit changed nothing.
    pub position: Position,
    /// The version of each stream that was written, in the order of the commands. Empty when replayed.
    pub versions: Vec<Version>,
    /// The names of the events, in order. Empty when replayed.
    pub events: Vec<String>,
    /// The value that the caller wanted remembered; the first outcome when the command id was used before.
    pub outcome: Value,
    /// True when this command id had its effect before and nothing was written now.
    pub replayed: bool,
}

impl Committed {
    /// The answer to a command that had its effect before.
    pub(super) fn replayed(receipt: Receipt) -> Self {
        let Receipt { position, outcome } = receipt;
        Self { position, versions: vec![], events: vec![], outcome, replayed: true }
    }

    /// Tells that something was written now, and not at an earlier run of the same command.
    pub fn is_news(&self) -> bool {
        !self.replayed && !self.events.is_empty()
    }
}

/// An aggregate as it is now.
#[derive(Debug, Clone)]
pub struct Loaded<A> {
    pub state: A,
    /// The number of events of its stream.
    pub version: Version,
}
