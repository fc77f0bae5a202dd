//! Relay, stream and followers on a real Postgres and a real NATS server.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod comparing;
mod following;
mod forgetting;
mod note;
mod relaying;
mod world;
