//! Reads `generation_algorithms`.

use chrono::{DateTime, Utc};
use event_log::LogError;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, PAGE_ROWS_MAX, Reader, Wanted};

/// An algorithm with what admins may see. Users are shown id, slug, name and price.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

macro_rules! algorithms {
    ($which:literal, $($value:expr),+) => {
        sqlx::query_as!(
            AlgorithmRow,
            r#"
            SELECT
                id,
                slug,
                display_name,
                provider,
                config,
                credit_cost,
                cost_micros,
                is_active,
                is_default,
                created_at,
                updated_at
            FROM generation_algorithms
            "# + $which,
            $($value),+
        )
    };
}

/// The algorithms that can be chosen: the default first, then by price.
pub async fn list_active(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<AlgorithmRow>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let rows = algorithms!(
        "WHERE is_active ORDER BY is_active DESC, is_default DESC, credit_cost, slug LIMIT $1",
        PAGE_ROWS_MAX
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(rows))
}

/// All algorithms, active ones first. For admins.
pub async fn list(reader: &Reader, wanted: Wanted) -> Result<Fresh<Vec<AlgorithmRow>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let rows =
        algorithms!("ORDER BY is_active DESC, is_default DESC, credit_cost, slug LIMIT $1", PAGE_ROWS_MAX);
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(rows))
}

/// Reads an algorithm, active or not, by its id or its slug.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    id_or_slug: &str,
) -> Result<Fresh<Option<AlgorithmRow>>, LogError> {
    let id = id_or_slug.parse::<Uuid>().ok();
    let statement = || algorithms!("WHERE id = $1 OR slug = $2 LIMIT 1", id as _, id_or_slug);
    reader.lookup(NAME, wanted, statement).await
}
