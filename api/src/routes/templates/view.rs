//! A template as admins see it.

use chrono::{DateTime, Utc};
use commands::UploadedTemplate;
use projections::templates::{TemplateRow, TemplateStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A template as admins see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the contract")]
pub struct TemplateView {
    id: Uuid,
    #[schema(format = "uri")]
    image_url: String,
    #[schema(format = "uri")]
    thumbnail_url: String,
    category: String,
    tags: Vec<String>,
    description: String,
    /// `pending_analysis`, `analyzing`, `analyzed` or `failed`.
    status: TemplateStatusName,
    failure_reason: Option<String>,
    has_face: bool,
    has_text: bool,
    has_logo: bool,
    /// 1 (calm) to 10 (high energy).
    energy_level: Option<i16>,
    analyzed_by: Option<String>,
    performance_score: f64,
    success_rate: f64,
    usage_count: i64,
    is_active: bool,
    is_featured: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatusName {
    PendingAnalysis,
    Analyzing,
    Analyzed,
    Failed,
}

impl From<TemplateStatusName> for TemplateStatus {
    fn from(name: TemplateStatusName) -> Self {
        match name {
            TemplateStatusName::PendingAnalysis => Self::PendingAnalysis,
            TemplateStatusName::Analyzing => Self::Analyzing,
            TemplateStatusName::Analyzed => Self::Analyzed,
            TemplateStatusName::Failed => Self::Failed,
        }
    }
}

impl From<TemplateStatus> for TemplateStatusName {
    fn from(status: TemplateStatus) -> Self {
        match status {
            TemplateStatus::PendingAnalysis => Self::PendingAnalysis,
            TemplateStatus::Analyzing => Self::Analyzing,
            TemplateStatus::Analyzed => Self::Analyzed,
            TemplateStatus::Failed => Self::Failed,
        }
    }
}

fn url_of(id: Uuid) -> String {
    format!("/api/v1/admin/templates/{id}/image")
}

impl From<&TemplateRow> for TemplateView {
    fn from(row: &TemplateRow) -> Self {
        Self {
            id: row.id,
            image_url: url_of(row.id),
            thumbnail_url: format!("{}?size=thumbnail", url_of(row.id)),
            category: row.category.clone(),
            tags: row.tags.clone(),
            description: row.description.clone(),
            status: row.status.into(),
            failure_reason: row.failure_reason.clone(),
            has_face: row.has_face,
            has_text: row.has_text,
            has_logo: row.has_logo,
            energy_level: row.energy_level,
            analyzed_by: row.analyzed_by.clone(),
            performance_score: row.performance_score,
            success_rate: row.success_rate,
            usage_count: row.usage_count,
            is_active: row.is_active,
            is_featured: row.is_featured,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl TemplateView {
    /// A template that was uploaded just now.
    pub fn pending(uploaded: &UploadedTemplate) -> Self {
        let id = uploaded.template_id.0;
        Self {
            id,
            image_url: url_of(id),
            thumbnail_url: format!("{}?size=thumbnail", url_of(id)),
            category: uploaded.category.clone(),
            tags: uploaded.tags.clone(),
            description: uploaded.description.clone(),
            status: TemplateStatusName::PendingAnalysis,
            failure_reason: None,
            has_face: false,
            has_text: false,
            has_logo: false,
            energy_level: None,
            analyzed_by: None,
            performance_score: 0.0,
            success_rate: 0.0,
            usage_count: 0,
            is_active: true,
            is_featured: false,
            created_at: uploaded.uploaded_at,
            updated_at: uploaded.uploaded_at,
        }
    }
}
