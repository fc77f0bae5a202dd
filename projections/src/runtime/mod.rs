//! Runs projections: follows the log, applies pages of events, moves the checkpoint in the same transaction.
//!
//! Effect: exactly once, whatever dies. Refuses to skip an event silently: one that cannot be applied stops
//! the projection or is parked, together with every later event of the same aggregate.

mod apply;
mod batch;
mod connect;
mod error;
mod halt;
mod parked;
mod progress;
mod projection;
mod rebuild;
mod retry;
mod span;
mod spec;
#[cfg(test)]
mod tests;
mod worker;

pub(crate) use apply::{one_row, pixels, subject};
pub(crate) use spec::event_of;

pub use error::ApplyError;
pub use parked::{ParkedEvent, parked, parked_of, request_retry};
pub use progress::{Progress, STALLED_AFTER, State, Stop, progress};
pub use projection::Projection;
pub use rebuild::{Comparison, RebuildError, RebuildOptions, RebuildStep, Rebuilt, TableSum, rebuild};
pub use spec::{Latency, Payloads, PoisonPolicy, Spec};
pub use worker::{Worker, WorkerStatus};
