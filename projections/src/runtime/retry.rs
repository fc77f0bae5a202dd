//! The second chance of parked events.
//!
//! A worker tries them again when it takes the lease (a newer program may be able to apply them) and when an
//! operator asks for it. Within an aggregate the order is kept: the first that fails again keeps the rest.

use std::collections::HashSet;

use event_log::{LogError, Position, Span, checkpoints};
use sqlx::Connection;

use super::batch::{Batch, apply_in_savepoint, open_all};
use super::error::ApplyError;
use super::halt::Halt;
use super::parked::{self, AggregateKey};

/// Aggregates that are tried again at one taking of the lease.
const RETRIED_AGGREGATES_MAX: i64 = 1000;

impl Batch<'_> {
    /// Tries all parked events again, and reads the names of the aggregates that have some left.
    pub(super) async fn retry_parked(&mut self) -> Result<(), Halt> {
        let name = self.name;
        for key in parked::aggregates(self.connection, name, Some(RETRIED_AGGREGATES_MAX)).await? {
            self.retry_aggregate(&key).await?;
        }
        self.learn_parked().await?;
        Ok(())
    }

    /// Reads the names of the aggregates that have parked events.
    pub(super) async fn learn_parked(&mut self) -> Result<(), LogError> {
        let left: HashSet<AggregateKey> =
            parked::aggregates(self.connection, self.name, None).await?.into_iter().collect();
        self.parked = left;
        Ok(())
    }

    async fn retry_aggregate(&mut self, key: &AggregateKey) -> Result<(), Halt> {
        let name = self.name;
        let mut tx = self.connection.begin().await?;
        let here = Span { after: self.position, upto: self.position };
        if !checkpoints::advance_in_tx(&mut tx, name, here, self.epoch).await? {
            return Err(Halt::Lost);
        }
        let positions = sqlx::query_scalar!(
            r#"
            UPDATE parked_events SET retry_requested_at = NULL
            WHERE projection = $1 AND aggregate_type = $2 AND aggregate_id = $3
            RETURNING position AS "position: Position"
            "#,
            name,
            key.aggregate_type,
            key.aggregate_id,
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut done = Vec::new();
        for position in in_order(positions) {
            let Some(event) = self.log.page(position.previous(), 1).await?.pop() else { break };
            let mut opened = open_all(self.log, vec![event], self.projection.spec().payloads).await?;
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
        sqlx::query!(
            r#"DELETE FROM parked_events WHERE projection = $1 AND position = ANY($2)"#,
            name,
            &done as _
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        if !done.is_empty() {
            tracing::info!(
                projection = name,
                aggregate_id = key.aggregate_id,
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
