//! Events that were set aside because they cannot be applied.

use chrono::{DateTime, Utc};
use event_log::{LogError, Position, RecordedEvent};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use crate::page::{Cursor, Rows};

/// An event that a projection set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    let rows = sqlx::query_as!(
        ParkedEvent,
        r#"
        SELECT
            projection,
            position AS "position: Position",
            aggregate_type,
            aggregate_id,
            reason,
            parked_at,
            retry_requested_at
        FROM parked_events
        ORDER BY projection, position
        LIMIT $1
        "#,
        limit,
    );
    Ok(rows.fetch_all(pool).await?)
}

/// Parked events of a projection behind a cursor, in order, and the number of all of them.
pub async fn parked_of(
    pool: &PgPool,
    projection: &str,
    cursor: Cursor,
) -> Result<Rows<ParkedEvent>, LogError> {
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "total!" FROM parked_events WHERE projection = $1"#,
        projection,
    );
    let total = total.fetch_one(pool).await?;
    let rows = sqlx::query_as!(
        ParkedEvent,
        r#"
        SELECT
            projection,
            position AS "position: Position",
            aggregate_type,
            aggregate_id,
            reason,
            parked_at,
            retry_requested_at
        FROM parked_events
        WHERE projection = $1 AND position > $2
        ORDER BY position
        LIMIT $3
        "#,
        projection,
        cursor.at.unwrap_or_default().get(),
        cursor.limit,
    );
    let rows = rows.fetch_all(pool).await?;
    Ok(Rows { rows, total })
}

/// Asks the worker of a projection to try its parked events again, and tells their number.
pub async fn request_retry(pool: &PgPool, projection: &str) -> Result<u64, LogError> {
    let asked = sqlx::query!(
        r#"UPDATE parked_events SET retry_requested_at = clock_timestamp() WHERE projection = $1"#,
        projection,
    )
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
    sqlx::query!(
        r#"
        INSERT INTO parked_events (projection, position, aggregate_type, aggregate_id, reason)
        VALUES ($1, $2, $3, $4, left($5, 500))
        ON CONFLICT ON CONSTRAINT parked_events_pkey DO NOTHING
        "#,
        projection,
        event.position.get(),
        event.aggregate_type,
        event.aggregate_id,
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The name of an aggregate that has parked events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct AggregateKey {
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: String,
}

impl AggregateKey {
    pub(super) fn of(event: &RecordedEvent) -> Self {
        Self { aggregate_type: event.aggregate_type.clone(), aggregate_id: event.aggregate_id.clone() }
    }
}

/// The aggregates that have parked events, in the order of the first of them; all of them without a limit.
pub(super) async fn aggregates(
    connection: &mut PgConnection,
    projection: &str,
    limit: Option<i64>,
) -> Result<Vec<AggregateKey>, LogError> {
    let rows = sqlx::query_as!(
        AggregateKey,
        r#"
        SELECT aggregate_type, aggregate_id
        FROM parked_events
        WHERE projection = $1
        GROUP BY aggregate_type, aggregate_id
        ORDER BY min(position)
        LIMIT $2
        "#,
        projection,
        limit,
    );
    Ok(rows.fetch_all(connection).await?)
}
