//! Checkpoints of projections. Each moves in the transaction that writes the rows, so that both or neither
//! happen; fenced by the epoch of the lease.

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{Epoch, LogError, Position, Span};

/// The position up to which a projection has applied the log; 0 before its first event.
pub async fn position(executor: impl PgExecutor<'_>, projection: &str) -> Result<Position, LogError> {
    let position = sqlx::query_scalar!(
        r#"SELECT position AS "position: Position" FROM checkpoints WHERE projection = $1"#,
        projection
    )
    .fetch_optional(executor)
    .await?;
    Ok(position.unwrap_or_default())
}

/// Marks the checkpoint as that of `epoch` and tells where it stands. An older holder can move it no more.
pub async fn take_over(pool: &PgPool, projection: &str, epoch: Epoch) -> Result<Option<Position>, LogError> {
    let position = sqlx::query_scalar!(
        r#"
        INSERT INTO checkpoints AS c (projection, epoch) VALUES ($1, $2)
        ON CONFLICT ON CONSTRAINT checkpoints_pkey DO UPDATE SET epoch = excluded.epoch
        WHERE c.epoch <= excluded.epoch
        RETURNING position AS "position: Position"
        "#,
        projection,
        epoch.get()
    )
    .fetch_optional(pool)
    .await?;
    Ok(position)
}

/// Moves the checkpoint over a span; a stop that was noted before is over. Gives `false` when the checkpoint is not
/// where the span begins, or another epoch rules: the transaction must then be rolled back.
pub async fn advance_in_tx(
    connection: &mut PgConnection,
    projection: &str,
    span: Span,
    epoch: Epoch,
) -> Result<bool, LogError> {
    let moved = sqlx::query!(
        r#"
        UPDATE checkpoints
        SET position = $3,
            updated_at = CASE WHEN position = $3 THEN updated_at ELSE clock_timestamp() END,
            stop_reason = CASE WHEN position = $3 THEN stop_reason END,
            stopped_at = CASE WHEN position = $3 THEN stopped_at END
        WHERE projection = $1 AND position = $2 AND epoch = $4
        "#,
        projection,
        span.after.get(),
        span.upto.get(),
        epoch.get()
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Notes that the holder of `epoch` goes no further, and why. It stays noted until the checkpoint moves.
pub async fn stop(pool: &PgPool, projection: &str, epoch: Epoch, reason: &str) -> Result<(), LogError> {
    sqlx::query!(
        r#"
        UPDATE checkpoints
        SET stop_reason = left($3, 500), stopped_at = coalesce(stopped_at, clock_timestamp())
        WHERE projection = $1 AND epoch = $2
        "#,
        projection,
        epoch.get(),
        reason,
    )
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
    sqlx::query!(
        r#"
        INSERT INTO checkpoints AS c (projection, position, epoch) VALUES ($1, $2, $3)
        ON CONFLICT ON CONSTRAINT checkpoints_pkey DO UPDATE
        SET position = excluded.position, epoch = excluded.epoch, updated_at = clock_timestamp(),
            stop_reason = NULL, stopped_at = NULL
        "#,
        projection,
        position.get(),
        epoch.get()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The lowest checkpoint of all projections; 0 when there is none.
pub async fn lowest(pool: &PgPool) -> Result<Position, LogError> {
    let lowest = sqlx::query_scalar!(r#"SELECT min(position) AS "lowest: Position" FROM checkpoints"#)
        .fetch_one(pool)
        .await?;
    Ok(lowest.unwrap_or_default())
}

/// Every projection with its position.
pub async fn all(pool: &PgPool) -> Result<Vec<(String, Position)>, LogError> {
    let rows = sqlx::query!(
        r#"SELECT projection, position AS "position: Position" FROM checkpoints ORDER BY projection"#
    );
    Ok(rows.map(|row| (row.projection, row.position)).fetch_all(pool).await?)
}
