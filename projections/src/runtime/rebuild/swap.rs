//! Puts the tables that were built into the place of the live ones, in one transaction.
//!
//! The row of the live checkpoint is locked first: it is what the live worker writes first, so the worker
//! waits, and goes on where the new tables are. The tables themselves are locked last and for a moment;
//! a query that reads them for long is waited for in short turns, so that others do not queue up behind.

use std::collections::HashSet;
use std::time::Duration;

use event_log::{EventLog, LogError, Position, Span, checkpoints, leases};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use tokio::time::sleep;

use super::error::RebuildError;
use super::shape::quoted;
use super::stage::{EPOCH, Stage};
use crate::runtime::batch::{Batch, open_all};
use crate::runtime::projection::Projection;

const LOCK_TIMEOUT_MS: i64 = 300;
const TURNS_MAX: u32 = 60;
const PAUSE: Duration = Duration::from_millis(200);

/// The end of a turn that did not fail.
pub(super) enum Turn {
    /// The new tables are live and stand at this position; so many events are parked in them.
    Swapped { position: Position, parked: i64 },
    /// The live checkpoint is here, too far ahead.
    Behind(Position),
    /// Something else holds what has to be locked.
    Busy,
}

impl Stage {
    /// Swaps, or tells how far the stage has to come before it can: more than `last_events_max` events are not caught up
    /// with while the live worker waits.
    pub(super) async fn swap(
        &mut self,
        log: &EventLog,
        projection: &dyn Projection,
        last_events_max: i64,
    ) -> Result<Turn, RebuildError> {
        for _ in 0..TURNS_MAX {
            match self.try_swap(log, projection, last_events_max).await {
                Ok(Turn::Busy) => {}
                Err(RebuildError::Log(LogError::Unavailable(error))) if is_lock_timeout(&error) => {}
                turn => return turn,
            }
            sleep(PAUSE).await;
        }
        Ok(Turn::Busy)
    }

    async fn try_swap(
        &mut self,
        log: &EventLog,
        projection: &dyn Projection,
        last_events_max: i64,
    ) -> Result<Turn, RebuildError> {
        let spec = projection.spec();
        let mut tx = self.connection.begin().await?;
        sqlx::query!(r#"SELECT set_config('lock_timeout', $1, true)"#, format!("{LOCK_TIMEOUT_MS}ms"))
            .fetch_one(&mut *tx)
            .await?;
        let live = lock_checkpoint(&mut tx, &self.live, spec.name).await?;
        if live.since(self.position) > last_events_max {
            return Ok(Turn::Behind(live));
        }
        let reached = live.max(self.position);
        if reached > self.position {
            let span = Span { after: self.position, upto: reached };
            let events = log.events_between(log.pool(), span, spec.interest()).await?;
            let opened = open_all(log, events, spec.payloads).await?;
            let mut batch = Batch {
                projection,
                name: &self.name,
                log,
                connection: &mut tx,
                epoch: EPOCH,
                position: self.position,
                passed: self.position,
                parked: HashSet::new(),
            };
            batch.learn_parked().await?;
            batch.apply_opened(opened, reached).await?;
            batch.flush().await?;
        }
        let tables: Vec<String> = spec.tables.iter().map(|table| quoted(table)).collect();
        exchange_tables(&mut tx, (&self.schema, &self.live), &tables).await?;
        // From here on every name means the live table.
        sqlx::query!(r#"SELECT set_config('search_path', $1, true)"#, self.live).fetch_one(&mut *tx).await?;
        let parked = exchange_parked(&mut tx, &self.schema, (&self.name, spec.name)).await?;
        if reached != live || parked.changed {
            // The worker has to look at its checkpoint and its parked events again.
            let epoch = leases::supersede_in_tx(&mut tx, &spec.lease()).await?;
            checkpoints::set_in_tx(&mut tx, spec.name, reached, epoch).await?;
        }
        // dynamic: the name of a schema cannot be a parameter.
        sqlx::query(&format!("DROP SCHEMA {} CASCADE", self.schema)).execute(&mut *tx).await?;
        tx.commit().await?;
        self.position = reached;
        Ok(Turn::Swapped { position: reached, parked: parked.now })
    }
}

/// Locks the live checkpoint and tells where it stands. Makes it where the projection never ran.
async fn lock_checkpoint(tx: &mut PgConnection, live: &str, name: &str) -> Result<Position, LogError> {
    let insert = format!(
        "INSERT INTO {live}.checkpoints (projection, position) \
         VALUES ($1, (SELECT floor_position FROM log_identity)) ON CONFLICT DO NOTHING"
    );
    // dynamic: the name of a schema cannot be a parameter, here and below.
    sqlx::query(&insert).bind(name).execute(&mut *tx).await?;
    let select = format!("SELECT position FROM {live}.checkpoints WHERE projection = $1 FOR UPDATE");
    // dynamic: the live checkpoint, by the name of its schema.
    Ok(sqlx::query_scalar(&select).bind(name).fetch_one(&mut *tx).await?)
}

async fn exchange_tables(
    tx: &mut Transaction<'_, Postgres>,
    (schema, live): (&str, &str),
    tables: &[String],
) -> Result<(), LogError> {
    let all: Vec<String> = tables.iter().map(|table| format!("{live}.{table}")).collect();
    let all = all.join(", ");
    // dynamic: names of tables cannot be parameters, here and below.
    sqlx::query(&format!("LOCK TABLE {all} IN ACCESS EXCLUSIVE MODE")).execute(&mut **tx).await?;
    // dynamic: as above. Without CASCADE: what somebody else hung on a table is not dropped with it.
    sqlx::query(&format!("DROP TABLE {all}")).execute(&mut **tx).await?;
    for table in tables {
        let moved = format!("ALTER TABLE {schema}.{table} SET SCHEMA {live}");
        // dynamic: as above.
        sqlx::query(&moved).execute(&mut **tx).await?;
    }
    Ok(())
}

struct Parked {
    now: i64,
    changed: bool,
}

/// Events that were parked are built anew now; those that could not be built are parked.
async fn exchange_parked(
    tx: &mut PgConnection,
    schema: &str,
    (staged, name): (&str, &str),
) -> Result<Parked, LogError> {
    let before = sqlx::query!(r#"DELETE FROM parked_events WHERE projection = $1"#, name)
        .execute(&mut *tx)
        .await?
        .rows_affected();
    let keep = format!(
        "INSERT INTO parked_events (projection, position, aggregate_type, aggregate_id, reason, parked_at) \
         SELECT $1, position, aggregate_type, aggregate_id, reason, parked_at \
         FROM {schema}.parked_events WHERE projection = $2"
    );
    // dynamic: the name of a schema cannot be a parameter.
    let now = sqlx::query(&keep).bind(name).bind(staged).execute(&mut *tx).await?.rows_affected();
    Ok(Parked { now: i64::try_from(now).unwrap_or(i64::MAX), changed: before + now > 0 })
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}
