//! Reads the log by position. Errors are errors, never the end of the log.

use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::{LogError, RecordedEvent};

/// Which log this is, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LogIdentity {
    pub log_id: Uuid,
    /// The id that the log was born with. It stays when the log becomes another one: what was done once for
    /// the log stays done.
    pub origin_id: Uuid,
    pub floor_position: i64,
    pub floor_chain: Vec<u8>,
}

/// Reads the log as it is stored, without any key.
#[derive(Debug, Clone)]
pub struct LogReader {
    pool: PgPool,
}

impl LogReader {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub async fn identity(&self) -> Result<LogIdentity, LogError> {
        identity(&self.pool).await
    }

    /// The last position.
    pub async fn head(&self) -> Result<i64, LogError> {
        head(&self.pool).await
    }

    /// Up to `limit` events after `after`, in order, still sealed.
    pub async fn page(&self, after: i64, limit: i64) -> Result<Vec<RecordedEvent>, LogError> {
        page(&self.pool, after, limit).await
    }
}

const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload::text AS payload, metadata::text AS metadata, event_id, owner_id, recorded_at, chain";

pub(crate) async fn identity(pool: &PgPool) -> Result<LogIdentity, LogError> {
    Ok(sqlx::query_as("SELECT log_id, origin_id, floor_position, floor_chain FROM log_identity")
        .fetch_one(pool)
        .await?)
}

/// The last position, or the floor of a log without events.
pub(crate) async fn head(executor: impl PgExecutor<'_>) -> Result<i64, LogError> {
    let head = sqlx::query_scalar(
        "SELECT coalesce((SELECT max(position) FROM events), (SELECT floor_position FROM log_identity))",
    );
    Ok(head.fetch_one(executor).await?)
}

pub(crate) async fn place(executor: impl PgExecutor<'_>) -> Result<(Uuid, i64), LogError> {
    let place = sqlx::query_as(
        "SELECT log_id, coalesce((SELECT max(position) FROM events), floor_position) FROM log_identity",
    );
    Ok(place.fetch_one(executor).await?)
}

/// The chain value at a position, or at the floor.
pub(crate) async fn chain_at(
    executor: impl PgExecutor<'_>,
    position: i64,
) -> Result<Option<Vec<u8>>, LogError> {
    let chain = sqlx::query_scalar(
        "SELECT chain FROM events WHERE position = $1 \
         UNION ALL \
         SELECT floor_chain FROM log_identity WHERE floor_position = $1",
    );
    Ok(chain.bind(position).fetch_optional(executor).await?)
}

/// Up to `limit` events after `after`, in order.
pub(crate) async fn page(
    executor: impl PgExecutor<'_>,
    after: i64,
    limit: i64,
) -> Result<Vec<RecordedEvent>, LogError> {
    // The column list is a constant of this module, so the text is the same at every call.
    let query = format!("SELECT {COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2");
    Ok(sqlx::query_as(&query).bind(after).bind(limit).fetch_all(executor).await?)
}

/// A person's events after `after` up to `upto`, in order, at most `limit`.
pub(crate) async fn owner_page(
    executor: impl PgExecutor<'_>,
    owner: Uuid,
    (after, upto): (i64, i64),
    limit: i64,
) -> Result<Vec<RecordedEvent>, LogError> {
    let query = format!(
        "SELECT {COLUMNS} FROM events \
         WHERE owner_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4"
    );
    Ok(sqlx::query_as(&query).bind(owner).bind(after).bind(upto).bind(limit).fetch_all(executor).await?)
}
