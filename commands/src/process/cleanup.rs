//! Objects that must not be kept: the picture of a deleted asset, and all that an erased person leaves outside the log,
//! whose unfinished requests are ended first. Doing it again changes nothing.

use domain::RequestId;
use domain::generation_request::{FailureReason, GenerationRequest};
use event_log::work::ClaimedWork;
use event_log::{Position, Span, objects};
use uuid::Uuid;

use super::{Outcome, Step, context, subject};
use crate::{CommandError, Commands};

const PAGE_EVENTS: i64 = 500;

pub(super) async fn delete_objects(commands: &Commands, work: &ClaimedWork) -> Step {
    for key in objects::of_subject(commands.log.pool(), subject(work)?).await? {
        commands.delete_object(&key).await?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn erase_objects(commands: &Commands, work: &ClaimedWork) -> Step {
    let person: Uuid = subject(work)?;
    // A request that is still drawn would store a picture behind our back, so requests end first.
    for request_id in requests_of(commands, person).await? {
        end_request(commands, work, request_id).await?;
    }
    for key in objects::of_owner(commands.log.pool(), person).await? {
        commands.delete_object(&key).await?;
    }
    Ok(Outcome::Done)
}

async fn end_request(
    commands: &Commands,
    work: &ClaimedWork,
    request_id: RequestId,
) -> Result<(), CommandError> {
    let loaded = commands.log.load::<GenerationRequest>(request_id).await?;
    if let GenerationRequest::InProgress { job, .. } = &loaded.state {
        let context = context("cleanup", work, &format!("end {request_id}"));
        commands.fail_generation(context, job, FailureReason::Internal).await?;
    }
    Ok(())
}

async fn requests_of(commands: &Commands, person: Uuid) -> Result<Vec<RequestId>, CommandError> {
    let head = commands.log.head().await?;
    let mut span = Span { after: Position::ZERO, upto: head };
    let mut requests = Vec::new();
    loop {
        let page = commands.log.owner_page(person, span, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { return Ok(requests) };
        span.after = last.position;
        let begun = page.iter().filter(|event| event.event_type == "GenerationRequested");
        requests.extend(begun.filter_map(|event| event.aggregate_id.parse().ok().map(RequestId)));
    }
}
