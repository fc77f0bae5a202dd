//! A user's credits: granted, held for a request, settled or released, expired, adjusted.
//!
//! Refuses to hold more than is available, to end a hold twice and to adjust below zero. A hold names the
//! grants it drew on; a release returns to them, and what has expired meanwhile expires at once. So always
//! granted + adjusted + refunded = available + held + settled + expired.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::CreditLedgerCommand;
pub use error::CreditLedgerError;
pub use events::{CreditLedgerEvent, GrantReason, Part};
pub use state::{CreditLedger, Grant};
