//! The open tasks of process managers. Work is found from state, not from delivery: a projection turns
//! events into rows, workers claim rows, and a message only wakes them. A timer is a row that is due later.
//!
//! Rows of one subject are done one after the other, in the order of their causes. A claim ends by itself,
//! and its fence tells a worker that was paused that somebody else took over. A row that failed too often is
//! parked: it waits for an admin, and the rows behind it go on.

mod parked;

pub use parked::{Found, ParkedPage, ParkedWork, find, list_parked, park, retry_parked};

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{LogError, Position, clock};

/// Something to do, as an event calls for it.
#[derive(Debug, Clone)]
pub struct NewWork<'a> {
    /// Which process manager does it.
    pub role: &'a str,
    pub task: &'a str,
    /// The aggregate that it concerns; rows of one subject keep their order.
    pub subject: &'a str,
    /// The event that calls for it.
    pub position: Position,
    pub cause: Uuid,
    pub correlation_id: Uuid,
    pub owner: Option<Uuid>,
    /// The trace of the event, W3C Trace Context.
    pub traceparent: Option<String>,
    /// The language in the event's metadata.
    pub language: Option<String>,
    /// The time of the event.
    pub caused_at: DateTime<Utc>,
    /// `None` for at once.
    pub due_at: Option<DateTime<Utc>>,
}

/// A row that this worker holds until its claim ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedWork {
    pub work_id: Uuid,
    pub task: String,
    pub subject: String,
    pub position: Position,
    pub cause: Uuid,
    pub correlation_id: Uuid,
    pub owner_id: Option<Uuid>,
    pub traceparent: Option<String>,
    pub language: Option<String>,
    /// The age of the cause at the claim, by the clock of the database.
    pub age_seconds: i64,
    /// 1 at the first claim. A claim counts from its beginning, so that a row that takes its worker down with it is
    /// counted too; a failure that is not the row's gives its try back.
    pub attempts: i32,
    /// Rises with every claim: whoever holds an older one may no longer act.
    pub fence: i64,
}

/// Adds rows in the projection's transaction. The same cause and task give the same row.
pub async fn add_in_tx(connection: &mut PgConnection, work: &[NewWork<'_>]) -> Result<(), LogError> {
    if work.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = work
        .iter()
        .map(|work| clock::derived_id(work.cause, &format!("{}/{}", work.role, work.task)))
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO work (work_id, role, task, subject, position, cause, correlation_id, owner_id,
                          traceparent, language, caused_at, due_at)
        SELECT w.work_id, w.role, w.task, w.subject, w.position, w.cause, w.correlation_id, w.owner_id,
               w.traceparent, w.language, w.caused_at, coalesce(w.due_at, clock_timestamp())
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::uuid[],
                    $8::uuid[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
            AS w (work_id, role, task, subject, position, cause, correlation_id, owner_id, traceparent,
                  language, caused_at, due_at)
        ON CONFLICT ON CONSTRAINT work_pkey DO NOTHING
        "#,
        &ids,
        column(work, |work| work.role) as _,
        column(work, |work| work.task) as _,
        column(work, |work| work.subject) as _,
        column(work, |work| work.position) as _,
        &column(work, |work| work.cause),
        &column(work, |work| work.correlation_id),
        column(work, |work| work.owner) as _,
        column(work, |work| work.traceparent.as_deref()) as _,
        column(work, |work| work.language.as_deref()) as _,
        &column(work, |work| work.caused_at),
        column(work, |work| work.due_at) as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn column<'a, T>(work: &'a [NewWork<'_>], value: impl Fn(&'a NewWork<'_>) -> T) -> Vec<T> {
    work.iter().map(value).collect()
}

/// The rows that a worker can do: those of its role whose task it knows. A row of another task was written by a
/// newer program. It stays open for that program, and so do the rows behind it that are about the same subject.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub role: &'a str,
    pub tasks: &'a [&'a str],
}

/// Claims up to `limit` known rows that are due, for `life`.
///
/// A row must be the first open one of its subject. The question is put as an ordered look at one row, which the index of
/// subjects alone serves: asked whether an earlier row exists, a planner that believes the table to be empty reads all open
/// rows of the role for each of them. The rows are gathered into an array first, because a planner may carry a subquery out
/// once per row of the table, and each time the limit counts anew.
pub async fn claim(
    pool: &PgPool,
    known: Known<'_>,
    life: Duration,
    limit: i64,
) -> Result<Vec<ClaimedWork>, LogError> {
    let claimed = sqlx::query_as!(
        ClaimedWork,
        r#"
        UPDATE work SET held_until = clock_timestamp() + make_interval(secs => $2),
                        fence = fence + 1, attempts = attempts + 1
        WHERE work_id = ANY (ARRAY (
            SELECT w.work_id FROM work AS w
            WHERE w.role = $1 AND w.task = ANY($4) AND w.done_at IS NULL AND w.parked_at IS NULL
              AND w.due_at <= clock_timestamp()
              AND (w.held_until IS NULL OR w.held_until < clock_timestamp())
              AND w.position = (
                  SELECT first.position FROM work AS first
                  WHERE first.role = w.role AND first.subject = w.subject
                    AND first.done_at IS NULL AND first.parked_at IS NULL
                  ORDER BY first.position LIMIT 1)
            ORDER BY w.due_at, w.position
            FOR UPDATE SKIP LOCKED
            LIMIT $3))
        RETURNING
            work_id,
            task,
            subject,
            position AS "position: Position",
            cause,
            correlation_id,
            owner_id,
            traceparent,
            language,
            extract(epoch FROM clock_timestamp() - caused_at)::bigint AS "age_seconds!",
            attempts,
            fence
        "#,
        known.role,
        life.as_secs_f64(),
        limit,
        known.tasks as _,
    )
    .fetch_all(pool)
    .await?;
    Ok(claimed)
}

/// Prolongs a claim. `false` when somebody else holds the row: the worker must stop at once.
pub async fn renew(pool: &PgPool, work: &ClaimedWork, life: Duration) -> Result<bool, LogError> {
    let renewed = sqlx::query!(
        r#"
        UPDATE work SET held_until = clock_timestamp() + make_interval(secs => $3)
        WHERE work_id = $1 AND fence = $2 AND done_at IS NULL
        "#,
        work.work_id,
        work.fence,
        life.as_secs_f64()
    )
    .execute(pool)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// Marks a row as done.
pub async fn finish(pool: &PgPool, work: &ClaimedWork) -> Result<bool, LogError> {
    let done = sqlx::query!(
        r#"
        UPDATE work SET done_at = clock_timestamp(), held_until = NULL, last_error = NULL
        WHERE work_id = $1 AND fence = $2 AND done_at IS NULL
        "#,
        work.work_id,
        work.fence
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Why a row is given back.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    pub error: &'a str,
    /// The failure was not the row's, as while the database is away: its try is given back.
    pub is_excused: bool,
}

/// Gives a row back to be tried again after `delay`.
pub async fn retry_later(
    pool: &PgPool,
    work: &ClaimedWork,
    delay: Duration,
    failure: Failure<'_>,
) -> Result<(), LogError> {
    sqlx::query!(
        r#"
        UPDATE work SET due_at = clock_timestamp() + make_interval(secs => $3), held_until = NULL,
                        attempts = attempts - CASE WHEN $5 THEN 1 ELSE 0 END,
                        last_error = left($4, 500)
        WHERE work_id = $1 AND fence = $2 AND done_at IS NULL
        "#,
        work.work_id,
        work.fence,
        delay.as_secs_f64(),
        failure.error,
        failure.is_excused,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The time until the next known row can be claimed; `None` when no known row is open, zero when a row can be claimed
/// now.
pub async fn next_due(pool: &PgPool, known: Known<'_>) -> Result<Option<Duration>, LogError> {
    let seconds = sqlx::query_scalar!(
        r#"
        SELECT
            (extract(epoch FROM min(greatest(due_at, coalesce(held_until, due_at))) - clock_timestamp()))::float8
        FROM work AS w
        WHERE w.role = $1 AND w.task = ANY($2) AND w.done_at IS NULL AND w.parked_at IS NULL
          AND w.position = (
              SELECT first.position FROM work AS first
              WHERE first.role = w.role AND first.subject = w.subject
                AND first.done_at IS NULL AND first.parked_at IS NULL
              ORDER BY first.position LIMIT 1)
        "#,
        known.role,
        known.tasks as _,
    )
    .fetch_one(pool)
    .await?;
    Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
}

/// The work of a role that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub role: String,
    /// Rows that are due, claimed or not.
    pub due: i64,
    /// Rows that are due later: retries and timers.
    pub later: i64,
    /// Rows that failed too often and wait for an admin.
    pub parked: i64,
}

/// The work that is not done, by role. A role without such rows is left out. Open and parked rows are counted apart,
/// each by an index of its own: the rows that are done are many.
pub async fn queues(pool: &PgPool) -> Result<Vec<Queue>, LogError> {
    let rows = sqlx::query_as!(
        Queue,
        r#"
        SELECT role AS "role!", sum(due)::bigint AS "due!", sum(later)::bigint AS "later!",
               sum(parked)::bigint AS "parked!"
        FROM (
            SELECT role, count(*) FILTER (WHERE due_at <= clock_timestamp()) AS due,
                   count(*) FILTER (WHERE due_at > clock_timestamp()) AS later, 0 AS parked
            FROM work WHERE done_at IS NULL AND parked_at IS NULL GROUP BY role
            UNION ALL
            SELECT role, 0, 0, count(*) FROM work WHERE parked_at IS NOT NULL GROUP BY role) AS counted
        GROUP BY role ORDER BY role
        "#
    );
    Ok(rows.fetch_all(pool).await?)
}
