//! The commands to an audit trail, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use uuid::Uuid;

use super::{AuditTrail, AuditTrailError, AuditTrailEvent};
use crate::{Timestamp, UserId};

#[derive(Debug, Clone)]
pub enum AuditTrailCommand {
    /// Parked events of a projection are to be tried again.
    RetryProjection { admin: UserId, projection: String, parked: u64, at: Timestamp },
    /// A parked piece of work is to be tried again.
    RetryWork { admin: UserId, work_id: Uuid, role: String, task: String, at: Timestamp },
}

impl Aggregate for AuditTrail {
    const TYPE: &'static str = "audit_trail";
    type Command = AuditTrailCommand;
    type Event = AuditTrailEvent;
    type Error = AuditTrailError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AuditTrailCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AuditTrailError> {
        sink.write(decide(command), self).await;
        Ok(())
    }

    fn apply(&mut self, event: AuditTrailEvent) {
        self.fold(&event);
    }
}

fn decide(command: AuditTrailCommand) -> AuditTrailEvent {
    match command {
        AuditTrailCommand::RetryProjection { admin, projection, parked, at } => {
            AuditTrailEvent::ProjectionRetryRequested { admin, projection, parked, requested_at: at }
        }
        AuditTrailCommand::RetryWork { admin, work_id, role, task, at } => {
            AuditTrailEvent::WorkRetryRequested { admin, work_id, role, task, requested_at: at }
        }
    }
}
