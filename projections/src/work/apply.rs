//! Writes `work` and wakes the roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::asset::{Asset, AssetEvent};
use domain::conversation::{Conversation, ConversationEvent};
use domain::generation_request::GenerationRequest;
use domain::reactions::{Call, Cause, Role, called_for};
use domain::template::Template;
use domain::user::User;
use event_log::work::{self, NewWork};
use event_log::{LogError, OpenedEvent};
use nats::Bus;
use sqlx::PgConnection;

use super::NAME;
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, event_of};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[Asset::TYPE, Conversation::TYPE, GenerationRequest::TYPE, Template::TYPE, User::TYPE],
    ignored_events: &[
        event_of(AssetEvent::VERSIONS, "AssetUploaded"),
        event_of(ConversationEvent::VERSIONS, "ConversationStarted"),
        event_of(ConversationEvent::VERSIONS, "ConversationRenamed"),
        event_of(ConversationEvent::VERSIONS, "ConversationArchived"),
        event_of(ConversationEvent::VERSIONS, "PictureAttached"),
    ],
    // A rebuild must not forget which work was done.
    tables: &[],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct WorkToDo;

#[async_trait]
impl Projection for WorkToDo {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        let mut new = Vec::new();
        for event in page {
            let calls = calls_of(event)?;
            if calls.is_empty() {
                continue;
            }
            let metadata = event.metadata();
            new.extend(calls.into_iter().map(|call| NewWork {
                role: call.task.role().name(),
                task: call.task.name(),
                subject: &event.recorded.aggregate_id,
                position: event.recorded.position,
                cause: event.recorded.event_id,
                correlation_id: metadata.correlation_id.unwrap_or(event.recorded.event_id),
                owner: event.recorded.owner_id,
                traceparent: metadata.traceparent.clone(),
                language: metadata.language.clone(),
                caused_at: event.recorded.recorded_at,
                due_at: call.due_at,
            }));
        }
        Ok(work::add_in_tx(tx, &new).await?)
    }

    /// Wakes the workers. They look for themselves from time to time too, but later.
    async fn after_commit(&self, bus: &Bus, applied: &[&OpenedEvent]) {
        if !bus.is_connected() {
            return;
        }
        let mut roles = BTreeSet::new();
        for event in applied {
            // A chat calls for the assistant only, and most events are of chats.
            let is_of_chat = event.recorded.aggregate_type == Conversation::TYPE;
            if !is_of_chat || !roles.contains(&Role::Assistant) {
                roles.extend(calls_of(event).into_iter().flatten().map(|call| call.task.role()));
            }
        }
        for role in roles {
            if let Err(error) = bus.wake(role.name()).await {
                tracing::debug!(role = role.name(), %error, "a role was not woken");
            }
        }
    }
}

/// The work that a stored event calls for.
pub(super) fn calls_of(event: &OpenedEvent) -> Result<Vec<Call>, LogError> {
    Ok(match event.recorded.aggregate_type.as_str() {
        Conversation::TYPE => called_for(Cause::Conversation(&event.parse()?)),
        GenerationRequest::TYPE => called_for(Cause::GenerationRequest(&event.parse()?)),
        Template::TYPE => called_for(Cause::Template(&event.parse()?)),
        Asset::TYPE => called_for(Cause::Asset(&event.parse()?)),
        User::TYPE => called_for(Cause::User(&event.parse()?)),
        _ => vec![],
    })
}
