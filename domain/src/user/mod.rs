//! A person with an account: who they are, what they may do, how they prove it.
//!
//! Refuses to register twice and to change anything of somebody who is not registered. That an address
//! belongs to one person only is a claim of the log, not a rule of this aggregate.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::UserCommand;
pub use error::UserError;
pub use events::{AskedBy, Role, UserEvent};
pub use state::{Profile, User};
