//! Runs projections: follows the log, applies pages of events, moves the checkpoint in the same transaction.
//!
//! Effect: exactly once, whatever dies. Refuses to skip an event silently: one that cannot be applied stops
//! the projection or is parked, together with every later event of the same aggregate.

mod batch;
mod error;
mod parked;
mod progress;
mod rebuild;
mod span;
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
pub use parked::{ParkedEvent, parked, parked_of, request_retry};
pub use progress::{Progress, STALLED_AFTER, State, Stop, progress};
pub use rebuild::{Comparison, RebuildError, RebuildOptions, RebuildStep, Rebuilt, TableSum, rebuild};
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

    /// Names of events of these aggregates that change nothing here: they are passed over unopened too. An event
    /// that is not named is applied.
    fn passes_over(&self) -> &'static [&'static str] {
        &[]
    }

    /// The tables that a rebuild makes anew. None when what is in them must outlive a rebuild; such a
    /// projection cannot be rebuilt.
    fn tables(&self) -> &'static [&'static str];

    /// Whether `apply` looks at payloads. One that does not is spared opening them: `payload` is then null.
    fn reads_payloads(&self) -> bool {
        true
    }

    fn poison(&self) -> PoisonPolicy {
        PoisonPolicy::Park
    }

    /// Whether somebody waits for what it writes. One that nobody waits for collects longer pages from a lower rate on.
    fn is_awaited(&self) -> bool {
        true
    }

    /// Writes what the event says.
    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError>;

    /// Writes what a page of events says, all or nothing. The effect is that of `apply`, one by one. A
    /// projection with much to write does it here with few statements; it may answer poison for the page
    /// without knowing which event it is, because the page is then applied one by one.
    async fn apply_page(&self, tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in events {
            self.apply(tx, event).await?;
        }
        Ok(())
    }

    /// Told after the commit which events were applied. May be skipped when the process dies.
    async fn after_commit(&self, _bus: &Bus, _applied: &[&OpenedEvent]) {}
}

/// The lease of a projection's worker.
fn lease_name(projection: &str) -> String {
    format!("projection:{projection}")
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
