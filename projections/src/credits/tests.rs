//! The events of a ledger as lines of an account.

use chrono::DateTime;
use domain::credit_ledger::{CreditLedgerEvent, GrantReason};
use domain::{Credits, GrantId, RequestId, UserId};
use uuid::Uuid;

use super::TransactionKind;
use super::entry::{Entry, entry_of};

const USER: UserId = UserId(Uuid::from_u128(1));
const REQUEST: RequestId = RequestId(Uuid::from_u128(2));
const GRANT: GrantId = GrantId(Uuid::from_u128(3));
const AT: domain::Timestamp = DateTime::UNIX_EPOCH;

fn granted(reason: GrantReason) -> CreditLedgerEvent {
    CreditLedgerEvent::CreditsGranted {
        user_id: USER,
        grant_id: GRANT,
        amount: Credits(10),
        reason,
        expires_at: None,
        balance_after: Credits(10),
        granted_at: AT,
    }
}

fn signs(entry: &Entry) -> (TransactionKind, i64, i64, i64) {
    (entry.kind, entry.amount, entry.held, entry.balance_after)
}

#[test]
fn a_hold_moves_credits_aside_and_its_end_takes_or_returns_them() {
    let held = CreditLedgerEvent::CreditsHeld {
        user_id: USER,
        request_id: REQUEST,
        amount: Credits(4),
        parts: vec![],
        balance_after: Credits(6),
        crossed_low: None,
        held_at: AT,
    };
    let settled = CreditLedgerEvent::HoldSettled {
        user_id: USER,
        request_id: REQUEST,
        amount: Credits(4),
        balance_after: Credits(6),
        settled_at: AT,
    };
    let released = CreditLedgerEvent::HoldReleased {
        user_id: USER,
        request_id: REQUEST,
        amount: Credits(4),
        parts: vec![],
        balance_after: Credits(10),
        released_at: AT,
    };
    assert_eq!(signs(&entry_of(held)), (TransactionKind::Hold, -4, 4, 6));
    let settled = entry_of(settled);
    assert_eq!(signs(&settled), (TransactionKind::Settle, 0, -4, 6));
    assert_eq!(settled.description, "Paid 4 for a thumbnail");
    let released = entry_of(released);
    assert_eq!(signs(&released), (TransactionKind::Release, 4, -4, 10));
    assert_eq!(released.request_id, Some(REQUEST));
}

#[test]
fn the_reason_of_a_grant_gives_its_kind() {
    let kinds = [GrantReason::Signup, GrantReason::TopUp, GrantReason::Adjustment, GrantReason::Refund]
        .map(|reason| entry_of(granted(reason)).kind.name());
    assert_eq!(kinds, ["grant", "grant", "adjust", "refund"]);
}

#[test]
fn what_is_withdrawn_or_expires_is_negative() {
    let withdrawn = CreditLedgerEvent::CreditsWithdrawn {
        user_id: USER,
        amount: Credits(3),
        parts: vec![],
        note: "a mistake".to_owned(),
        balance_after: Credits(7),
        withdrawn_at: AT,
    };
    let expired = CreditLedgerEvent::CreditsExpired {
        user_id: USER,
        grant_id: GRANT,
        amount: Credits(7),
        balance_after: Credits(0),
        expired_at: AT,
    };
    let withdrawn = entry_of(withdrawn);
    assert_eq!(signs(&withdrawn), (TransactionKind::Adjust, -3, 0, 7));
    assert_eq!(withdrawn.description, "a mistake");
    assert_eq!(signs(&entry_of(expired)), (TransactionKind::Expire, -7, 0, 0));
}
