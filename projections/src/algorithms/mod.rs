//! Which algorithms can be chosen, and what do they cost?
//!
//! Owns `generation_algorithms`.

mod apply;
mod queries;
#[cfg(test)]
mod tests;

pub use apply::Algorithms;
pub use queries::{AlgorithmRow, get, list, list_active};

/// The name of the projection.
pub const NAME: &str = "algorithms";
