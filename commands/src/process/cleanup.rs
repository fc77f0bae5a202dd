//! Objects that must not be kept: the picture of a deleted asset, and all that an erased person leaves outside the log,
//! whose unfinished requests are ended first. Doing it again changes nothing.

use std::collections::BTreeSet;

use cqrs_es::Aggregate;
use domain::asset::{Asset, AssetEvent};
use domain::generation_request::{FailureReason, GenerationRequest, GenerationRequestEvent};
use domain::{AssetId, RequestId};
use event_log::work::ClaimedWork;
use event_log::{OpenedEvent, Position, Span, objects};
use uuid::Uuid;

use super::{Outcome, Step, context, subject};
use crate::{CommandError, Commands};

const PAGE_EVENTS: i64 = 500;

/// The remains of a person, as events name them.
#[derive(Default)]
struct Left {
    requests: Vec<RequestId>,
    keys: BTreeSet<String>,
}

pub(super) async fn delete_objects(commands: &Commands, work: &ClaimedWork) -> Step {
    let asset_id: AssetId = subject(work)?;
    let mut keys: BTreeSet<String> =
        objects::of_subject(commands.log.pool(), asset_id.0).await?.into_iter().collect();
    if let Asset::Deleted { key, .. } = commands.log.load::<Asset>(asset_id).await?.state {
        keys.insert(key);
    }
    delete_all(commands, keys).await
}

pub(super) async fn erase_objects(commands: &Commands, work: &ClaimedWork) -> Step {
    let person: Uuid = subject(work)?;
    let Left { requests, .. } = left_of(commands, person).await?;
    // A request that is still drawn would store a picture behind our back, so requests end first.
    for request_id in requests {
        end_request(commands, work, request_id).await?;
    }
    let Left { mut keys, .. } = left_of(commands, person).await?;
    keys.extend(objects::of_owner(commands.log.pool(), person).await?);
    delete_all(commands, keys).await
}

/// Rows know what no event names, and events know what a restore took from the rows.
async fn delete_all(commands: &Commands, keys: BTreeSet<String>) -> Step {
    for key in keys {
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

async fn left_of(commands: &Commands, person: Uuid) -> Result<Left, CommandError> {
    let head = commands.log.head().await?;
    let mut span = Span { after: Position::ZERO, upto: head };
    let mut left = Left::default();
    loop {
        let page = commands.log.owner_page(person, span, PAGE_EVENTS).await?;
        let Some(last) = page.last() else { return Ok(left) };
        span.after = last.position;
        for event in page {
            // Nearly all events leave nothing; they need not be opened.
            let told = ["AssetUploaded", "GenerationRequested", "GenerationCompleted"];
            if told.contains(&event.event_type.as_str()) {
                left.add(&commands.log.open(event.into()).await?)?;
            }
        }
    }
}

impl Left {
    fn add(&mut self, event: &OpenedEvent) -> Result<(), CommandError> {
        match event.recorded.aggregate_type.as_str() {
            Asset::TYPE => {
                if let AssetEvent::AssetUploaded { picture, .. } = event.parse()? {
                    self.keys.insert(picture.key);
                }
            }
            GenerationRequest::TYPE => match event.parse()? {
                GenerationRequestEvent::GenerationRequested { job, .. } => self.requests.push(job.request_id),
                GenerationRequestEvent::GenerationCompleted { image, .. } => {
                    self.keys.insert(image.key);
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}
