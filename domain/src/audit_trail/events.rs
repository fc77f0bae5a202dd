//! The events of an audit trail.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event_names::event_names;
use crate::{Timestamp, UserId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AuditTrailEvent {
    ProjectionRetryRequested {
        admin: UserId,
        projection: String,
        /// The events that were parked at that time.
        parked: u64,
        requested_at: Timestamp,
    },
    WorkRetryRequested {
        admin: UserId,
        work_id: Uuid,
        role: String,
        task: String,
        requested_at: Timestamp,
    },
}

event_names!(AuditTrailEvent {
    ProjectionRetryRequested => "1.0",
    WorkRetryRequested => "1.0",
});
