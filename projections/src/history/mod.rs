//! Who did what, when, because of what?
//!
//! Owns `history`: a row per event, with everything that auditors filter by. What an event says is read from
//! the log by its position, opened, and shown without secrets; the state of an aggregate at any point is
//! folded by the domain from the events up to it.

mod apply;
mod causes;
mod diff;
mod fold;
mod queries;
mod shown;
mod streams;
#[cfg(test)]
mod tests;

pub use apply::History;
pub use causes::{CAUSES_MAX, Causes, CommandNode, causes};
pub use diff::Difference;
pub use queries::{AuditedEvent, Entry, Filter, HistoryPage, Order, events};
pub use streams::{Past, Point, Step, past};

/// The name of the projection.
pub const NAME: &str = "history";
