//! Checkpoints of projections. Each moves in the transaction that writes the rows, so that both or neither
//! happen; fenced by the epoch of the lease.

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{Epoch, LogError, Position, Span};

/// The position up to which a projection has applied the log; 0 before its first event.
pub async fn position(executor: impl PgExecutor<'_>, projection: &str) -> Result<Position, LogError> {
    let position = sqlx::query_scalar("SELECT position FROM checkpoints WHERE projection = $1")
        .bind(projection)
        .fetch_optional(executor)
        .await?;
    Ok(position.unwrap_or_default())
}

/// Marks the checkpoint as that of `epoch` and tells where it stands. An older holder can move it no more.
pub async fn take_over(pool: &PgPool, projection: &str, epoch: Epoch) -> Result<Option<Position>, LogError> {
    let position = sqlx::query_scalar(
        "INSERT INTO checkpoints AS c (projection, epoch) VALUES ($1, $2) \
         ON CONFLICT ON CONSTRAINT checkpoints_pkey DO UPDATE SET epoch = excluded.epoch \
         WHERE c.epoch <= excluded.epoch \
         RETURNING position",
    )
    .bind(projection)
    .bind(epoch)
    .fetch_optional(pool)
    .await?;
    Ok(position)
}

/// Moves the checkpoint over a span; a stop that was noted before is over. Gives `false` when the checkpoint is not where
/// the span begins, or another epoch rules: the transaction must then be rolled back.
pub async fn advance_in_tx(
    connection: &mut PgConnection,
    projection: &str,
    span: Span,
    epoch: Epoch,
) -> Result<bool, LogError> {
    let moved = sqlx::query(
        "UPDATE checkpoints \
         SET position = $3, \
             updated_at = CASE WHEN position = $3 THEN updated_at ELSE clock_timestamp() END, \
             stop_reason = CASE WHEN position = $3 THEN stop_reason END, \
             stopped_at = CASE WHEN position = $3 THEN stopped_at END \
         WHERE projection = $1 AND position = $2 AND epoch = $4",
    )
    .bind(projection)
    .bind(span.after)
    .bind(span.upto)
    .bind(epoch)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Notes that the holder of `epoch` goes no further, and why. It stays noted until the checkpoint moves.
pub async fn stop(pool: &PgPool, projection: &str, epoch: Epoch, reason: &str) -> Result<(), LogError> {
    sqlx::query(
        "UPDATE checkpoints SET stop_reason = left($3, 500), stopped_at = coalesce(stopped_at, clock_timestamp()) \
         WHERE projection = $1 AND epoch = $2",
    )
    .bind(projection)
    .bind(epoch)
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(())
}

/// Puts the checkpoint somewhere else, for a read model that was exchanged. `epoch` is a new one of the
/// lease, so that the holder of the lease finds out.
pub async fn set_in_tx(
    connection: &mut PgConnection,
    projection: &str,
    position: Position,
    epoch: Epoch,
) -> Result<(), LogError> {
    sqlx::query(
        "INSERT INTO checkpoints AS c (projection, position, epoch) VALUES ($1, $2, $3) \
         ON CONFLICT ON CONSTRAINT checkpoints_pkey DO UPDATE \
         SET position = excluded.position, epoch = excluded.epoch, updated_at = clock_timestamp(), \
             stop_reason = NULL, stopped_at = NULL",
    )
    .bind(projection)
    .bind(position)
    .bind(epoch)
    .execute(connection)
    .await?;
    Ok(())
}

/// The lowest checkpoint of all projections; 0 when there is none.
pub async fn lowest(pool: &PgPool) -> Result<Position, LogError> {
    let lowest: Option<Position> =
        sqlx::query_scalar("SELECT min(position) FROM checkpoints").fetch_one(pool).await?;
    Ok(lowest.unwrap_or_default())
}

/// Every projection with its position.
pub async fn all(pool: &PgPool) -> Result<Vec<(String, Position)>, LogError> {
    Ok(sqlx::query_as("SELECT projection, position FROM checkpoints ORDER BY projection")
        .fetch_all(pool)
        .await?)
}
