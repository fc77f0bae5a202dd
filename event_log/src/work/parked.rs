//! Rows that failed as often as they may: set aside with the reason, listed for admins, tried again when one asks.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::ClaimedWork;
use crate::{LogError, Position};

/// A row that waits for an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedWork {
    pub work_id: Uuid,
    pub role: String,
    pub task: String,
    pub subject: String,
    pub position: Position,
    /// The tries that failed.
    pub attempts: i32,
    /// The last error, without the words of a person.
    pub reason: String,
    pub parked_at: DateTime<Utc>,
}

/// Some parked rows, and the number of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedPage {
    pub rows: Vec<ParkedWork>,
    pub total: i64,
}

/// Sets a claimed row aside. `false` when somebody else holds it.
pub async fn park(pool: &PgPool, work: &ClaimedWork, error: &str) -> Result<bool, LogError> {
    let parked = sqlx::query!(
        r#"
        UPDATE work SET parked_at = clock_timestamp(), held_until = NULL, last_error = left($3, 500)
        WHERE work_id = $1 AND fence = $2 AND done_at IS NULL
        "#,
        work.work_id,
        work.fence,
        error
    )
    .execute(pool)
    .await?;
    Ok(parked.rows_affected() == 1)
}

/// Parked rows in the order of their causes, from behind the row `after`, which may have left the list meanwhile.
pub async fn list_parked(pool: &PgPool, after: Option<Uuid>, limit: i64) -> Result<ParkedPage, LogError> {
    let total = sqlx::query_scalar!(r#"SELECT count(*) AS "total!" FROM work WHERE parked_at IS NOT NULL"#);
    let total = total.fetch_one(pool).await?;
    let rows = sqlx::query_as!(
        ParkedWork,
        r#"
        SELECT
            work_id,
            role,
            task,
            subject,
            position AS "position: Position",
            attempts,
            coalesce(last_error, '') AS "reason!",
            parked_at AS "parked_at!"
        FROM work
        WHERE parked_at IS NOT NULL
          AND ($1::uuid IS NULL OR (position, work_id) > (SELECT a.position, a.work_id FROM work AS a WHERE a.work_id = $1))
        ORDER BY position, work_id
        LIMIT $2
        "#,
        after,
        limit,
    );
    Ok(ParkedPage { rows: rows.fetch_all(pool).await?, total })
}

/// Role and task of a row, parked or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub role: String,
    pub task: String,
    pub is_parked: bool,
}

/// Looks a row up; `None` when there is none.
pub async fn find(pool: &PgPool, work_id: Uuid) -> Result<Option<Found>, LogError> {
    let found = sqlx::query_as!(
        Found,
        r#"SELECT role, task, parked_at IS NOT NULL AS "is_parked!" FROM work WHERE work_id = $1"#,
        work_id,
    );
    Ok(found.fetch_optional(pool).await?)
}

/// Opens a parked row again, with all its tries. `false` when it is not parked.
pub async fn retry_parked(pool: &PgPool, work_id: Uuid) -> Result<bool, LogError> {
    let opened = sqlx::query!(
        r#"
        UPDATE work SET parked_at = NULL, attempts = 0, due_at = clock_timestamp()
        WHERE work_id = $1 AND parked_at IS NOT NULL
        "#,
        work_id,
    )
    .execute(pool)
    .await?;
    Ok(opened.rows_affected() == 1)
}
