//! The read side as the process managers see it: the port of `commands`, served by `projections`.

use async_trait::async_trait;
use commands::{ActiveAlgorithm, FoundTemplate, ReadSide, ReadSideError, TemplateQuery};
use domain::{AlgorithmId, Credits, Slug, TemplateId};
use projections::{Reader, Wanted, templates};

/// The queries behind the pipeline and the assistant.
#[derive(Debug, Clone)]
pub struct ProjectedReadSide(pub Reader);

fn failed(error: impl std::fmt::Display) -> ReadSideError {
    ReadSideError { reason: error.to_string() }
}

#[async_trait]
impl ReadSide for ProjectedReadSide {
    async fn matching_templates(
        &self,
        query: &TemplateQuery,
        after: i64,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        todo!()
    }

    async fn style_dna(&self, template_id: TemplateId) -> Result<Option<serde_json::Value>, ReadSideError> {
        todo!()
    }

    async fn active_algorithms(&self, after: i64) -> Result<Vec<ActiveAlgorithm>, ReadSideError> {
        todo!()
    }
}
