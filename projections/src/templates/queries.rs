//! Reads `templates` for admins.

use chrono::{DateTime, Utc};
use domain::TemplateId;
use event_log::LogError;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{NAME, TemplateStatus, normalised};
use crate::word::Word;
use crate::{Fresh, Page, Reader, Rows, Wanted};

/// A template without its DNA and its vector.
#[expect(clippy::struct_excessive_bools, reason = "a row holds what its table holds")]
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// The templates that an admin wants to see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateFilter {
    pub category: Option<String>,
    pub status: Option<TemplateStatus>,
}

/// The number of templates at a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusCount {
    pub status: TemplateStatus,
    pub count: i64,
}

macro_rules! templates {
    ($which:literal, $($value:expr),+) => {
        sqlx::query_as!(
            TemplateRow,
            r#"
            SELECT
                id,
                image_key,
                image_mime,
                image_size_bytes,
                image_width,
                image_height,
                thumbnail_key,
                thumbnail_mime,
                category,
                tags,
                description,
                status AS "status: Word<TemplateStatus>",
                failure_reason,
                analysis_attempts,
                has_face,
                has_text,
                has_logo,
                energy_level,
                embedding_model,
                analyzed_by,
                analysis_version,
                analyzed_at,
                usage_count,
                success_count,
                success_rate AS "success_rate!",
                performance_score AS "performance_score!",
                last_used_at,
                is_active,
                is_featured,
                priority,
                created_at,
                updated_at
            FROM templates
            "# + $which,
            $($value),+
        )
    };
}

/// Templates, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    filter: &TemplateFilter,
    page: Page,
) -> Result<Fresh<Rows<TemplateRow>>, LogError> {
    let category = filter.category.as_deref().map(normalised);
    let status = filter.status.map(TemplateStatus::name);
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "total!"
        FROM templates
        WHERE ($1::text IS NULL OR category = $1) AND ($2::text IS NULL OR status = $2)
        "#,
        category as _,
        status as _,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = templates!(
        "WHERE ($1::text IS NULL OR category = $1) AND ($2::text IS NULL OR status = $2)
         ORDER BY created_at DESC, id LIMIT $3 OFFSET $4",
        category as _,
        status as _,
        page.limit,
        page.offset
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(Rows { rows, total }))
}

/// Reads a template.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    id: TemplateId,
) -> Result<Fresh<Option<TemplateRow>>, LogError> {
    reader.lookup(NAME, wanted, || templates!("WHERE id = $1", id.0)).await
}

/// The design DNA that the last analysis found; `None` before the first one.
pub async fn style_dna(
    reader: &Reader,
    wanted: Wanted,
    id: TemplateId,
) -> Result<Fresh<Option<Value>>, LogError> {
    let statement = || {
        sqlx::query!(
            r#"SELECT style_dna AS "style_dna!" FROM templates WHERE id = $1 AND style_dna IS NOT NULL"#,
            id.0,
        )
        .map(|row| row.style_dna)
    };
    reader.lookup(NAME, wanted, statement).await
}

/// The number of templates at each status. A status without templates is not listed.
pub async fn counts(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<StatusCount>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let rows = sqlx::query_as!(
        StatusCount,
        r#"
        SELECT status AS "status: Word<TemplateStatus>", count(*) AS "count!"
        FROM templates
        GROUP BY status
        ORDER BY status
        "#
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(rows))
}
