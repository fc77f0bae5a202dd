//! Process managers: they react to events by sending commands, and are safe to run twice.
//!
//! `domain::reactions` says which events call for which work. A projection stores the calls as rows, the runner
//! claims rows, and each process manager has a module here. Every command id follows from the cause, so a worker
//! that takes over repeats nothing.

mod analysis;
mod assistant;
mod cleanup;
mod deadlines;
mod generation;
mod live;
mod pace;
mod runner;
mod sweep;

pub use pace::Pace;
pub use runner::Runner;
pub use sweep::Sweeper;

use std::time::Duration;

use event_log::work::ClaimedWork;
use event_log::{CommandContext, ReceiptLife};
use uuid::Uuid;

use crate::CommandError;

/// The life of a claim that is not renewed: the time until another worker takes over from a dead one.
const CLAIM_LIFE: Duration = Duration::from_secs(8);

/// The outcome of a claimed row.
enum Outcome {
    Done,
    /// Somebody else holds the row now: nothing more may be done for it.
    Lost,
}

type Step = Result<Outcome, CommandError>;

/// The context of one step of a process on a claimed row. Its receipt has an end. After that a repetition finds a
/// request, a template or a ledger that refuses it; only the assistant writes where nothing refuses, and does nothing for
/// an old cause (`assistant::ANSWERED_WITHIN_DAYS`).
fn context(process: &'static str, work: &ClaimedWork, step: &str) -> CommandContext {
    CommandContext {
        traceparent: work.traceparent.clone(),
        language: work.language.clone(),
        receipt: ReceiptLife::Step,
        ..CommandContext::for_process(process, work.cause, work.correlation_id, work.owner_id, step)
    }
}

/// The id of the aggregate that a row is about.
fn subject<T: From<Uuid>>(work: &ClaimedWork) -> Result<T, CommandError> {
    work.subject.parse::<Uuid>().map(T::from).map_err(|_| CommandError::NotFound { what: "subject" })
}
