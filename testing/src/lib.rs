//! The world of tests above the log: a database and a broker of a test's own, the write side on them, and a generator
//! that counts.
//!
//! Refuses stand-ins: Postgres, NATS, relay, projections and read side are the real ones. Only what would cost money
//! is the tests' own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod analyzer;
mod generator;
mod picture;
mod servers;
mod world;

pub use analyzer::HeldAnalyzer;
pub use generator::{Call, CallState, CountingGenerator, GENERATOR};
pub use picture::picture;
pub use world::{SIGNUP_CREDITS, Working, World, command_of, eventually};
