//! A "Routix version": which provider draws, how it is configured, what it costs.
//!
//! Refuses to be defined twice and to be the default while inactive. That a slug is unique and that one
//! algorithm only is the default are claims of the log.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::AlgorithmCommand;
pub use error::AlgorithmError;
pub use events::{AlgorithmEvent, Definition};
pub use state::Algorithm;
