//! What do process managers have to do?
//!
//! Writes a row of `work`, which `event_log` owns, for each call of [`domain::reactions::called_for`], and wakes
//! the roles that got some. Adding a row again is harmless: its id follows from the event.

mod apply;
#[cfg(test)]
mod tests;

pub use apply::WorkToDo;

/// The name of the projection.
pub const NAME: &str = "work";
