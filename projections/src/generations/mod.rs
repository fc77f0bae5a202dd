//! How far is a request for a thumbnail, and what came of it?
//!
//! Owns `generation_requests`. What users may see holds no template.

mod apply;
mod queries;

pub use apply::Generations;
pub use queries::{Generation, GenerationTrace, StoredImage, get, image_key, list, trace};

/// The name of the projection.
pub const NAME: &str = "generations";
