//! The events of a session.

use serde::{Deserialize, Serialize};

use crate::event_names::event_names;
use crate::{SessionId, Timestamp, UserId};

/// The SHA-256 of a refresh token's id, in hex. The token itself is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(pub String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    LoggedOut,
    TokenReused,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum SessionEvent {
    SessionStarted {
        session_id: SessionId,
        user_id: UserId,
        token: TokenHash,
        started_at: Timestamp,
        expires_at: Timestamp,
    },
    SessionRefreshed {
        user_id: UserId,
        token: TokenHash,
        refreshed_at: Timestamp,
        expires_at: Timestamp,
    },
    SessionEnded {
        session_id: SessionId,
        user_id: UserId,
        reason: EndReason,
        ended_at: Timestamp,
    },
}

event_names!(SessionEvent {
    SessionStarted => "1.0",
    SessionRefreshed => "1.0",
    SessionEnded => "1.0",
});
