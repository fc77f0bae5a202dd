//! Writes `generation_algorithms`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::algorithm::{Algorithm, AlgorithmEvent, Definition};
use domain::{AlgorithmId, Timestamp};
use event_log::OpenedEvent;
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;

use super::NAME;
use crate::runtime::{ApplyError, Projection, one_row, subject};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Algorithms;

#[async_trait]
impl Projection for Algorithms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Algorithm::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["generation_algorithms"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        let id = subject(event)?;
        let done = match event.parse()? {
            AlgorithmEvent::AlgorithmDefined { definition, defined_at } => {
                insert(tx, &definition, defined_at).await?
            }
            AlgorithmEvent::AlgorithmRepriced { credit_cost, cost, repriced_at } => {
                sqlx::query(
                    "UPDATE generation_algorithms \
                     SET credit_cost = $2, cost_micros = $3, updated_at = $4 WHERE id = $1",
                )
                .bind(id)
                .bind(i64::from(credit_cost.0))
                .bind(cost.0)
                .bind(repriced_at)
                .execute(tx)
                .await?
            }
            AlgorithmEvent::AlgorithmActivated { activated_at } => {
                sqlx::query(
                    "UPDATE generation_algorithms SET is_active = true, updated_at = $2 WHERE id = $1",
                )
                .bind(id)
                .bind(activated_at)
                .execute(tx)
                .await?
            }
            AlgorithmEvent::AlgorithmDeactivated { algorithm_id, deactivated_at } => {
                sqlx::query(
                    "UPDATE generation_algorithms SET is_active = false, updated_at = $2 WHERE id = $1",
                )
                .bind(algorithm_id.0)
                .bind(deactivated_at)
                .execute(tx)
                .await?
            }
            AlgorithmEvent::AlgorithmMadeDefault { algorithm_id, made_default_at } => {
                make_default(tx, algorithm_id, made_default_at).await?
            }
        };
        one_row(&done, "generation_algorithms")
    }
}

async fn insert(
    tx: &mut PgConnection,
    definition: &Definition,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query(
        "INSERT INTO generation_algorithms ( \
             id, slug, display_name, provider, config, credit_cost, cost_micros, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(definition.algorithm_id.0)
    .bind(definition.slug.as_str())
    .bind(&definition.display_name)
    .bind(&definition.provider)
    .bind(&definition.config)
    .bind(i64::from(definition.credit_cost.0))
    .bind(definition.cost.0)
    .bind(at)
    .execute(tx)
    .await
}

/// The former default steps down first: at no moment are there two.
async fn make_default(
    tx: &mut PgConnection,
    id: AlgorithmId,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query("UPDATE generation_algorithms SET is_default = false WHERE is_default AND id <> $1")
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE generation_algorithms SET is_default = true, updated_at = $2 WHERE id = $1")
        .bind(id.0)
        .bind(at)
        .execute(tx)
        .await
}
