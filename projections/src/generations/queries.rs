//! Reads `generation_requests`. Everything but `trace` is asked for by its owner: what belongs to somebody
//! else is not there.

use chrono::{DateTime, Utc};
use domain::generation_request::{FailureReason, Status};
use domain::language::Language;
use domain::{RequestId, UserId};
use event_log::{LogError, Position};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use super::NAME;
use crate::word::Word;
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
    /// The time of its end, with or without a picture.
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

/// The place of a finished picture in the object store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredImage {
    pub key: String,
    pub mime: String,
    pub size_bytes: i64,
}

macro_rules! generations {
    ($which:literal, $($value:expr),+) => {
        sqlx::query_as!(
            Generation,
            r#"
            SELECT
                id,
                user_id,
                conversation_id,
                algorithm_id,
                algorithm,
                prompt,
                custom_text,
                face_asset_id,
                logo_asset_id,
                regenerated_from,
                status AS "status: Word<Status>",
                progress,
                credit_cost,
                image_key,
                processing_time_ms,
                failure_reason,
                retry_possible,
                created_at,
                updated_at,
                deadline_at,
                completed_at,
                last_position AS "last_position: Position"
            FROM generation_requests
            "# + $which,
            $($value),+
        )
    };
}

/// Reads a request.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    id: RequestId,
) -> Result<Fresh<Option<Generation>>, LogError> {
    reader.lookup(NAME, wanted, || generations!("WHERE id = $1 AND user_id = $2", id.0, user.0)).await
}

/// A person's requests, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    page: Page,
) -> Result<Fresh<Rows<Generation>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "total!" FROM generation_requests WHERE user_id = $1"#,
        user.0,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = generations!(
        "WHERE user_id = $1 ORDER BY created_at DESC, id LIMIT $2 OFFSET $3",
        user.0,
        page.limit,
        page.offset
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(Rows { rows, total }))
}

/// The finished picture; `None` when there is none yet or the request is somebody else's.
pub async fn image_key(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    id: RequestId,
) -> Result<Fresh<Option<StoredImage>>, LogError> {
    let statement = || {
        sqlx::query_as!(
            StoredImage,
            r#"
            SELECT image_key AS "key!", image_mime AS "mime!", image_size_bytes AS "size_bytes!"
            FROM generation_requests
            WHERE id = $1 AND user_id = $2 AND image_key IS NOT NULL
            "#,
            id.0,
            user.0,
        )
    };
    reader.lookup(NAME, wanted, statement).await
}

/// Reads a request with everything. For admins.
pub async fn trace(
    reader: &Reader,
    wanted: Wanted,
    id: RequestId,
) -> Result<Fresh<Option<GenerationTrace>>, LogError> {
    let statement = || {
        // dynamic: `query_as!` fills no struct within a struct.
        sqlx::query("SELECT * FROM generation_requests WHERE id = $1")
            .bind(id.0)
            .try_map(|row| GenerationTrace::from_row(&row))
    };
    reader.lookup(NAME, wanted, statement).await
}
