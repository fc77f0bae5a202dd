//! JetStream: the relay from the log to the stream, followers of the stream, and what is not history at all:
//! live subjects, wake-up hints, short-lived shared state.
//!
//! The stream's sequence is the event's position. Nothing is lost when NATS is gone: the log is the truth,
//! the relay publishes again, followers read the log instead. Refuses to publish out of order.

mod bus;
mod error;
mod feed;
mod live;
mod message;
mod pace;
mod published;
mod relay;
mod shared_state;
mod stream;
mod witness;

pub use bus::{Bus, BusOptions};
pub use error::BusError;
pub use feed::{Feed, Follower};
pub use live::{LiveFrame, LiveFrames, Wakes};
pub use message::{STREAM, decode, headers_of, subject_of};
pub use pace::{Pace, Rests};
pub use published::{Published, StreamReport};
pub use relay::{Relay, RelayState};
pub use shared_state::{RateLimiter, RateVerdict, Ticket, Tickets};
pub use stream::StreamError;
