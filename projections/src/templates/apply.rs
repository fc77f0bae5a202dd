//! Writes `templates`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::generation_request::{GenerationRequest, GenerationRequestEvent};
use domain::template::{Analysis, StoredPicture, Template, TemplateEvent};
use domain::{TemplateId, Timestamp};
use event_log::OpenedEvent;
use pgvector::HalfVector;
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;
use uuid::Uuid;

use super::sketch::sketch;
use super::{NAME, TemplateStatus, normalised};
use crate::runtime::{
    ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row, pixels, subject,
};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[Template::TYPE, GenerationRequest::TYPE],
    ignored_events: &[],
    tables: &["templates"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Templates;

#[async_trait]
impl Projection for Templates {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            apply_event(tx, event).await?;
        }
        Ok(())
    }
}

async fn apply_event(tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
    match event.recorded.aggregate_type.as_str() {
        Template::TYPE => {
            let done = apply_template(tx, subject(event)?, event.parse()?).await?;
            one_row(&done, "templates")
        }
        _ => count_use(tx, event).await,
    }
}

async fn apply_template(
    tx: &mut PgConnection,
    id: Uuid,
    event: TemplateEvent,
) -> Result<PgQueryResult, sqlx::Error> {
    match event {
        TemplateEvent::TemplateUploaded {
            image,
            preview,
            category,
            tags,
            description,
            uploaded_at,
            template_id,
        } => {
            let upload = Upload { image, preview, category, tags, description };
            insert(tx, template_id, &upload, uploaded_at).await
        }
        TemplateEvent::TemplateAnalysisRequested { requested_at, .. } => {
            sqlx::query!(
                r#"
                UPDATE templates
                SET status = $2, failure_reason = NULL, analysis_attempts = 0, updated_at = $3 WHERE id = $1
                "#,
                id,
                TemplateStatus::PendingAnalysis.name(),
                requested_at,
            )
            .execute(tx)
            .await
        }
        TemplateEvent::TemplateAnalysisStarted { attempt, started_at, .. } => {
            sqlx::query!(
                r#"UPDATE templates SET status = $2, analysis_attempts = $3, updated_at = $4 WHERE id = $1"#,
                id,
                TemplateStatus::Analyzing.name(),
                pixels(attempt),
                started_at,
            )
            .execute(tx)
            .await
        }
        TemplateEvent::TemplateAnalyzed { analysis, analyzed_at, .. } => {
            store_analysis(tx, id, &analysis, analyzed_at).await
        }
        TemplateEvent::TemplateAnalysisFailed { reason, retry_at, failed_at, .. } => {
            let status = match retry_at {
                Some(_) => TemplateStatus::PendingAnalysis,
                None => TemplateStatus::Failed,
            };
            sqlx::query!(
                r#"UPDATE templates SET status = $2, failure_reason = $3, updated_at = $4 WHERE id = $1"#,
                id,
                status.name(),
                reason,
                failed_at,
            )
            .execute(tx)
            .await
        }
        TemplateEvent::TemplateActivated { activated_at } => {
            sqlx::query!(
                r#"UPDATE templates SET is_active = true, updated_at = $2 WHERE id = $1"#,
                id,
                activated_at
            )
            .execute(tx)
            .await
        }
        TemplateEvent::TemplateDeactivated { deactivated_at } => {
            sqlx::query!(
                r#"UPDATE templates SET is_active = false, updated_at = $2 WHERE id = $1"#,
                id,
                deactivated_at
            )
            .execute(tx)
            .await
        }
    }
}

/// The upload of an admin.
struct Upload {
    image: StoredPicture,
    preview: StoredPicture,
    category: String,
    tags: Vec<String>,
    description: String,
}

async fn insert(
    tx: &mut PgConnection,
    id: TemplateId,
    upload: &Upload,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO templates (
            id, image_key, image_mime, image_size_bytes, image_width, image_height, thumbnail_key,
            thumbnail_mime, category, given_category, tags, description, status, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12, $13, $13)
        "#,
        id.0,
        &upload.image.key,
        &upload.image.mime,
        i64::try_from(upload.image.size_bytes).unwrap_or(i64::MAX),
        pixels(upload.image.width),
        pixels(upload.image.height),
        &upload.preview.key,
        &upload.preview.mime,
        normalised(&upload.category),
        &upload.tags,
        &upload.description,
        TemplateStatus::PendingAnalysis.name(),
        at,
    )
    .execute(tx)
    .await
}

async fn store_analysis(
    tx: &mut PgConnection,
    id: Uuid,
    analysis: &Analysis,
    at: Timestamp,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE templates
        SET status = 'analyzed', failure_reason = NULL, style_dna = $2, embedding = $3, embedding_model = $4,
            searchable_text = $5, category = coalesce(nullif(given_category, ''), $6), has_face = $7,
            has_text = $8, has_logo = $9, energy_level = $10, analyzed_by = $11, analysis_version = $12,
            analyzed_at = $13, updated_at = $13, sketch = $14
        WHERE id = $1
        "#,
        id,
        &analysis.style_dna,
        HalfVector::from_f32_slice(&analysis.embedding.0) as _,
        &analysis.embedding_model,
        &analysis.searchable_text,
        normalised(&analysis.category),
        analysis.has_face,
        analysis.has_text,
        analysis.has_logo,
        i16::from(analysis.energy_level),
        &analysis.analyzed_by,
        &analysis.analysis_version,
        at,
        sketch(&analysis.embedding.0) as _,
    )
    .execute(tx)
    .await
}

/// Counts that a template was the best match, and that a picture came of it. The template may be parked, so
/// it is not expected to be there.
async fn count_use(tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
    // Most events of a request say nothing about templates; they need not be read.
    if !matches!(event.recorded.event_type.as_str(), "TemplatesMatched" | "GenerationCompleted") {
        return Ok(());
    }
    match event.parse()? {
        GenerationRequestEvent::TemplatesMatched { matches, matched_at, .. } => {
            let Some(best) = matches.first() else { return Ok(()) };
            sqlx::query!(
                r#"
                UPDATE templates
                SET usage_count = usage_count + 1, last_used_at = greatest(last_used_at, $2) WHERE id = $1
                "#,
                best.template_id.0,
                matched_at,
            )
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::GenerationCompleted { selected_template: Some(selected), .. } => {
            sqlx::query!(
                r#"UPDATE templates SET success_count = success_count + 1 WHERE id = $1"#,
                selected.0
            )
            .execute(tx)
            .await?;
        }
        _ => {}
    }
    Ok(())
}
