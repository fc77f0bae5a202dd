//! Reads `generation_algorithms`.

use chrono::{DateTime, Utc};
use event_log::LogError;
use futures::FutureExt;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, PAGE_ROWS_MAX, Reader, Wanted};

/// An algorithm with what admins may see. Users are shown id, slug, name and price.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct AlgorithmRow {
    pub id: Uuid,
    pub slug: String,
    pub display_name: String,
    pub provider: String,
    pub config: serde_json::Value,
    pub credit_cost: i64,
    pub cost_micros: i64,
    pub is_active: bool,
    pub is_default: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, slug, display_name, provider, config, credit_cost, cost_micros, is_active, \
     is_default, created_at, updated_at";

/// What can be chosen: the default first, then by price.
pub async fn list_active(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<AlgorithmRow>>, LogError> {
    rows(reader, wanted, "WHERE is_active").await
}

/// All algorithms, active ones first. For admins.
pub async fn list(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<AlgorithmRow>>, LogError> {
    rows(reader, wanted, "").await
}

async fn rows(
    reader: &Reader,
    wanted: Wanted,
    condition: &'static str,
) -> Result<Fresh<Vec<AlgorithmRow>>, LogError> {
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let select = format!(
                    "SELECT {COLUMNS} FROM generation_algorithms {condition} \
                     ORDER BY is_active DESC, is_default DESC, credit_cost, slug LIMIT $1"
                );
                Ok(sqlx::query_as(&select).bind(PAGE_ROWS_MAX).fetch_all(connection).await?)
            }
            .boxed()
        })
        .await
}

/// One algorithm, active or not, by its id or its slug.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    id_or_slug: &str,
) -> Result<Fresh<Option<AlgorithmRow>>, LogError> {
    let id = id_or_slug.parse::<Uuid>().ok();
    let slug = id_or_slug.to_owned();
    reader
        .lookup(NAME, wanted, move |connection| {
            let slug = slug.clone();
            async move {
                let select =
                    format!("SELECT {COLUMNS} FROM generation_algorithms WHERE id = $1 OR slug = $2 LIMIT 1");
                Ok(sqlx::query_as(&select).bind(id).bind(slug).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}
