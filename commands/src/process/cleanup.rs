//! The remains of an erased person outside the log: unfinished requests are ended, pictures are deleted.
//! Doing it again changes nothing.

use cqrs_es::Aggregate;
use domain::RequestId;
use domain::asset::{Asset, AssetEvent};
use domain::generation_request::{FailureReason, GenerationRequest, GenerationRequestEvent};
use event_log::work::ClaimedWork;
use event_log::{OpenedEvent, Position, Span};
use uuid::Uuid;

use super::{Outcome, Step, context, subject};
use crate::{CommandError, Commands};

const PAGE_EVENTS: i64 = 500;

/// The remains of one event of the person.
enum Left {
    Request(RequestId),
    Object(String),
}

pub(super) async fn erase_objects(commands: &Commands, work: &ClaimedWork) -> Step {
    let person: Uuid = subject(work)?;
    // A request that is still drawn would store a picture behind our back, so requests end first.
    for left in left_of(commands, person).await? {
        if let Left::Request(request_id) = left {
            end_request(commands, work, request_id).await?;
        }
    }
    for left in left_of(commands, person).await? {
        if let Left::Object(key) = left {
            commands.providers.objects.delete(&key).await?;
        }
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

async fn left_of(commands: &Commands, person: Uuid) -> Result<Vec<Left>, CommandError> {
    let head = commands.log.head().await?;
    let mut span = Span { after: Position::ZERO, upto: head };
    let mut left = Vec::new();
    loop {
        let page = commands.log.owner_page(person, span, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { return Ok(left) };
        span.after = last.position;
        for event in page {
            // Nearly all events leave nothing; they need not be opened.
            let told = ["AssetUploaded", "GenerationRequested", "GenerationCompleted"];
            if told.contains(&event.event_type.as_str()) {
                left.extend(left_by(&commands.log.open(event.into()).await?)?);
            }
        }
    }
}

fn left_by(event: &OpenedEvent) -> Result<Option<Left>, CommandError> {
    Ok(match event.recorded.aggregate_type.as_str() {
        Asset::TYPE => match event.parse()? {
            AssetEvent::AssetUploaded { picture, .. } => Some(Left::Object(picture.key)),
            AssetEvent::AssetDeleted { .. } => None,
        },
        GenerationRequest::TYPE => match event.parse()? {
            GenerationRequestEvent::GenerationRequested { job, .. } => Some(Left::Request(job.request_id)),
            GenerationRequestEvent::GenerationCompleted { image, .. } => Some(Left::Object(image.key)),
            _ => None,
        },
        _ => None,
    })
}
