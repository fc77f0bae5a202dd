//! Reads `templates` for admins.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_log::LogError;
use futures::FutureExt;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{NAME, TemplateStatus, normalised};
use crate::{Fresh, Page, Reader, Rows, Wanted};

/// A template without its DNA and its vector.
#[expect(clippy::struct_excessive_bools, reason = "a row holds what its table holds")]
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct TemplateRow {
    pub id: Uuid,
    pub image_key: String,
    pub image_mime: String,
    pub image_size_bytes: i64,
    pub image_width: i32,
    pub image_height: i32,
    pub thumbnail_key: String,
    pub thumbnail_mime: String,
    pub category: String,
    pub tags: Vec<String>,
    pub description: String,
    #[sqlx(try_from = "String")]
    pub status: TemplateStatus,
    pub failure_reason: Option<String>,
    pub analysis_attempts: i32,
    pub has_face: bool,
    pub has_text: bool,
    pub has_logo: bool,
    /// 1 (calm) to 10 (high energy).
    pub energy_level: Option<i16>,
    pub embedding_model: Option<String>,
    pub analyzed_by: Option<String>,
    pub analysis_version: Option<String>,
    pub analyzed_at: Option<DateTime<Utc>>,
    pub usage_count: i64,
    pub success_count: i64,
    pub success_rate: f64,
    pub performance_score: f64,
    pub last_used_at: Option<DateTime<Utc>>,
    pub is_active: bool,
    pub is_featured: bool,
    pub priority: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Which templates an admin wants to see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateFilter {
    pub category: Option<String>,
    pub status: Option<TemplateStatus>,
}

/// How many templates stand at a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct StatusCount {
    #[sqlx(try_from = "String")]
    pub status: TemplateStatus,
    pub count: i64,
}

const COLUMNS: &str = "id, image_key, image_mime, image_size_bytes, image_width, image_height, \
     thumbnail_key, thumbnail_mime, category, tags, description, status, failure_reason, analysis_attempts, \
     has_face, has_text, has_logo, energy_level, embedding_model, analyzed_by, analysis_version, \
     analyzed_at, usage_count, success_count, success_rate, performance_score, last_used_at, is_active, \
     is_featured, priority, created_at, updated_at";

/// Templates, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    filter: TemplateFilter,
    page: Page,
) -> Result<Fresh<Rows<TemplateRow>>, LogError> {
    const MATCHING: &str =
        "FROM templates WHERE ($1::text IS NULL OR category = $1) AND ($2::text IS NULL OR status = $2)";
    let category = Arc::new(filter.category.as_deref().map(normalised));
    let status = filter.status.map(TemplateStatus::name);
    reader
        .read(NAME, wanted, move |connection| {
            let category = category.clone();
            async move {
                let count = format!("SELECT count(*) {MATCHING}");
                let total = sqlx::query_scalar(&count)
                    .bind(category.as_deref())
                    .bind(status)
                    .fetch_one(&mut *connection)
                    .await?;
                let select =
                    format!("SELECT {COLUMNS} {MATCHING} ORDER BY created_at DESC, id LIMIT $3 OFFSET $4");
                let rows = sqlx::query_as(&select)
                    .bind(category.as_deref())
                    .bind(status)
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

/// One template.
pub async fn get(reader: &Reader, wanted: Wanted, id: Uuid) -> Result<Fresh<Option<TemplateRow>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let select = format!("SELECT {COLUMNS} FROM templates WHERE id = $1");
                Ok(sqlx::query_as(&select).bind(id).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// The design DNA that the last analysis found; `None` before the first one.
pub async fn style_dna(reader: &Reader, wanted: Wanted, id: Uuid) -> Result<Fresh<Option<Value>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let row = sqlx::query_scalar(
                    "SELECT style_dna FROM templates WHERE id = $1 AND style_dna IS NOT NULL",
                );
                Ok(row.bind(id).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// How far the library is analysed. A status without templates is not listed.
pub async fn counts(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<StatusCount>>, LogError> {
    reader
        .read(NAME, wanted, |connection| {
            async move {
                let rows = sqlx::query_as(
                    "SELECT status, count(*) AS count FROM templates GROUP BY status ORDER BY status",
                );
                Ok(rows.fetch_all(connection).await?)
            }
            .boxed()
        })
        .await
}
