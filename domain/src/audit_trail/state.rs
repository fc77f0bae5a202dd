//! The state of an audit trail: no decision rests on it but that it goes on.

use serde::{Deserialize, Serialize};

use super::AuditTrailEvent;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditTrail {
    /// The number of acts that were written down.
    pub acts: u64,
}

impl AuditTrail {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub(super) fn fold(&mut self, event: &AuditTrailEvent) {
        match event {
            AuditTrailEvent::ProjectionRetryRequested { .. } | AuditTrailEvent::WorkRetryRequested { .. } => {
                self.acts += 1;
            }
        }
    }
}
