//! Events that were set aside because they cannot be applied, and their second chance.
//!
//! A worker tries them again when it takes the lease (a newer program may know what to do) and when an
//! operator asks for it. Within an aggregate the order is kept: the first that fails again keeps the rest.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use event_log::{LogError, Position, RecordedEvent, Span, checkpoints};
use serde::Serialize;
use sqlx::{Connection, PgConnection, PgPool};

use super::ApplyError;
use super::batch::{AggregateKey, Batch, Halt, apply_in_savepoint, open_all};
use crate::page::Rows;

/// Aggregates that are tried again at one taking of the lease.
const RETRIED_AGGREGATES_MAX: i64 = 1000;

/// One event that a projection set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct ParkedEvent {
    pub projection: String,
    pub position: Position,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub reason: String,
    pub parked_at: DateTime<Utc>,
    pub retry_requested_at: Option<DateTime<Utc>>,
}

/// Parked events of all projections, in order, at most `limit`.
pub async fn parked(pool: &PgPool, limit: i64) -> Result<Vec<ParkedEvent>, LogError> {
    let rows = sqlx::query_as(
        "SELECT projection, position, aggregate_type, aggregate_id, reason, parked_at, retry_requested_at \
         FROM parked_events ORDER BY projection, position LIMIT $1",
    );
    Ok(rows.bind(limit).fetch_all(pool).await?)
}

/// Parked events of one projection behind `after`, in order, and how many there are in all.
pub async fn parked_of(
    pool: &PgPool,
    projection: &str,
    (after, limit): (i64, i64),
) -> Result<Rows<ParkedEvent>, LogError> {
    let total = sqlx::query_scalar("SELECT count(*) FROM parked_events WHERE projection = $1");
    let total = total.bind(projection).fetch_one(pool).await?;
    let rows = sqlx::query_as(
        "SELECT projection, position, aggregate_type, aggregate_id, reason, parked_at, retry_requested_at \
         FROM parked_events WHERE projection = $1 AND position > $2 ORDER BY position LIMIT $3",
    );
    let rows = rows.bind(projection).bind(after).bind(limit).fetch_all(pool).await?;
    Ok(Rows { rows, total })
}

/// Asks the worker of a projection to try its parked events again, and tells how many there are.
pub async fn request_retry(pool: &PgPool, projection: &str) -> Result<u64, LogError> {
    let asked =
        sqlx::query("UPDATE parked_events SET retry_requested_at = clock_timestamp() WHERE projection = $1")
            .bind(projection)
            .execute(pool)
            .await?;
    Ok(asked.rows_affected())
}

pub(super) async fn park_in_tx(
    connection: &mut PgConnection,
    projection: &str,
    event: &RecordedEvent,
    reason: &str,
) -> Result<(), LogError> {
    tracing::error!(
        projection,
        position = %event.position,
        aggregate_type = event.aggregate_type,
        aggregate_id = event.aggregate_id,
        event_type = event.event_type,
        reason,
        "an event cannot be applied and is parked"
    );
    sqlx::query(
        "INSERT INTO parked_events (projection, position, aggregate_type, aggregate_id, reason) \
         VALUES ($1, $2, $3, $4, left($5, 500)) \
         ON CONFLICT ON CONSTRAINT parked_events_pkey DO NOTHING",
    )
    .bind(projection)
    .bind(event.position)
    .bind(&event.aggregate_type)
    .bind(&event.aggregate_id)
    .bind(reason)
    .execute(connection)
    .await?;
    Ok(())
}

async fn aggregates(
    connection: &mut PgConnection,
    projection: &str,
    limit: Option<i64>,
) -> Result<Vec<AggregateKey>, LogError> {
    let rows = sqlx::query_as(
        "SELECT aggregate_type, aggregate_id FROM parked_events WHERE projection = $1 \
         GROUP BY aggregate_type, aggregate_id ORDER BY min(position) LIMIT $2",
    );
    Ok(rows.bind(projection).bind(limit).fetch_all(connection).await?)
}

impl Batch<'_> {
    /// Tries all parked events again and learns which aggregates have some left.
    pub(super) async fn retry_parked(&mut self) -> Result<(), Halt> {
        let name = self.name;
        for key in aggregates(self.connection, name, Some(RETRIED_AGGREGATES_MAX)).await? {
            self.retry_aggregate(&key).await?;
        }
        self.learn_parked().await?;
        Ok(())
    }

    /// Learns which aggregates have parked events.
    pub(super) async fn learn_parked(&mut self) -> Result<(), LogError> {
        let left: HashSet<AggregateKey> =
            aggregates(self.connection, self.name, None).await?.into_iter().collect();
        self.parked = left;
        Ok(())
    }

    async fn retry_aggregate(&mut self, (aggregate_type, aggregate_id): &AggregateKey) -> Result<(), Halt> {
        let name = self.name;
        let mut tx = self.connection.begin().await?;
        if !checkpoints::advance_in_tx(
            &mut tx,
            name,
            Span { after: self.position, upto: self.position },
            self.epoch,
        )
        .await?
        {
            return Err(Halt::Lost);
        }
        let positions: Vec<Position> = sqlx::query_scalar(
            "UPDATE parked_events SET retry_requested_at = NULL \
             WHERE projection = $1 AND aggregate_type = $2 AND aggregate_id = $3 \
             RETURNING position",
        )
        .bind(name)
        .bind(aggregate_type)
        .bind(aggregate_id)
        .fetch_all(&mut *tx)
        .await?;
        let mut done = Vec::new();
        for position in in_order(positions) {
            let Some(event) = self.log.page(position.previous(), 1).await?.pop() else { break };
            let mut opened = open_all(self.log, vec![event], self.projection.reads_payloads()).await?;
            let applied = match opened.pop() {
                Some(Ok(event)) => apply_in_savepoint(self.projection, &mut tx, &event).await,
                Some(Err(_)) | None => break,
            };
            match applied {
                Ok(()) => done.push(position),
                Err(ApplyError::Transient(error)) => return Err(error.into()),
                Err(ApplyError::Poison { .. }) => break,
            }
        }
        sqlx::query("DELETE FROM parked_events WHERE projection = $1 AND position = ANY($2)")
            .bind(name)
            .bind(&done)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        if !done.is_empty() {
            tracing::info!(
                projection = name,
                aggregate_id,
                events = done.len(),
                "parked events were applied"
            );
        }
        Ok(())
    }
}

fn in_order(mut positions: Vec<Position>) -> Vec<Position> {
    positions.sort_unstable();
    positions
}
