//! The rows that nobody needs any more: receipts past their end, and work that was done a while ago.
//!
//! They are removed slice by slice of the table as it lies on disk, a bounded number at a time, so that no statement
//! takes long and nobody waits for one. Several may clean at once: each passes over what another one holds.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use sqlx::PgPool;

use crate::LogError;

/// A piece of work is kept so long after it was done, for whoever looks into the table. Nothing needs it: a projection
/// that met its event again would add it anew, and the steps of the task would be repetitions.
const DONE_WORK_KEPT: TimeDelta = TimeDelta::hours(24);

/// A kind of rows that have an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    Receipts,
    Work,
}

/// A part of a table: from a block on, so many blocks, and at most so many rows of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    pub first_block: i64,
    pub blocks: i64,
    pub rows_max: i64,
}

impl Slice {
    /// The places of its first row and of the first row behind it, as Postgres writes a `tid`.
    fn bounds(self) -> (String, String) {
        (format!("({},0)", self.first_block), format!("({},0)", self.first_block + self.blocks))
    }
}

impl Expired {
    pub const ALL: [Self; 2] = [Self::Receipts, Self::Work];

    pub const fn table(self) -> &'static str {
        match self {
            Self::Receipts => "command_receipts",
            Self::Work => "work",
        }
    }

    /// The length of the table in blocks.
    pub async fn blocks(self, pool: &PgPool) -> Result<i64, LogError> {
        let blocks = sqlx::query_scalar!(
            r#"SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::bigint AS "blocks!""#,
            self.table(),
        );
        Ok(blocks.fetch_one(pool).await?)
    }

    /// The number of rows that are past their end.
    pub async fn count(self, pool: &PgPool, now: DateTime<Utc>) -> Result<i64, LogError> {
        let count = match self {
            Self::Receipts => {
                sqlx::query_scalar!(
                    r#"SELECT count(*) AS "count!" FROM command_receipts WHERE expires_at < $1"#,
                    now,
                )
                .fetch_one(pool)
                .await?
            }
            Self::Work => {
                sqlx::query_scalar!(
                    r#"SELECT count(*) AS "count!" FROM work WHERE done_at < $1"#,
                    now - DONE_WORK_KEPT,
                )
                .fetch_one(pool)
                .await?
            }
        };
        Ok(count)
    }

    /// Removes rows of a slice that are past their end, and tells their number. As many as a slice may lose: there may be
    /// more of them in it.
    pub async fn remove(self, pool: &PgPool, now: DateTime<Utc>, slice: Slice) -> Result<u64, LogError> {
        let (from, upto) = slice.bounds();
        let removed = match self {
            Self::Receipts => {
                sqlx::query!(
                    r#"
                    DELETE FROM command_receipts WHERE ctid = ANY (ARRAY (
                        SELECT ctid FROM command_receipts
                        WHERE ctid >= $1::text::tid AND ctid < $2::text::tid AND expires_at < $3
                        LIMIT $4
                        FOR UPDATE SKIP LOCKED))
                    "#,
                    from,
                    upto,
                    now,
                    slice.rows_max,
                )
                .execute(pool)
                .await?
            }
            Self::Work => {
                sqlx::query!(
                    r#"
                    DELETE FROM work WHERE ctid = ANY (ARRAY (
                        SELECT ctid FROM work
                        WHERE ctid >= $1::text::tid AND ctid < $2::text::tid
                          AND done_at < $3
                        LIMIT $4
                        FOR UPDATE SKIP LOCKED))
                    "#,
                    from,
                    upto,
                    now - DONE_WORK_KEPT,
                    slice.rows_max,
                )
                .execute(pool)
                .await?
            }
        };
        Ok(removed.rows_affected())
    }
}

/// How much a sweep does without a pause.
#[derive(Debug, Clone, Copy)]
pub struct SweepLimits {
    /// Rows of a statement.
    pub rows_max: i64,
    /// Blocks of the table that a statement looks through.
    pub blocks: i64,
    /// The rest after a statement that removed something: the disk is for others too.
    pub pause: Duration,
}

impl Default for SweepLimits {
    fn default() -> Self {
        Self { rows_max: 1000, blocks: 1000, pause: Duration::from_millis(20) }
    }
}

/// The rows that a sweep removed from a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    pub expired: Expired,
    pub rows: u64,
    /// The statements that removed some.
    pub batches: u64,
}

/// Removes from all tables what is past its end at `now`.
pub async fn sweep(pool: &PgPool, now: DateTime<Utc>, limits: SweepLimits) -> Result<Vec<Swept>, LogError> {
    let mut swept = Vec::new();
    for expired in Expired::ALL {
        swept.push(sweep_table(pool, expired, now, limits).await?);
    }
    Ok(swept)
}

async fn sweep_table(
    pool: &PgPool,
    expired: Expired,
    now: DateTime<Utc>,
    limits: SweepLimits,
) -> Result<Swept, LogError> {
    let mut swept = Swept { expired, rows: 0, batches: 0 };
    // What is added meanwhile is not past its end.
    let blocks = expired.blocks(pool).await?;
    let mut slice = Slice { first_block: 0, blocks: limits.blocks, rows_max: limits.rows_max };
    while slice.first_block < blocks {
        let removed = expired.remove(pool, now, slice).await?;
        // A slice that lost as many rows as it may is looked through once more.
        if i64::try_from(removed).is_ok_and(|removed| removed < limits.rows_max) {
            slice.first_block += limits.blocks;
        }
        if removed > 0 {
            swept.rows += removed;
            swept.batches += 1;
            tokio::time::sleep(limits.pause).await;
        }
    }
    counter!("routix_cleanup_removed_total", "table" => expired.table()).increment(swept.rows);
    Ok(swept)
}

/// The time by the clock of the database: a process whose own clock is wrong must not remove what is needed.
pub async fn now(pool: &PgPool) -> Result<DateTime<Utc>, LogError> {
    Ok(sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(pool).await?)
}
