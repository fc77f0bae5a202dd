//! The read side as the process managers see it: the port of `commands`, served by `projections`.

use async_trait::async_trait;
use commands::{ActiveAlgorithm, FoundTemplate, ReadSide, ReadSideError, TemplateQuery};
use domain::{AlgorithmId, Credits, Slug, TemplateId};
use event_log::Position;
use projections::templates::{SearchFilter, SearchQuery, TemplateHit};
use projections::{Fresh, Reader, Wanted, algorithms, templates};

/// The queries behind the pipeline and the assistant.
#[derive(Debug, Clone)]
pub struct ProjectedReadSide(pub Reader);

fn unreadable(error: impl std::fmt::Display) -> ReadSideError {
    ReadSideError::Unreadable { reason: error.to_string() }
}

/// An answer that has not seen what it must have seen is none: the work is tried again.
fn fresh<T>(answer: Fresh<T>) -> Result<T, ReadSideError> {
    match answer.behind {
        None => Ok(answer.value),
        Some(events) => Err(ReadSideError::Behind { events }),
    }
}

fn found(hits: Vec<TemplateHit>) -> Vec<FoundTemplate> {
    hits.into_iter()
        .map(|hit| FoundTemplate {
            template_id: TemplateId(hit.id),
            #[allow(clippy::cast_possible_truncation, reason = "a similarity needs no more digits")]
            similarity: hit.similarity_score as f32,
        })
        .collect()
}

#[async_trait]
impl ReadSide for ProjectedReadSide {
    async fn matching_templates(
        &self,
        query: &TemplateQuery,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        let search = SearchQuery {
            vector: query.vector.clone(),
            model: query.model.clone(),
            filter: SearchFilter { category: query.category.clone(), ..SearchFilter::default() },
            threshold: f64::from(query.threshold),
            limit: query.limit,
        };
        let wanted = Wanted::After(after);
        Ok(found(fresh(templates::search(&self.0, wanted, &search).await?)?))
    }

    async fn featured_templates(
        &self,
        limit: i64,
        after: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        let wanted = Wanted::After(after);
        Ok(found(fresh(templates::fallback(&self.0, wanted, limit).await?)?))
    }

    async fn style_dna(&self, template_id: TemplateId) -> Result<Option<serde_json::Value>, ReadSideError> {
        // While the templates are built anew, "not there" is no answer.
        fresh(templates::style_dna(&self.0, Wanted::Now, template_id).await?)
    }

    async fn active_algorithms(&self, after: Position) -> Result<Vec<ActiveAlgorithm>, ReadSideError> {
        let rows = fresh(algorithms::list_active(&self.0, Wanted::After(after)).await?)?;
        rows.into_iter()
            .map(|row| {
                Ok(ActiveAlgorithm {
                    algorithm_id: AlgorithmId(row.id),
                    slug: Slug::parse(&row.slug).map_err(unreadable)?,
                    name: row.display_name,
                    credit_cost: Credits(u32::try_from(row.credit_cost).map_err(unreadable)?),
                })
            })
            .collect()
    }
}
