//! The barrier behind what was read, where synchronous standbys are named.
//!
//! A commit waits for the standbys, but a read does not: after a crash of the primary it may show what no standby has.
//! So an answer that was read, and not committed just now, is given only behind a commit that waits for all before it.

use sqlx::PgExecutor;

/// Waits until everything that is committed here is on the standbys too. Without synchronous standbys it costs a round
/// trip.
pub(crate) async fn wait(executor: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'routix', '')::text
        WHERE current_setting('synchronous_standby_names') <> ''
        "#
    )
    .fetch_optional(executor)
    .await?;
    Ok(())
}
