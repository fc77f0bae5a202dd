//! Examples of what happens in ledgers.

use crate::credit_ledger::{CreditLedgerEvent, GrantReason, Part};
use crate::tests::examples::{ALICE, ORDER, SIGNUP, TOP_UP, minute};
use crate::{Credits, Timestamp};

fn parts() -> Vec<Part> {
    vec![
        Part { grant_id: SIGNUP, amount: Credits(1), expires_at: Some(minute(90)) },
        Part { grant_id: TOP_UP, amount: Credits(2), expires_at: None },
    ]
}

pub(super) fn credit_ledger() -> Vec<CreditLedgerEvent> {
    let granted = |reason, expires_at: Option<Timestamp>| CreditLedgerEvent::CreditsGranted {
        user_id: ALICE,
        grant_id: SIGNUP,
        amount: Credits(25),
        reason,
        expires_at,
        balance_after: Credits(25),
        granted_at: minute(0),
    };
    let held = |crossed_low| CreditLedgerEvent::CreditsHeld {
        user_id: ALICE,
        request_id: ORDER,
        amount: Credits(3),
        parts: parts(),
        balance_after: Credits(4),
        crossed_low,
        held_at: minute(1),
    };
    vec![
        granted(GrantReason::Signup, Some(minute(90))),
        granted(GrantReason::TopUp, None),
        granted(GrantReason::Adjustment, None),
        granted(GrantReason::Refund, None),
        held(Some(Credits(5))),
        held(None),
        CreditLedgerEvent::HoldSettled {
            user_id: ALICE,
            request_id: ORDER,
            amount: Credits(3),
            balance_after: Credits(4),
            settled_at: minute(2),
        },
        CreditLedgerEvent::HoldReleased {
            user_id: ALICE,
            request_id: ORDER,
            amount: Credits(3),
            parts: parts(),
            balance_after: Credits(7),
            released_at: minute(2),
        },
        CreditLedgerEvent::CreditsExpired {
            user_id: ALICE,
            grant_id: SIGNUP,
            amount: Credits(1),
            balance_after: Credits(6),
            expired_at: minute(90),
        },
        CreditLedgerEvent::CreditsWithdrawn {
            user_id: ALICE,
            amount: Credits(3),
            parts: parts(),
            note: "booked twice".to_owned(),
            balance_after: Credits(3),
            withdrawn_at: minute(91),
        },
    ]
}
