//! Process managers: they react to events by sending commands, and are safe to run twice.
//!
//! Work is claimed from rows that a projection made of events; every command id follows from the cause, so
//! whoever takes over repeats nothing. One module per process manager, plus the runner that they share.

mod analysis;
mod assistant;
mod cleanup;
mod deadlines;
mod generation;
mod live;
mod runner;

pub use runner::{Role, Runner};

use event_log::CommandContext;
use event_log::work::ClaimedWork;
use uuid::Uuid;

use crate::CommandError;

/// What became of a claimed row.
enum Outcome {
    Done,
    /// Somebody else holds the row now: nothing more may be done for it.
    Lost,
}

type Step = Result<Outcome, CommandError>;

/// The context of one step of a process on a claimed row.
fn context(process: &'static str, work: &ClaimedWork, step: &str) -> CommandContext {
    let traceparent = work.traceparent.clone();
    CommandContext {
        traceparent,
        ..CommandContext::for_process(process, work.cause, work.correlation_id, work.owner_id, step)
    }
}

/// The id of the aggregate that a row is about.
fn subject<T: From<Uuid>>(work: &ClaimedWork) -> Result<T, CommandError> {
    work.subject.parse::<Uuid>().map(T::from).map_err(|_| CommandError::NotFound { what: "subject" })
}
