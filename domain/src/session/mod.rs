//! A login on a device: a family of refresh tokens of which only the newest works.
//!
//! A refresh token that was used before is proof that somebody else holds a copy, so presenting one ends
//! the whole family. That is recorded, not just refused: somebody must be able to see it later.

mod commands;
mod error;
mod events;
mod state;
#[cfg(test)]
mod tests;

pub use commands::SessionCommand;
pub use error::SessionError;
pub use events::{EndReason, SessionEvent, TokenHash};
pub use state::Session;
