//! How many credits does a person have, and how did it come to that?
//!
//! Owns `credit_balances` and `credit_transactions`. Refuses to go on behind an event that it cannot apply,
//! and to apply one whose balance does not follow from the balance before it.

mod apply;
mod entry;
mod queries;
#[cfg(test)]
mod tests;

pub use apply::CreditAccounts;
pub use entry::TransactionKind;
pub use queries::{Balance, Transaction, balance, transactions};

/// The name of the projection.
pub const NAME: &str = "credits";
