//! Writes `history`.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::algorithm::Algorithm;
use domain::asset::Asset;
use domain::conversation::Conversation;
use domain::credit_ledger::CreditLedger;
use domain::generation_request::GenerationRequest;
use domain::session::Session;
use domain::template::Template;
use domain::user::User;
use event_log::{EventMetadata, OpenedEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use crate::runtime::{ApplyError, Projection};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct History;

#[async_trait]
impl Projection for History {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[
            Algorithm::TYPE,
            Asset::TYPE,
            Conversation::TYPE,
            CreditLedger::TYPE,
            GenerationRequest::TYPE,
            Session::TYPE,
            Template::TYPE,
            User::TYPE,
        ]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["history"]
    }

    fn reads_payloads(&self) -> bool {
        false
    }

    /// An auditor looks back.
    fn is_awaited(&self) -> bool {
        false
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        insert(tx, std::slice::from_ref(event)).await
    }

    async fn apply_page(&self, tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
        insert(tx, events).await
    }
}

async fn insert(tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
    let metadata: Vec<EventMetadata> = events.iter().map(OpenedEvent::metadata).collect();
    let ids = |id: fn(&EventMetadata) -> Option<Uuid>| metadata.iter().map(id).collect::<Vec<_>>();
    let texts = |text: fn(&OpenedEvent) -> &str| events.iter().map(text).collect::<Vec<_>>();
    let numbers = |number: fn(&OpenedEvent) -> i64| events.iter().map(number).collect::<Vec<_>>();
    let recorded_at: Vec<DateTime<Utc>> = events.iter().map(|event| event.recorded.recorded_at).collect();
    sqlx::query(
        "INSERT INTO history ( \
             position, event_id, aggregate_type, aggregate_id, sequence, event_type, owner_id, actor, \
             command_id, correlation_id, causation_id, recorded_at) \
         SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], \
                              $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::uuid[], $12::timestamptz[])",
    )
    .bind(numbers(|event| event.recorded.position.get()))
    .bind(events.iter().map(|event| event.recorded.event_id).collect::<Vec<_>>())
    .bind(texts(|event| &event.recorded.aggregate_type))
    .bind(texts(|event| &event.recorded.aggregate_id))
    .bind(numbers(|event| event.recorded.sequence))
    .bind(texts(|event| &event.recorded.event_type))
    .bind(events.iter().map(|event| event.recorded.owner_id).collect::<Vec<_>>())
    .bind(metadata.iter().map(|known| known.actor.as_deref().unwrap_or("unknown")).collect::<Vec<_>>())
    .bind(ids(|known| known.command_id))
    .bind(ids(|known| known.correlation_id))
    .bind(ids(|known| known.causation_id))
    .bind(recorded_at)
    .execute(tx)
    .await?;
    Ok(())
}
