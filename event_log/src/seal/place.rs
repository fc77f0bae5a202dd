//! The place of a box: what it is bound to. A box that was moved to another event, field or person does not open.

use uuid::Uuid;

use crate::Version;
use crate::upcast::Stored;

/// Where sealed nodes stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Event {
        aggregate_type: &'a str,
        aggregate_id: &'a str,
        sequence: i64,
        /// The person whom the event belongs to: nobody else's words stand in it.
        owner: Option<Uuid>,
    },
    Snapshot {
        aggregate_type: &'a str,
        aggregate_id: &'a str,
        version: Version,
    },
    /// The metadata of a command's events.
    Command {
        command_id: Uuid,
    },
}

impl<'a> Place<'a> {
    pub(crate) fn of_event(stored: &Stored<'a>) -> Self {
        let Stored { aggregate_type, aggregate_id, sequence, owner, .. } = *stored;
        Self::Event { aggregate_type, aggregate_id, sequence, owner }
    }

    /// The place within the stream: a sequence, or a version.
    fn number(self) -> i64 {
        match self {
            Self::Event { sequence, .. } => sequence,
            Self::Snapshot { version, .. } => version.get(),
            Self::Command { .. } => 0,
        }
    }

    /// The words of this person do not belong here.
    pub(super) fn is_foreign(self, person: Uuid) -> bool {
        match self {
            Self::Event { owner, .. } => owner != Some(person),
            Self::Snapshot { .. } | Self::Command { .. } => false,
        }
    }

    /// The bytes that the box of the node is bound to: the kind of place, the person, the number of the node, and the
    /// place with the length of each text before it.
    pub(super) fn of_node(self, owner: Uuid, ordinal: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(match self {
            Self::Event { .. } => 1,
            Self::Snapshot { .. } => 2,
            Self::Command { .. } => 3,
        });
        bytes.extend(owner.as_bytes());
        bytes.extend(ordinal.to_be_bytes());
        match self {
            Self::Event { aggregate_type, aggregate_id, .. }
            | Self::Snapshot { aggregate_type, aggregate_id, .. } => {
                bytes.extend(self.number().to_be_bytes());
                for text in [aggregate_type, aggregate_id] {
                    bytes.extend((text.len() as u64).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
            }
            Self::Command { command_id } => bytes.extend(command_id.as_bytes()),
        }
        bytes
    }
}
