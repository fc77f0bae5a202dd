//! The questions of process managers to the read side. A port, because the two sides never see each other; the
//! program that starts both puts them together.

use async_trait::async_trait;
use domain::{AlgorithmId, Credits, Slug, TemplateId};
use event_log::{LogError, Position};

/// The read side did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadSideError {
    /// The answer has not seen what it must have seen.
    #[error("the projection is {events} events behind")]
    Behind { events: i64 },
    #[error(transparent)]
    Log(#[from] LogError),
    /// A row does not have the form that it should have.
    #[error("a row of the read side cannot be read: {reason}")]
    Unreadable { reason: String },
}

/// A search in the template library.
#[derive(Debug, Clone)]
pub struct TemplateQuery {
    /// A unit vector.
    pub vector: Vec<f32>,
    /// Vectors of different models never meet.
    pub model: String,
    pub category: Option<String>,
    /// The least cosine similarity.
    pub threshold: f32,
    pub limit: i64,
}

/// A template that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTemplate {
    pub template_id: TemplateId,
    /// Cosine similarity, 1 is the same. 0 for a template that stands in because nothing matched.
    pub similarity: f32,
}

/// An algorithm that users may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveAlgorithm {
    pub algorithm_id: AlgorithmId,
    pub slug: Slug,
    pub name: String,
    pub credit_cost: Credits,
}

/// The queries behind the pipeline and the assistant. `after` is a position that the answer must have seen.
#[async_trait]
pub trait ReadSide: Send + Sync {
    /// The templates that match, best first.
    async fn matching_templates(
        &self,
        query: &TemplateQuery,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError>;

    /// The templates that stand in where nothing matches, the featured ones first.
    async fn featured_templates(
        &self,
        limit: i64,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError>;

    /// The design DNA of an analysed template, as the analysis stored it.
    async fn style_dna(&self, template_id: TemplateId) -> Result<Option<serde_json::Value>, ReadSideError>;

    /// The algorithms that users may choose, in the order in which they are offered.
    async fn active_algorithms(&self, after: Position) -> Result<Vec<ActiveAlgorithm>, ReadSideError>;
}
