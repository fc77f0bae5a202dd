//! Providers: a trait per need of the pipeline (ports), and the implementations that work offline.
//!
//! Owns everything that leaves the house or pretends to: looking at pictures, embedding text,
//! drawing, moderation, object storage. Refuses to know aggregates, SQL or HTTP routes, and takes
//! no time and no randomness from the system: both arrive as values.

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "measuring is arithmetic of channels and of pixel counts below 2^24"
)]
mod analyzer;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "colours are arithmetic of channels in 0..=255; r, g, b, h, s, l are their names"
)]
mod colour;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "hashes become indices and counts become weights"
)]
mod embedder;
mod lexicon;
mod moderator;
mod objects;
pub mod pictures;
pub mod ports;
mod set;
pub mod starter;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "drawing is arithmetic of coordinates within a canvas of 1280x720"
)]
mod studio;
mod words;

pub use ports::*;
pub use set::Providers;
