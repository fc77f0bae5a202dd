//! How far projections are.

use event_log::{EventLog, LogError};
use serde::Serialize;
use sqlx::PgPool;

/// How far a projection is behind the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Progress {
    pub projection: String,
    pub position: i64,
    /// Events that it has not seen yet.
    pub behind: i64,
    /// Events that it could not apply.
    pub parked: i64,
}

/// Where every projection stands that ever ran.
pub async fn progress(log: &EventLog) -> Result<Vec<Progress>, LogError> {
    let head = log.head().await?;
    let rows = sqlx::query_as(
        "SELECT c.projection, c.position, greatest($1 - c.position, 0) AS behind, count(p.position) AS parked \
         FROM checkpoints AS c LEFT JOIN parked_events AS p ON p.projection = c.projection \
         GROUP BY c.projection, c.position ORDER BY c.projection",
    );
    Ok(rows.bind(head).fetch_all(log.pool()).await?)
}

/// Whether a worker that has come to `position` has to start again: its read model was emptied under it, or
/// somebody wants parked events to be tried again.
pub(super) async fn must_start_again(
    pool: &PgPool,
    projection: &str,
    position: i64,
) -> Result<bool, LogError> {
    let must = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM checkpoints WHERE projection = $1 AND position < $2) \
             OR EXISTS (SELECT 1 FROM parked_events WHERE projection = $1 AND retry_requested_at IS NOT NULL)",
    );
    Ok(must.bind(projection).bind(position).fetch_one(pool).await?)
}
