//! What somebody did to the running of the house, and not to one of its aggregates: the trail of one person, for auditors.
//!
//! Refuses nothing: what was asked for is written down, also when it is asked for again.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::AuditTrailCommand;
pub use error::AuditTrailError;
pub use events::AuditTrailEvent;
pub use state::AuditTrail;
