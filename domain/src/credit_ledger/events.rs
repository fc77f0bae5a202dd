//! The events of a ledger. Each carries the balance that is available after it.

use serde::{Deserialize, Serialize};

use crate::event_names::event_names;
use crate::{Credits, GrantId, RequestId, Timestamp, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantReason {
    Signup,
    TopUp,
    Adjustment,
    Refund,
}

/// The part of an amount that was drawn from, or returned to, one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub grant_id: GrantId,
    pub amount: Credits,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum CreditLedgerEvent {
    CreditsGranted {
        user_id: UserId,
        grant_id: GrantId,
        amount: Credits,
        reason: GrantReason,
        expires_at: Option<Timestamp>,
        balance_after: Credits,
        granted_at: Timestamp,
    },
    CreditsHeld {
        user_id: UserId,
        request_id: RequestId,
        amount: Credits,
        parts: Vec<Part>,
        balance_after: Credits,
        /// The threshold, if this hold took the balance below it.
        crossed_low: Option<Credits>,
        held_at: Timestamp,
    },
    HoldSettled {
        user_id: UserId,
        request_id: RequestId,
        amount: Credits,
        balance_after: Credits,
        settled_at: Timestamp,
    },
    HoldReleased {
        user_id: UserId,
        request_id: RequestId,
        amount: Credits,
        parts: Vec<Part>,
        balance_after: Credits,
        released_at: Timestamp,
    },
    CreditsExpired {
        user_id: UserId,
        grant_id: GrantId,
        amount: Credits,
        balance_after: Credits,
        expired_at: Timestamp,
    },
    /// Credits taken away by an admin. Credits given are `CreditsGranted` with reason `adjustment`.
    CreditsWithdrawn {
        user_id: UserId,
        amount: Credits,
        parts: Vec<Part>,
        note: String,
        balance_after: Credits,
        withdrawn_at: Timestamp,
    },
}

event_names!(CreditLedgerEvent {
    CreditsGranted => "1.0",
    CreditsHeld => "1.0",
    HoldSettled => "1.0",
    HoldReleased => "1.0",
    CreditsExpired => "1.0",
    CreditsWithdrawn => "1.0",
});
