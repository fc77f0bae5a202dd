//! Which pictures of the secret library are there, and which of them resemble a wish?
//!
//! Owns `templates` with its vector index. What is asked here is for admins and for the pipeline; no user ever
//! sees any of it.

mod apply;
mod queries;
mod search;
mod sketch;
#[cfg(test)]
mod tests;

pub use apply::Templates;
pub use queries::{StatusCount, TemplateFilter, TemplateRow, counts, get, list, style_dna};
pub use search::{SearchFilter, SearchQuery, TemplateHit, fallback, search};

use domain::named;

/// The name of the projection.
pub const NAME: &str = "templates";

/// The length of every vector of the index.
pub const EMBEDDING_DIMENSIONS: usize = 1536;

named! {
    /// The stage of the analysis of a template.
    TemplateStatus {
        PendingAnalysis => "pending_analysis",
        Analyzing => "analyzing",
        Analyzed => "analyzed",
        Failed => "failed",
    }
}

/// The form in which categories are stored and compared.
fn normalised(category: &str) -> String {
    category.trim().to_lowercase()
}
