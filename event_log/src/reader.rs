//! Reads the log by position. Errors are errors, never the end of the log.

use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::{LogError, Position, RecordedEvent, Span, Version};

/// Which log this is, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIdentity {
    pub log_id: Uuid,
    /// The id that the log was born with. It stays when the log becomes another one: what was done once for
    /// the log stays done.
    pub origin_id: Uuid,
    pub floor_position: Position,
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
    pub async fn head(&self) -> Result<Position, LogError> {
        head(&self.pool).await
    }

    /// Up to `limit` events after `after`, in order, still sealed.
    pub async fn page(&self, after: Position, limit: i64) -> Result<Vec<RecordedEvent>, LogError> {
        page(&self.pool, after, limit).await
    }
}

/// Reads events as they are stored: the columns of a [`RecordedEvent`], from the events that the rest of the statement
/// picks.
macro_rules! events {
    ($which:literal, $($value:expr),+) => {
        sqlx::query_as!(
            RecordedEvent,
            r#"
            SELECT
                position AS "position: Position",
                aggregate_type,
                aggregate_id,
                sequence,
                event_type,
                event_version,
                payload::text AS "payload!",
                metadata::text AS "metadata!",
                event_id,
                owner_id,
                recorded_at,
                chain,
                authentication
            FROM events
            "# + $which,
            $($value),+
        )
    };
}

pub(crate) async fn identity(pool: &PgPool) -> Result<LogIdentity, LogError> {
    let identity = sqlx::query_as!(
        LogIdentity,
        r#"
        SELECT log_id, origin_id, floor_position AS "floor_position: Position", floor_chain FROM log_identity
        "#
    );
    Ok(identity.fetch_one(pool).await?)
}

/// The last position, or the floor of a log without events.
pub(crate) async fn head(executor: impl PgExecutor<'_>) -> Result<Position, LogError> {
    let head = sqlx::query_scalar!(
        r#"
        SELECT coalesce((SELECT max(position) FROM events), (SELECT floor_position FROM log_identity))
            AS "head!: Position"
        "#
    );
    Ok(head.fetch_one(executor).await?)
}

pub(crate) async fn place(executor: impl PgExecutor<'_>) -> Result<(Uuid, Position), LogError> {
    let place = sqlx::query!(
        r#"
        SELECT log_id, coalesce((SELECT max(position) FROM events), floor_position) AS "head!: Position"
        FROM log_identity
        "#
    );
    Ok(place.map(|place| (place.log_id, place.head)).fetch_one(executor).await?)
}

/// The chain value at a position, or at the floor.
pub(crate) async fn chain_at(
    executor: impl PgExecutor<'_>,
    position: Position,
) -> Result<Option<Vec<u8>>, LogError> {
    let chain = sqlx::query_scalar!(
        r#"
        SELECT chain AS "chain!" FROM events WHERE position = $1
        UNION ALL
        SELECT floor_chain FROM log_identity WHERE floor_position = $1
        "#,
        position.get(),
    );
    Ok(chain.fetch_optional(executor).await?)
}

/// Up to `limit` events after `after`, in order.
pub(crate) async fn page(
    executor: impl PgExecutor<'_>,
    after: Position,
    limit: i64,
) -> Result<Vec<RecordedEvent>, LogError> {
    let page = events!("WHERE position > $1 ORDER BY position LIMIT $2", after.get(), limit);
    Ok(page.fetch_all(executor).await?)
}

/// A person's events within a span, in order, at most `limit`.
pub(crate) async fn owner_page(
    executor: impl PgExecutor<'_>,
    owner: Uuid,
    span: Span,
    limit: i64,
) -> Result<Vec<RecordedEvent>, LogError> {
    let page = events!(
        "WHERE owner_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4",
        owner,
        span.after.get(),
        span.upto.get(),
        limit
    );
    Ok(page.fetch_all(executor).await?)
}

/// The events that a reader of the log cares for: those of some aggregates, but for some names.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    pub aggregates: &'a [&'a str],
    /// Names of events.
    pub without: &'a [&'a str],
}

/// The events within a span that are of interest, in order, still sealed.
/// Positions are dense, so the answer is bounded by the span.
pub(crate) async fn events_between(
    executor: impl PgExecutor<'_>,
    span: Span,
    interest: Interest<'_>,
) -> Result<Vec<RecordedEvent>, LogError> {
    let events = events!(
        "WHERE position > $1 AND position <= $2 AND aggregate_type = ANY($3) AND event_type <> ALL($4)
         ORDER BY position",
        span.after.get(),
        span.upto.get(),
        interest.aggregates as _,
        interest.without as _
    );
    Ok(events.fetch_all(executor).await?)
}

/// The events at these positions, in order, still sealed.
pub(crate) async fn events_at(
    executor: impl PgExecutor<'_>,
    positions: &[Position],
) -> Result<Vec<RecordedEvent>, LogError> {
    let events = events!("WHERE position = ANY($1) ORDER BY position", positions as _);
    Ok(events.fetch_all(executor).await?)
}

/// The name of a stream.
#[derive(Debug, Clone, Copy)]
pub struct StreamName<'a> {
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
}

/// Up to `limit` events of a stream behind a sequence, in order, still sealed.
pub(crate) async fn stream_page(
    executor: impl PgExecutor<'_>,
    stream: StreamName<'_>,
    after: Version,
    limit: i64,
) -> Result<Vec<RecordedEvent>, LogError> {
    let page = events!(
        "WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
        stream.aggregate_type,
        stream.aggregate_id,
        after.get(),
        limit
    );
    Ok(page.fetch_all(executor).await?)
}
