//! Presence: which parts of the background work which processes run, by the clock of the database.
//!
//! Nothing is decided by it. It tells an operator what nobody runs, for which nothing else would be a sign: work that is not
//! done fails nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgPool;
use uuid::Uuid;

use crate::LogError;

/// Says that a process runs these parts, for `life`. What others let end long ago is removed.
pub async fn announce(pool: &PgPool, process: Uuid, parts: &[&str], life: Duration) -> Result<(), LogError> {
    sqlx::query!(
        r#"
        INSERT INTO running_parts (part, process, seen_until)
        SELECT part, $1, clock_timestamp() + make_interval(secs => $3) FROM unnest($2::text[]) AS p (part)
        ON CONFLICT ON CONSTRAINT running_parts_pkey DO UPDATE SET seen_until = excluded.seen_until
        "#,
        process,
        parts as _,
        life.as_secs_f64(),
    )
    .execute(pool)
    .await?;
    sqlx::query!(r#"DELETE FROM running_parts WHERE seen_until < clock_timestamp() - interval '1 hour'"#)
        .execute(pool)
        .await?;
    Ok(())
}

/// Takes back what a process said: it ends.
pub async fn withdraw(pool: &PgPool, process: Uuid) -> Result<(), LogError> {
    sqlx::query!(r#"DELETE FROM running_parts WHERE process = $1"#, process).execute(pool).await?;
    Ok(())
}

/// The number of processes that run each part. A part that nobody runs is left out.
pub async fn running(pool: &PgPool) -> Result<BTreeMap<String, i64>, LogError> {
    let rows = sqlx::query!(
        r#"
        SELECT part, count(*) AS "processes!" FROM running_parts
        WHERE seen_until > clock_timestamp() GROUP BY part
        "#
    );
    Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.part, row.processes)).collect())
}
