//! Who has an account, and where are they logged in?
//!
//! Owns `users` and `sessions`. Holds no password hash and no token hash.

mod apply;
mod queries;
#[cfg(test)]
mod tests;

pub use apply::Accounts;
pub use queries::{Account, AccountFilter, AccountSession, list, sessions, user};

/// The name of the projection.
pub const NAME: &str = "accounts";
