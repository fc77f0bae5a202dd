//! Finds templates by the similarity of their style.

use std::sync::Arc;

use event_log::{LogError, Position};
use futures::FutureExt;
use pgvector::HalfVector;
use serde::Serialize;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use super::sketch::sketch;
use super::{NAME, normalised};
use crate::{Fresh, Reader, Wanted};

/// The length of every vector of the index.
pub const EMBEDDING_DIMENSIONS: usize = 1536;
const HITS_MAX: i64 = 50;
/// The graph hands out rows in almost the right order: a few more are read, and all are sorted again.
const SPARE_HITS: i64 = 20;
/// How many candidates the sketches name for each hit, and at least: 99 of 100 nearest rows are among them
/// (the benchmark `search` says how many are found).
const SKETCHES_PER_HIT: i64 = 8;
const SKETCHES_MIN: i64 = 80;

/// Settings of the connections that search. Without the iterative scan a narrow filter leaves too few rows.
pub(crate) const SEARCH_OPTIONS: &[(&str, &str)] =
    &[("hnsw.ef_search", "100"), ("hnsw.iterative_scan", "relaxed_order")];

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
///
/// Within a category the sketches of all its templates are compared and the vectors of the nearest decide;
/// among all templates the graph of the vector index leads to the nearest.
pub async fn search(
    reader: &Reader,
    wanted: Wanted,
    query: SearchQuery,
) -> Result<Fresh<Vec<TemplateHit>>, LogError> {
    metrics::counter!("template_searches_total").increment(1);
    let query = Arc::new(query);
    reader
        .read_at_once(NAME, wanted, move |connection| {
            let query = query.clone();
            async move { nearest(connection, &query).await }.boxed()
        })
        .await
}

/// What may be found. `$1` the vector, `$2` its model, `$3` to `$6` the rest of the filter.
const FINDABLE: &str = "is_active AND status = 'analyzed' AND embedding_model = $2 \
     AND ($3::boolean IS NULL OR has_face = $3) \
     AND ($4::boolean IS NULL OR has_text = $4) \
     AND ($5::smallint IS NULL OR energy_level >= $5) \
     AND ($6::smallint IS NULL OR energy_level <= $6)";

/// Candidates of a category, by their sketches. The number is part of the text, so that it is known when the statement is
/// planned.
fn of_category(candidates: i64) -> String {
    format!(
        "SELECT id FROM templates WHERE {FINDABLE} AND category = $10 ORDER BY sketch <~> $11 LIMIT {candidates}"
    )
}

/// Candidates of all categories, by the graph.
fn of_all(candidates: i64) -> String {
    format!("SELECT id FROM templates WHERE {FINDABLE} ORDER BY embedding <=> $1 LIMIT {candidates}")
}

/// The checkpoint and the hits: one statement, because a pipeline waits for it.
async fn nearest(
    connection: &mut PgConnection,
    query: &SearchQuery,
) -> Result<(Position, Vec<TemplateHit>), LogError> {
    let limit = query.limit.clamp(1, HITS_MAX);
    let filter = &query.filter;
    let category = filter.category.as_deref().map(normalised);
    let candidates = match category {
        Some(_) => of_category((limit * SKETCHES_PER_HIT).max(SKETCHES_MIN)),
        None => of_all(limit + SPARE_HITS),
    };
    let select = format!(
        "WITH candidates AS MATERIALIZED ({candidates}) \
         SELECT coalesce(c.position, 0) AS checkpoint, hit.id, hit.category, \
                1 - hit.distance AS similarity_score, hit.performance_score \
         FROM (SELECT 1) AS one \
         LEFT JOIN checkpoints AS c ON c.projection = $7 \
         LEFT JOIN ( \
             SELECT id, category, embedding <=> $1 AS distance, performance_score \
             FROM candidates JOIN templates USING (id) \
             ORDER BY distance, performance_score DESC, id \
             LIMIT $9 \
         ) AS hit ON hit.distance < 1 - $8 \
         ORDER BY hit.distance, hit.performance_score DESC, hit.id"
    );
    let mut statement = sqlx::query(&select)
        .bind(HalfVector::from_f32_slice(&query.vector))
        .bind(&query.model)
        .bind(filter.has_face)
        .bind(filter.has_text)
        .bind(filter.energy_min.map(i16::from))
        .bind(filter.energy_max.map(i16::from))
        .bind(NAME)
        .bind(query.threshold)
        .bind(limit);
    if category.is_some() {
        statement = statement.bind(category).bind(sketch(&query.vector));
    }
    let rows = statement.fetch_all(connection).await?;
    let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let checkpoint = first.try_get("checkpoint")?;
    // When nothing was found there is one row without a hit.
    if first.try_get::<Option<Uuid>, _>("id")?.is_none() {
        return Ok((checkpoint, Vec::new()));
    }
    let hits = rows.iter().map(TemplateHit::from_row).collect::<Result<_, _>>()?;
    Ok((checkpoint, hits))
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
