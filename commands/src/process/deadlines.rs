//! Deadlines: a request that has not ended in time ends by itself. A timer that fires late changes nothing.

use domain::RequestId;
use domain::generation_request::{FailureReason, GenerationRequest};
use event_log::work::ClaimedWork;

use super::{Outcome, Step, context, subject};
use crate::Commands;

pub(super) async fn fire(commands: &Commands, work: &ClaimedWork) -> Step {
    let request_id: RequestId = subject(work)?;
    let loaded = commands.log.load::<GenerationRequest>(request_id).await?;
    if let GenerationRequest::InProgress { job, .. } = &loaded.state {
        commands
            .fail_generation(context("deadlines", work, "time out"), job, FailureReason::TimedOut)
            .await?;
    }
    Ok(Outcome::Done)
}
