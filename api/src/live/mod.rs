//! Live streams: what happens to a user, as it happens, over a socket or server-sent events.
//!
//! One event gives at most one frame, and the frame's id is the event's position, so a client that comes back
//! with the last id it saw gets exactly what it missed.

mod connection;
mod frame;
mod router;
pub mod sse;
pub mod ws;

pub use connection::{Connection, Resume};
pub use frame::seconds;
pub use router::Router;
pub use ws::ticket_hash;
