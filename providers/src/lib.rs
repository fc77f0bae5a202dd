//! One trait per need of the pipeline (ports) and the implementations that work offline.
//!
//! Owns everything that leaves the house or pretends to: looking at pictures, embedding text,
//! drawing, moderation, object storage. Refuses to know aggregates, SQL or HTTP routes, and takes
//! no time and no randomness from the system: both arrive as values.

mod analyzer;
mod embedder;
mod files;
mod moderator;
pub mod pictures;
pub mod ports;
pub mod starter;
mod studio;

pub use ports::*;
