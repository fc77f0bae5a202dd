//! What admins do to the running of the house goes into their audit trails.

use domain::audit_trail::{AuditTrail, AuditTrailCommand};
use domain::{Timestamp, UserId};
use event_log::{CommandContext, clock};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CommandError, Commands, Done, outcome};

/// A retry that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedRetry {
    /// The number of things that are to be tried again.
    pub requested: u64,
    pub requested_at: Timestamp,
}

impl Commands {
    /// Writes down that `parked` events of a projection are to be tried again.
    pub async fn request_retry_of_projection(
        &self,
        context: CommandContext,
        admin: UserId,
        projection: &str,
        parked: u64,
    ) -> Result<Done<RequestedRetry>, CommandError> {
        let at = clock::now();
        let retry =
            AuditTrailCommand::RetryProjection { admin, projection: projection.to_owned(), parked, at };
        self.write_down(context, admin, retry, RequestedRetry { requested: parked, requested_at: at }).await
    }

    /// Writes down that a parked piece of work is to be tried again.
    pub async fn request_retry_of_work(
        &self,
        context: CommandContext,
        admin: UserId,
        work_id: Uuid,
        (role, task): (&str, &str),
    ) -> Result<Done<RequestedRetry>, CommandError> {
        let at = clock::now();
        let (role, task) = (role.to_owned(), task.to_owned());
        let retry = AuditTrailCommand::RetryWork { admin, work_id, role, task, at };
        self.write_down(context, admin, retry, RequestedRetry { requested: 1, requested_at: at }).await
    }

    /// The trail belongs to the house: it stays when the admin is erased.
    async fn write_down(
        &self,
        mut context: CommandContext,
        admin: UserId,
        act: AuditTrailCommand,
        outcome: RequestedRetry,
    ) -> Result<Done<RequestedRetry>, CommandError> {
        context.owner = None;
        let unit = self.log.unit::<CommandError>(context).execute::<AuditTrail>(admin, [act]);
        outcome::commit(unit, &outcome).await
    }
}
