//! The state that decisions about credits rest on: the grants with something left, and the open holds.

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

use super::{CreditLedgerEvent, Part};
use crate::{Credits, GrantId, RequestId, Timestamp};

/// The rest of one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub grant_id: GrantId,
    pub remaining: Credits,
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreditLedger {
    /// Grants with something left, the first to be drawn on first.
    pub grants: Vec<Grant>,
    /// Open holds and what they drew. Each decision begins with a copy of this state, so the copies share their nodes.
    pub holds: RedBlackTreeMapSync<RequestId, Vec<Part>>,
}

impl CreditLedger {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    /// The amount that a hold may draw on.
    pub fn available(&self) -> Credits {
        self.grants.iter().map(|grant| grant.remaining).sum()
    }

    pub fn held(&self) -> Credits {
        self.holds.values().flatten().map(|part| part.amount).sum()
    }

    /// The parts that make up `amount`, soonest to expire first.
    pub(super) fn draw(&self, amount: Credits) -> Vec<Part> {
        let mut missing = amount;
        let mut parts = Vec::new();
        for grant in &self.grants {
            let taken = missing.min(grant.remaining);
            if taken > Credits::ZERO {
                parts.push(Part { grant_id: grant.grant_id, amount: taken, expires_at: grant.expires_at });
                missing = missing.minus(taken).unwrap_or_default();
            }
        }
        parts
    }

    pub(super) fn fold(&mut self, event: CreditLedgerEvent) {
        match event {
            CreditLedgerEvent::CreditsGranted { grant_id, amount, expires_at, .. } => {
                self.put(Part { grant_id, amount, expires_at });
            }
            CreditLedgerEvent::CreditsHeld { request_id, parts, .. } => {
                self.take(&parts);
                self.holds.insert_mut(request_id, parts);
            }
            CreditLedgerEvent::HoldSettled { request_id, .. } => {
                self.holds.remove_mut(&request_id);
            }
            CreditLedgerEvent::HoldReleased { request_id, parts, .. } => {
                self.holds.remove_mut(&request_id);
                for part in parts {
                    self.put(part);
                }
            }
            CreditLedgerEvent::CreditsExpired { grant_id, amount, .. } => {
                self.take(&[Part { grant_id, amount, expires_at: None }]);
            }
            CreditLedgerEvent::CreditsWithdrawn { parts, .. } => self.take(&parts),
        }
    }

    fn take(&mut self, parts: &[Part]) {
        for part in parts {
            if let Some(grant) = self.grants.iter_mut().find(|grant| grant.grant_id == part.grant_id) {
                grant.remaining = grant.remaining.minus(part.amount).unwrap_or_default();
            }
        }
        self.grants.retain(|grant| grant.remaining > Credits::ZERO);
    }

    fn put(&mut self, part: Part) {
        match self.grants.iter_mut().find(|grant| grant.grant_id == part.grant_id) {
            Some(grant) => grant.remaining = grant.remaining.plus(part.amount),
            None => self.grants.push(Grant {
                grant_id: part.grant_id,
                remaining: part.amount,
                expires_at: part.expires_at,
            }),
        }
        // A grant without an end is drawn on last; the sort is stable, so older grants come first.
        self.grants.sort_by_key(|grant| (grant.expires_at.is_none(), grant.expires_at));
    }
}
