//! Writes `work` and wakes the roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::conversation::Conversation;
use domain::generation_request::GenerationRequest;
use domain::template::Template;
use domain::user::User;
use event_log::OpenedEvent;
use event_log::work::{self, NewWork};
use nats::Bus;
use sqlx::PgConnection;

use super::orders::orders_of;
use super::{NAME, ROLE_ASSISTANT};
use crate::runtime::{ApplyError, Projection};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct WorkToDo;

#[async_trait]
impl Projection for WorkToDo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Conversation::TYPE, GenerationRequest::TYPE, Template::TYPE, User::TYPE]
    }

    /// A rebuild must not forget what was done.
    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn passes_over(&self) -> &'static [&'static str] {
        &["ConversationStarted", "ConversationRenamed", "ConversationArchived", "PictureAttached"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        self.apply_page(tx, std::slice::from_ref(event)).await
    }

    async fn apply_page(&self, tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
        let mut new = Vec::new();
        for event in events {
            let orders = orders_of(event)?;
            if orders.is_empty() {
                continue;
            }
            let metadata = event.metadata();
            new.extend(orders.into_iter().map(|order| NewWork {
                role: order.role,
                task: order.task,
                subject: &event.recorded.aggregate_id,
                position: event.recorded.position,
                cause: event.recorded.event_id,
                correlation_id: metadata.correlation_id.unwrap_or(event.recorded.event_id),
                owner: event.recorded.owner_id,
                traceparent: metadata.traceparent.clone(),
                due_at: order.due_at,
            }));
        }
        Ok(work::add_in_tx(tx, &new).await?)
    }

    /// Workers look for themselves from time to time; this only makes it quick.
    async fn after_commit(&self, bus: &Bus, applied: &[&OpenedEvent]) {
        if !bus.is_connected() {
            return;
        }
        let mut roles = BTreeSet::new();
        for event in applied {
            // A chat calls for the assistant only, and most events are of chats.
            let is_of_chat = event.recorded.aggregate_type == Conversation::TYPE;
            if !is_of_chat || !roles.contains(ROLE_ASSISTANT) {
                roles.extend(orders_of(event).into_iter().flatten().map(|order| order.role));
            }
        }
        for role in roles {
            if let Err(error) = bus.wake(role).await {
                tracing::debug!(role, %error, "a role was not woken");
            }
        }
    }
}
