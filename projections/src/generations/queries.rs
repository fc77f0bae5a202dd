//! Reads `generation_requests`. Everything but `trace` is asked for by its owner: what belongs to somebody
//! else is not there.

use chrono::{DateTime, Utc};
use domain::generation_request::{FailureReason, Status};
use domain::language::Language;
use event_log::{LogError, Position};
use futures::FutureExt;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, Page, Reader, Rows, Wanted};

/// A request as its owner may see it.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Generation {
    pub id: Uuid,
    pub user_id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub algorithm_id: Uuid,
    /// The algorithm's name as the user saw it.
    pub algorithm: String,
    pub prompt: String,
    pub custom_text: Option<String>,
    pub face_asset_id: Option<Uuid>,
    pub logo_asset_id: Option<Uuid>,
    pub regenerated_from: Option<Uuid>,
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// In percent.
    pub progress: i16,
    pub credit_cost: i64,
    pub image_key: Option<String>,
    pub processing_time_ms: Option<i64>,
    /// `content_rejected`, `provider_unavailable`, `timed_out` or `internal`.
    pub failure_reason: Option<String>,
    pub retry_possible: Option<bool>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deadline_at: DateTime<Utc>,
    /// When it ended, with or without a picture.
    pub completed_at: Option<DateTime<Utc>>,
    pub last_position: Position,
}

impl Generation {
    /// The sentence for a reader.
    pub fn message(&self, language: Language) -> String {
        match self.failure_reason.as_deref().and_then(FailureReason::parse) {
            Some(reason) => reason.sentence(language),
            None => self.status.sentence(language).to_owned(),
        }
    }
}

/// A request with what only admins may see.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct GenerationTrace {
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub generation: Generation,
    /// The provider that was called last, or is to be called first.
    pub provider: String,
    pub provider_generation_id: Option<String>,
    pub attempts: i32,
    pub cost_micros: i64,
    pub analyzed_by: Option<String>,
    pub style_preference: Option<String>,
    pub selected_template_id: Option<Uuid>,
}

/// Where a finished picture is in the object store.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct StoredImage {
    pub key: String,
    pub mime: String,
    pub size_bytes: i64,
}

const COLUMNS: &str = "id, user_id, conversation_id, algorithm_id, algorithm, prompt, custom_text, \
     face_asset_id, logo_asset_id, regenerated_from, status, progress, credit_cost, image_key, \
     processing_time_ms, failure_reason, retry_possible, created_at, updated_at, \
     deadline_at, completed_at, last_position";

/// One request.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    id: Uuid,
) -> Result<Fresh<Option<Generation>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let select =
                    format!("SELECT {COLUMNS} FROM generation_requests WHERE id = $1 AND user_id = $2");
                Ok(sqlx::query_as(&select).bind(id).bind(user).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// A person's requests, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    page: Page,
) -> Result<Fresh<Rows<Generation>>, LogError> {
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let total = sqlx::query_scalar("SELECT count(*) FROM generation_requests WHERE user_id = $1")
                    .bind(user)
                    .fetch_one(&mut *connection)
                    .await?;
                let select = format!(
                    "SELECT {COLUMNS} FROM generation_requests WHERE user_id = $1 \
                     ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
                );
                let rows = sqlx::query_as(&select)
                    .bind(user)
                    .bind(page.limit)
                    .bind(page.offset)
                    .fetch_all(connection)
                    .await?;
                Ok(Rows { rows, total })
            }
            .boxed()
        })
        .await
}

/// The finished picture; `None` when there is none yet or the request is somebody else's.
pub async fn image_key(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    id: Uuid,
) -> Result<Fresh<Option<StoredImage>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let row = sqlx::query_as(
                    "SELECT image_key AS key, image_mime AS mime, image_size_bytes AS size_bytes \
                     FROM generation_requests WHERE id = $1 AND user_id = $2 AND image_key IS NOT NULL",
                );
                Ok(row.bind(id).bind(user).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// One request with everything. For admins.
pub async fn trace(
    reader: &Reader,
    wanted: Wanted,
    id: Uuid,
) -> Result<Fresh<Option<GenerationTrace>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let select = format!(
                    "SELECT {COLUMNS}, provider, provider_generation_id, attempts, cost_micros, analyzed_by, \
                            style_preference, selected_template_id \
                     FROM generation_requests WHERE id = $1"
                );
                Ok(sqlx::query_as(&select).bind(id).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}
