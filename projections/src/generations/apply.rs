//! Writes `generation_requests`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::generation_request::{GenerationRequest, GenerationRequestEvent, Job, Status};
use domain::user::User;
use domain::{MicroUsd, Timestamp};
use event_log::{OpenedEvent, Position};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Projection, one_row, subject};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Generations;

#[async_trait]
impl Projection for Generations {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[GenerationRequest::TYPE, User::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["generation_requests"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        if is_of_account(event) {
            return match erased_person(event)? {
                Some(person) => erase(tx, person).await,
                None => Ok(()),
            };
        }
        let id = subject(event)?;
        let position = event.recorded.position;
        let event: GenerationRequestEvent = event.parse()?;
        if let GenerationRequestEvent::GenerationRequested { job, requested_at, deadline_at } = &event {
            return insert(tx, job, (*requested_at, *deadline_at), position).await;
        }
        let (at, cost) = when_and_cost(&event);
        let status = Status::entered_by(&event);
        apply_details(tx, id, event).await?;
        let done = sqlx::query(
            "UPDATE generation_requests \
             SET status = coalesce($2, status), \
                 progress = greatest(progress, coalesce($3, progress)), \
                 cost_micros = coalesce($4, cost_micros), \
                 updated_at = greatest(updated_at, $5), \
                 completed_at = CASE WHEN $6 THEN $5 ELSE completed_at END, \
                 last_position = $7 \
             WHERE id = $1",
        )
        .bind(id)
        .bind(status.map(Status::name))
        .bind(status.and_then(Status::percent).map(i16::from))
        .bind(cost.map(|cost| cost.0))
        .bind(at)
        .bind(status.is_some_and(Status::is_final))
        .bind(position)
        .execute(tx)
        .await?;
        one_row(&done, "generation_requests")
    }
}

/// A text that was never there is not made one.
async fn erase(tx: &mut PgConnection, person: Uuid) -> Result<(), ApplyError> {
    let words = sqlx::query(
        "UPDATE generation_requests \
         SET prompt = $2, \
             custom_text = CASE WHEN custom_text IS NOT NULL THEN $2 END, \
             style_preference = CASE WHEN style_preference IS NOT NULL THEN $2 END \
         WHERE user_id = $1",
    );
    words.bind(person).bind(ERASED).execute(tx).await?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    job: &Job,
    (requested_at, deadline_at): (Timestamp, Timestamp),
    position: Position,
) -> Result<(), ApplyError> {
    let done = sqlx::query(
        "INSERT INTO generation_requests ( \
             id, user_id, conversation_id, algorithm_id, algorithm, provider, prompt, custom_text, \
             face_asset_id, logo_asset_id, regenerated_from, credit_cost, \
             status, created_at, updated_at, deadline_at, last_position) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'pending', $13, $13, $14, $15)",
    )
    .bind(job.request_id.0)
    .bind(job.user_id.0)
    .bind(job.conversation_id.map(|id| id.0))
    .bind(job.algorithm_id.0)
    .bind(&job.algorithm)
    .bind(&job.provider)
    .bind(job.prompt.text())
    .bind(job.custom_text.as_ref().map(domain::Personal::text))
    .bind(job.face.map(|id| id.0))
    .bind(job.logo.map(|id| id.0))
    .bind(job.regenerated_from.map(|id| id.0))
    .bind(i64::from(job.credit_cost.0))
    .bind(requested_at)
    .bind(deadline_at)
    .bind(position)
    .execute(tx)
    .await?;
    one_row(&done, "generation_requests")
}

/// When it happened, and what the request has cost in all if the event says so.
fn when_and_cost(event: &GenerationRequestEvent) -> (Timestamp, Option<MicroUsd>) {
    match event {
        GenerationRequestEvent::GenerationRequested { requested_at: at, .. }
        | GenerationRequestEvent::AnalysisStarted { started_at: at, .. }
        | GenerationRequestEvent::IntentAnalyzed { analyzed_at: at, .. }
        | GenerationRequestEvent::TemplatesMatched { matched_at: at, .. }
        | GenerationRequestEvent::PromptComposed { composed_at: at, .. }
        | GenerationRequestEvent::AttemptStarted { started_at: at, .. }
        | GenerationRequestEvent::AttemptEnded { ended_at: at, .. } => (*at, None),
        GenerationRequestEvent::GenerationCompleted { completed_at: at, cost, .. }
        | GenerationRequestEvent::GenerationFailed { failed_at: at, cost, .. }
        | GenerationRequestEvent::GenerationCancelled { cancelled_at: at, cost, .. } => (*at, Some(*cost)),
    }
}

/// What only this event knows.
async fn apply_details(
    tx: &mut PgConnection,
    id: Uuid,
    event: GenerationRequestEvent,
) -> Result<(), ApplyError> {
    match event {
        GenerationRequestEvent::IntentAnalyzed { intent, analyzed_by, .. } => {
            // A model's words may hold what a text column refuses.
            let style = intent.known().map_or(ERASED.to_owned(), |intent| intent.style.replace('\0', ""));
            sqlx::query(
                "UPDATE generation_requests SET style_preference = $2, analyzed_by = $3 WHERE id = $1",
            )
            .bind(id)
            .bind(style)
            .bind(analyzed_by)
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::TemplatesMatched { matches, .. } => {
            sqlx::query("UPDATE generation_requests SET selected_template_id = $2 WHERE id = $1")
                .bind(id)
                .bind(matches.first().map(|best| best.template_id.0))
                .execute(tx)
                .await?;
        }
        GenerationRequestEvent::AttemptStarted { provider, .. } => {
            sqlx::query(
                "UPDATE generation_requests SET provider = $2, attempts = attempts + 1 WHERE id = $1",
            )
            .bind(id)
            .bind(provider)
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::GenerationCompleted {
            image,
            provider_generation_id,
            selected_template,
            processing_time_ms,
            ..
        } => {
            sqlx::query(
                "UPDATE generation_requests \
                 SET status = 'completed', image_key = $2, image_mime = $3, image_size_bytes = $4, \
                     provider_generation_id = $5, selected_template_id = $6, processing_time_ms = $7 \
                 WHERE id = $1",
            )
            .bind(id)
            .bind(image.key)
            .bind(image.mime)
            .bind(i64::try_from(image.size_bytes).unwrap_or(i64::MAX))
            .bind(provider_generation_id)
            .bind(selected_template.map(|template| template.0))
            .bind(i64::try_from(processing_time_ms).unwrap_or(i64::MAX))
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::GenerationFailed { reason, .. } => {
            sqlx::query(
                "UPDATE generation_requests \
                 SET failure_reason = $2, retry_possible = $3 WHERE id = $1",
            )
            .bind(id)
            .bind(reason.name())
            .bind(reason.retry_possible())
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::GenerationRequested { .. }
        | GenerationRequestEvent::AnalysisStarted { .. }
        | GenerationRequestEvent::PromptComposed { .. }
        | GenerationRequestEvent::AttemptEnded { .. }
        | GenerationRequestEvent::GenerationCancelled { .. } => {}
    }
    Ok(())
}
