//! A picture of the secret library: uploaded by an admin, analysed, then matched to prompts by its style.
//!
//! Refuses to be analysed before it was uploaded and to be matched before it was analysed. What it carries
//! never leaves to users: no public frame is made of its events.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::TemplateCommand;
pub use error::TemplateError;
pub use events::{Analysis, Embedding, StoredPicture, TemplateEvent};
pub use state::{AnalysisStage, Template, TemplateState};
