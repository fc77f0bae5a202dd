//! The state that decisions about a session rest on.

use serde::{Deserialize, Serialize};

use super::{SessionEvent, TokenHash};
use crate::{SessionId, Timestamp, UserId};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Session {
    #[default]
    NotStarted,
    Open {
        session_id: SessionId,
        user_id: UserId,
        token: TokenHash,
        expires_at: Timestamp,
    },
    Ended {
        user_id: UserId,
    },
}

impl Session {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub fn is_open(&self, at: Timestamp) -> bool {
        matches!(self, Self::Open { expires_at, .. } if *expires_at > at)
    }

    pub(super) fn fold(&mut self, event: SessionEvent) {
        match (&mut *self, event) {
            (_, SessionEvent::SessionStarted { session_id, user_id, token, expires_at, .. }) => {
                *self = Self::Open { session_id, user_id, token, expires_at };
            }
            (
                Self::Open { token, expires_at, .. },
                SessionEvent::SessionRefreshed { token: next, expires_at: until, .. },
            ) => {
                *token = next;
                *expires_at = until;
            }
            (_, SessionEvent::SessionEnded { user_id, .. }) => *self = Self::Ended { user_id },
            _ => {}
        }
    }
}
