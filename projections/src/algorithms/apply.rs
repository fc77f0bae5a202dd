//! Writes `generation_algorithms`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::algorithm::{Algorithm, AlgorithmEvent, Definition};
use domain::{AlgorithmId, Timestamp};
use event_log::OpenedEvent;
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;

use super::NAME;
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row, subject};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[Algorithm::TYPE],
    ignored_events: &[],
    tables: &["generation_algorithms"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Algorithms;

#[async_trait]
impl Projection for Algorithms {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            apply_event(tx, event).await?;
        }
        Ok(())
    }
}

async fn apply_event(tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
    let id = subject(event)?;
    let done = match event.parse()? {
        AlgorithmEvent::AlgorithmDefined { definition, defined_at } => {
            insert(tx, &definition, defined_at).await?
        }
        AlgorithmEvent::AlgorithmRepriced { credit_cost, cost, repriced_at } => {
            sqlx::query!(
                r#"
                UPDATE generation_algorithms
                SET credit_cost = $2, cost_micros = $3, updated_at = $4 WHERE id = $1
                "#,
                id,
                i64::from(credit_cost.0),
                cost.0,
                repriced_at,
            )
            .execute(tx)
            .await?
        }
        AlgorithmEvent::AlgorithmActivated { activated_at } => {
            sqlx::query!(
                r#"UPDATE generation_algorithms SET is_active = true, updated_at = $2 WHERE id = $1"#,
                id,
                activated_at,
            )
            .execute(tx)
            .await?
        }
        AlgorithmEvent::AlgorithmDeactivated { algorithm_id, deactivated_at } => {
            sqlx::query!(
                r#"UPDATE generation_algorithms SET is_active = false, updated_at = $2 WHERE id = $1"#,
                algorithm_id.0,
                deactivated_at,
            )
            .execute(tx)
            .await?
        }
        AlgorithmEvent::AlgorithmMadeDefault { algorithm_id, made_default_at } => {
            make_default(tx, algorithm_id, made_default_at).await?
        }
    };
    one_row(&done, "generation_algorithms")
}

async fn insert(
    tx: &mut PgConnection,
    definition: &Definition,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO generation_algorithms (
            id, slug, display_name, provider, config, credit_cost, cost_micros, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        "#,
        definition.algorithm_id.0,
        definition.slug.as_str(),
        &definition.display_name,
        &definition.provider,
        &definition.config,
        i64::from(definition.credit_cost.0),
        definition.cost.0,
        at,
    )
    .execute(tx)
    .await
}

/// The former default steps down first: at no moment are there two.
async fn make_default(
    tx: &mut PgConnection,
    id: AlgorithmId,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        r#"UPDATE generation_algorithms SET is_default = false WHERE is_default AND id <> $1"#,
        id.0,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"UPDATE generation_algorithms SET is_default = true, updated_at = $2 WHERE id = $1"#,
        id.0,
        at,
    )
    .execute(tx)
    .await
}
