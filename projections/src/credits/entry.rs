//! An event of a ledger as a line of an account.

use domain::credit_ledger::{CreditLedgerEvent, GrantReason};
use domain::{Credits, RequestId, Timestamp, UserId, named};

named! {
    /// The kind of a transaction.
    TransactionKind {
        Grant => "grant",
        Hold => "hold",
        Settle => "settle",
        Release => "release",
        Refund => "refund",
        Adjust => "adjust",
        Expire => "expire",
    }
}

/// A line: the changes of the available balance and of the held credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) user_id: UserId,
    pub(super) kind: TransactionKind,
    pub(super) request_id: Option<RequestId>,
    /// The change of the available balance.
    pub(super) amount: i64,
    /// The change of what is held.
    pub(super) held: i64,
    pub(super) balance_after: i64,
    pub(super) description: String,
    pub(super) at: Timestamp,
}

pub(super) fn entry_of(event: CreditLedgerEvent) -> Entry {
    let plus = |amount: Credits| i64::from(amount.0);
    let minus = |amount: Credits| -i64::from(amount.0);
    match event {
        CreditLedgerEvent::CreditsGranted { user_id, amount, reason, balance_after, granted_at, .. } => {
            let (kind, description) = granted(reason);
            Entry {
                user_id,
                kind,
                request_id: None,
                amount: plus(amount),
                held: 0,
                balance_after: plus(balance_after),
                description: description.to_owned(),
                at: granted_at,
            }
        }
        CreditLedgerEvent::CreditsHeld { user_id, request_id, amount, balance_after, held_at, .. } => Entry {
            user_id,
            kind: TransactionKind::Hold,
            request_id: Some(request_id),
            amount: minus(amount),
            held: plus(amount),
            balance_after: plus(balance_after),
            description: "Held for a thumbnail".to_owned(),
            at: held_at,
        },
        CreditLedgerEvent::HoldSettled { user_id, request_id, amount, balance_after, settled_at } => Entry {
            user_id,
            kind: TransactionKind::Settle,
            request_id: Some(request_id),
            amount: 0,
            held: minus(amount),
            balance_after: plus(balance_after),
            description: format!("Paid {amount} for a thumbnail"),
            at: settled_at,
        },
        CreditLedgerEvent::HoldReleased {
            user_id, request_id, amount, balance_after, released_at, ..
        } => Entry {
            user_id,
            kind: TransactionKind::Release,
            request_id: Some(request_id),
            amount: plus(amount),
            held: minus(amount),
            balance_after: plus(balance_after),
            description: "Given back: no thumbnail was made".to_owned(),
            at: released_at,
        },
        CreditLedgerEvent::CreditsExpired { user_id, amount, balance_after, expired_at, .. } => Entry {
            user_id,
            kind: TransactionKind::Expire,
            request_id: None,
            amount: minus(amount),
            held: 0,
            balance_after: plus(balance_after),
            description: "Expired".to_owned(),
            at: expired_at,
        },
        CreditLedgerEvent::CreditsWithdrawn {
            user_id, amount, note, balance_after, withdrawn_at, ..
        } => Entry {
            user_id,
            kind: TransactionKind::Adjust,
            request_id: None,
            amount: minus(amount),
            held: 0,
            balance_after: plus(balance_after),
            description: note,
            at: withdrawn_at,
        },
    }
}

fn granted(reason: GrantReason) -> (TransactionKind, &'static str) {
    match reason {
        GrantReason::Signup => (TransactionKind::Grant, "Welcome credits"),
        GrantReason::TopUp => (TransactionKind::Grant, "Credits added"),
        GrantReason::Adjustment => (TransactionKind::Adjust, "Adjusted by an administrator"),
        GrantReason::Refund => (TransactionKind::Refund, "Refund"),
    }
}
