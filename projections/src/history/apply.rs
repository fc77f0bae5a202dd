//! Writes `history`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::algorithm::Algorithm;
use domain::asset::Asset;
use domain::audit_trail::AuditTrail;
use domain::conversation::Conversation;
use domain::credit_ledger::CreditLedger;
use domain::generation_request::GenerationRequest;
use domain::session::Session;
use domain::template::Template;
use domain::user::User;
use event_log::{EventMetadata, OpenedEvent};
use sqlx::PgConnection;

use super::NAME;
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[
        Algorithm::TYPE,
        Asset::TYPE,
        AuditTrail::TYPE,
        Conversation::TYPE,
        CreditLedger::TYPE,
        GenerationRequest::TYPE,
        Session::TYPE,
        Template::TYPE,
        User::TYPE,
    ],
    ignored_events: &[],
    tables: &["history"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Closed,
    latency: Latency::Background,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct History;

#[async_trait]
impl Projection for History {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        let metadata: Vec<EventMetadata> = page.iter().map(OpenedEvent::metadata).collect();
        sqlx::query!(
            r#"
            INSERT INTO history (
                position, event_id, aggregate_type, aggregate_id, sequence, event_type, owner_id, actor,
                command_id, correlation_id, causation_id, recorded_at)
            SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[],
                                 $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::uuid[], $12::timestamptz[])
            "#,
            column(page, |event| event.recorded.position) as _,
            &column(page, |event| event.recorded.event_id),
            column(page, |event| event.recorded.aggregate_type.as_str()) as _,
            column(page, |event| event.recorded.aggregate_id.as_str()) as _,
            &column(page, |event| event.recorded.sequence),
            column(page, |event| event.recorded.event_type.as_str()) as _,
            column(page, |event| event.recorded.owner_id) as _,
            column(&metadata, |known| known.actor.as_deref().unwrap_or("unknown")) as _,
            column(&metadata, |known| known.command_id) as _,
            column(&metadata, |known| known.correlation_id) as _,
            column(&metadata, |known| known.causation_id) as _,
            &column(page, |event| event.recorded.recorded_at),
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

fn column<'a, S, T>(rows: &'a [S], value: impl Fn(&'a S) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
