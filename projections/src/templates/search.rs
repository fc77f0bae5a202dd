//! Finds templates by the similarity of their style.

use std::sync::Arc;

use event_log::LogError;
use futures::FutureExt;
use pgvector::HalfVector;
use serde::Serialize;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{NAME, normalised};
use crate::{Fresh, Reader, Wanted};

/// The length of every vector of the index.
pub const EMBEDDING_DIMENSIONS: usize = 1536;
const HITS_MAX: i64 = 50;
/// The index hands out rows in almost the right order: a few more are read, and all are sorted again.
const SPARE_HITS: i64 = 20;

/// Which templates may be found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchFilter {
    pub category: Option<String>,
    pub has_face: Option<bool>,
    pub has_text: Option<bool>,
    pub energy_min: Option<u8>,
    pub energy_max: Option<u8>,
}

/// A wish, as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchQuery {
    pub vector: Vec<f32>,
    /// Only vectors of the same model are compared.
    pub model: String,
    pub filter: SearchFilter,
    /// The least similarity, 0 to 1. It belongs to the model.
    pub threshold: f64,
    pub limit: i64,
}

/// A template that was found.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct TemplateHit {
    pub id: Uuid,
    pub category: String,
    /// One minus the cosine distance; 0 for a fallback.
    pub similarity_score: f64,
    pub performance_score: f64,
}

/// The most similar templates, best first, then by performance. Only active and analysed ones.
pub async fn search(
    reader: &Reader,
    wanted: Wanted,
    query: SearchQuery,
) -> Result<Fresh<Vec<TemplateHit>>, LogError> {
    metrics::counter!("template_searches_total").increment(1);
    let vector = HalfVector::from_f32_slice(&query.vector);
    let query = Arc::new((query, vector));
    reader
        .read(NAME, wanted, move |connection| {
            let query = query.clone();
            async move { nearest(connection, &query.0, &query.1).await }.boxed()
        })
        .await
}

async fn nearest(
    connection: &mut PgConnection,
    query: &SearchQuery,
    vector: &HalfVector,
) -> Result<Vec<TemplateHit>, LogError> {
    let limit = query.limit.clamp(1, HITS_MAX);
    let filter = &query.filter;
    let mut tx = connection.begin().await?;
    // Like SET LOCAL, both at once. Without the iterative scan a narrow filter leaves too few rows.
    sqlx::query(
        "SELECT set_config('hnsw.ef_search', '100', true), \
                set_config('hnsw.iterative_scan', 'relaxed_order', true)",
    )
    .execute(&mut *tx)
    .await?;
    let hits = sqlx::query_as(
        "WITH nearest AS MATERIALIZED ( \
             SELECT id, category, performance_score, embedding <=> $1 AS distance \
             FROM templates \
             WHERE is_active \
               AND status = 'analyzed' \
               AND embedding_model = $2 \
               AND ($3::text IS NULL OR category = $3) \
               AND ($4::boolean IS NULL OR has_face = $4) \
               AND ($5::boolean IS NULL OR has_text = $5) \
               AND ($6::smallint IS NULL OR energy_level >= $6) \
               AND ($7::smallint IS NULL OR energy_level <= $7) \
             ORDER BY embedding <=> $1 \
             LIMIT $8) \
         SELECT id, category, 1 - distance AS similarity_score, performance_score \
         FROM nearest \
         WHERE distance < 1 - $9 \
         ORDER BY distance, performance_score DESC, id \
         LIMIT $10",
    )
    .bind(vector)
    .bind(&query.model)
    .bind(filter.category.as_deref().map(normalised))
    .bind(filter.has_face)
    .bind(filter.has_text)
    .bind(filter.energy_min.map(i16::from))
    .bind(filter.energy_max.map(i16::from))
    .bind(limit + SPARE_HITS)
    .bind(query.threshold)
    .bind(limit)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(hits)
}

/// What to take when nothing is similar enough: featured templates, then by priority, then the proven ones.
pub async fn fallback(
    reader: &Reader,
    wanted: Wanted,
    limit: i64,
) -> Result<Fresh<Vec<TemplateHit>>, LogError> {
    let limit = limit.clamp(1, HITS_MAX);
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let rows = sqlx::query_as(
                    "SELECT id, category, 0::double precision AS similarity_score, performance_score \
                     FROM templates WHERE is_active AND status = 'analyzed' \
                     ORDER BY is_featured DESC, priority DESC, performance_score DESC, usage_count DESC, id \
                     LIMIT $1",
                );
                Ok(rows.bind(limit).fetch_all(connection).await?)
            }
            .boxed()
        })
        .await
}
