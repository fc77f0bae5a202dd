//! A request for a thumbnail, from acceptance to the finished picture or the reason why there is none.
//!
//! The result of every step is an event, so that whoever takes over resumes at the step. Refuses to leave a
//! final stage and to skip a step; a step that is done already is no error and changes nothing.

mod commands;
mod error;
mod events;
mod stage;
mod state;
#[cfg(test)]
mod tests;

pub use commands::GenerationRequestCommand;
pub use error::GenerationRequestError;
pub use events::{AttemptProblem, FailureReason, GenerationRequestEvent, Intent, Job, TemplateMatch};
pub use stage::{Status, percent_while_drawing};
pub use state::{Attempt, GenerationRequest, Stage};
