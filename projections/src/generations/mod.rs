//! How far is a request for a thumbnail, and what came of it?
//!
//! Owns `generation_requests`, and what clients are told about each stage. What users may see holds no
//! template.

mod apply;
mod queries;
mod stage;
#[cfg(test)]
mod tests;

pub use apply::Generations;
pub use queries::{Generation, GenerationTrace, StoredImage, get, image_key, list, trace};
pub use stage::{GenerationStatus, StageView, message_of, stage_of};

/// The name of the projection.
pub const NAME: &str = "generations";
