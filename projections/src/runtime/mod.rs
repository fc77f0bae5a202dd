//! Runs projections: follows the log, applies pages of events, moves the checkpoint in the same transaction.
//!
//! Effect: exactly once, whatever dies. Refuses to skip an event silently: one that cannot be applied stops
//! the projection or is parked, together with every later event of the same aggregate.

mod batch;
mod error;
mod parked;
mod rebuild;
#[cfg(test)]
mod tests;
mod worker;

use async_trait::async_trait;
use event_log::OpenedEvent;
use nats::Bus;
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;
use uuid::Uuid;

pub use error::ApplyError;
pub use parked::{ParkedEvent, parked, request_retry};
pub use rebuild::{Progress, progress, rebuild};
pub use worker::{Worker, WorkerStatus};

/// What to do with an event that can never be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoisonPolicy {
    /// Go no further. For money: a balance that lacks an event is worse than an old one.
    Stop,
    /// Set it aside with every later event of the same aggregate, and go on with the others.
    Park,
}

/// A read model, as the runtime sees it.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Names the checkpoint and the lease.
    fn name(&self) -> &'static str;

    /// The aggregates whose events are applied. Others are passed over unopened.
    fn aggregates(&self) -> &'static [&'static str];

    /// The tables that a rebuild empties first. None when applying an event again is harmless.
    fn tables(&self) -> &'static [&'static str];

    fn poison(&self) -> PoisonPolicy {
        PoisonPolicy::Park
    }

    /// Writes what the event says.
    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError>;

    /// Told after the commit which events were applied. May be skipped when the process dies.
    async fn after_commit(&self, _bus: &Bus, _applied: &[&OpenedEvent]) {}
}

/// The id of the aggregate that the event belongs to.
pub(crate) fn subject(event: &OpenedEvent) -> Result<Uuid, ApplyError> {
    let id = &event.recorded.aggregate_id;
    id.parse().map_err(|_| ApplyError::poison("the aggregate's id is not a UUID"))
}

/// Accepts a statement that had to change exactly one row.
pub(crate) fn one_row(done: &PgQueryResult, what: &'static str) -> Result<(), ApplyError> {
    match done.rows_affected() {
        1 => Ok(()),
        rows => Err(ApplyError::poison(format!("{what}: {rows} rows instead of one"))),
    }
}

/// A width or height as the database holds it.
pub(crate) fn pixels(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
