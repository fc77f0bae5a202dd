//! Writes `generation_requests`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::generation_request::{GenerationRequest, GenerationRequestEvent, Job, Status};
use domain::user::User;
use domain::{MicroUsd, Timestamp, UserId};
use event_log::{OpenedEvent, Position};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row, subject};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[GenerationRequest::TYPE, User::TYPE],
    ignored_events: &[],
    tables: &["generation_requests"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Generations;

#[async_trait]
impl Projection for Generations {
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
        let term = Term { requested_at: *requested_at, deadline_at: *deadline_at };
        return insert(tx, job, term, position).await;
    }
    let (at, cost) = when_and_cost(&event);
    let status = Status::entered_by(&event);
    apply_details(tx, id, event).await?;
    let done = sqlx::query!(
        r#"
        UPDATE generation_requests
        SET status = coalesce($2, status),
            progress = greatest(progress, coalesce($3, progress)),
            cost_micros = coalesce($4, cost_micros),
            updated_at = greatest(updated_at, $5),
            completed_at = CASE WHEN $6 THEN $5 ELSE completed_at END,
            last_position = $7
        WHERE id = $1
        "#,
        id,
        status.map(Status::name),
        status.and_then(Status::percent).map(i16::from),
        cost.map(|cost| cost.0),
        at,
        status.is_some_and(Status::is_final),
        position.get(),
    )
    .execute(tx)
    .await?;
    one_row(&done, "generation_requests")
}

/// A text that was never there is not made one.
async fn erase(tx: &mut PgConnection, person: UserId) -> Result<(), ApplyError> {
    let words = sqlx::query!(
        r#"
        UPDATE generation_requests
        SET prompt = $2,
            custom_text = CASE WHEN custom_text IS NOT NULL THEN $2 END,
            style_preference = CASE WHEN style_preference IS NOT NULL THEN $2 END
        WHERE user_id = $1
        "#,
        person.0,
        ERASED,
    );
    words.execute(tx).await?;
    Ok(())
}

/// The time that a request has.
struct Term {
    requested_at: Timestamp,
    deadline_at: Timestamp,
}

async fn insert(tx: &mut PgConnection, job: &Job, term: Term, position: Position) -> Result<(), ApplyError> {
    let done = sqlx::query!(
        r#"
        INSERT INTO generation_requests (
            id, user_id, conversation_id, algorithm_id, algorithm, provider, prompt, custom_text,
            face_asset_id, logo_asset_id, regenerated_from, credit_cost,
            status, created_at, updated_at, deadline_at, last_position)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'pending', $13, $13, $14, $15)
        "#,
        job.request_id.0,
        job.user_id.0,
        job.conversation_id.map(|id| id.0),
        job.algorithm_id.0,
        &job.algorithm,
        &job.provider,
        job.prompt.text(),
        job.custom_text.as_ref().map(domain::Personal::text),
        job.face.map(|id| id.0),
        job.logo.map(|id| id.0),
        job.regenerated_from.map(|id| id.0),
        i64::from(job.credit_cost.0),
        term.requested_at,
        term.deadline_at,
        position.get(),
    )
    .execute(tx)
    .await?;
    one_row(&done, "generation_requests")
}

/// The time of an event, and the cost of the request in all if the event tells it.
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

/// Writes the columns that a single kind of event knows.
async fn apply_details(
    tx: &mut PgConnection,
    id: Uuid,
    event: GenerationRequestEvent,
) -> Result<(), ApplyError> {
    match event {
        GenerationRequestEvent::IntentAnalyzed { intent, analyzed_by, .. } => {
            // A model's words may hold what a text column refuses.
            let style = intent.known().map_or(ERASED.to_owned(), |intent| intent.style.replace('\0', ""));
            sqlx::query!(
                r#"UPDATE generation_requests SET style_preference = $2, analyzed_by = $3 WHERE id = $1"#,
                id,
                style,
                analyzed_by,
            )
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::TemplatesMatched { matches, .. } => {
            sqlx::query!(
                r#"UPDATE generation_requests SET selected_template_id = $2 WHERE id = $1"#,
                id,
                matches.first().map(|best| best.template_id.0)
            )
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::AttemptStarted { provider, .. } => {
            sqlx::query!(
                r#"UPDATE generation_requests SET provider = $2, attempts = attempts + 1 WHERE id = $1"#,
                id,
                provider,
            )
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
            sqlx::query!(
                r#"
                UPDATE generation_requests
                SET status = 'completed', image_key = $2, image_mime = $3, image_size_bytes = $4,
                    provider_generation_id = $5, selected_template_id = $6, processing_time_ms = $7
                WHERE id = $1
                "#,
                id,
                image.key,
                image.mime,
                i64::try_from(image.size_bytes).unwrap_or(i64::MAX),
                provider_generation_id,
                selected_template.map(|template| template.0),
                i64::try_from(processing_time_ms).unwrap_or(i64::MAX),
            )
            .execute(tx)
            .await?;
        }
        GenerationRequestEvent::GenerationFailed { reason, .. } => {
            sqlx::query!(
                r#"
                UPDATE generation_requests
                SET failure_reason = $2, retry_possible = $3 WHERE id = $1
                "#,
                id,
                reason.name(),
                reason.retry_possible(),
            )
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
