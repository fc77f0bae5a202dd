//! Finds templates by the similarity of their style.

use event_log::{LogError, Position};
use pgvector::HalfVector;
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use super::sketch::sketch;
use super::{NAME, normalised};
use crate::freshness::{Dated, Statement};
use crate::{Fresh, Reader, Wanted};

const HITS_MAX: i64 = 50;
/// The graph hands out rows in almost the right order: a few more are read, and all are sorted again.
const SPARE_HITS: i64 = 20;
/// The number of candidates that the sketches name for each hit, and at least: 99 of 100 nearest rows are among them
/// (the benchmark `search` says how many are found).
const SKETCHES_PER_HIT: i64 = 8;
const SKETCHES_MIN: i64 = 80;

/// The templates that may be found.
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
    /// The cosine similarity: one minus the distance; 0 for a fallback.
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
    query: &SearchQuery,
) -> Result<Fresh<Vec<TemplateHit>>, LogError> {
    metrics::counter!("template_searches_total").increment(1);
    let search = Search::of(query);
    let found = reader.at_once(NAME, wanted, || search.statement()).await?;
    Ok(found.map(|rows| rows.into_iter().filter_map(|row| row.hit).collect()))
}

/// The templates that may be found. `$1` the vector, `$2` its model, `$3` to `$6` the rest of the filter.
const FINDABLE: &str = "is_active AND status = 'analyzed' AND embedding_model = $2 \
     AND ($3::boolean IS NULL OR has_face = $3) \
     AND ($4::boolean IS NULL OR has_text = $4) \
     AND ($5::smallint IS NULL OR energy_level >= $5) \
     AND ($6::smallint IS NULL OR energy_level <= $6)";

/// Candidates of a category, by their sketches. The number is part of the text, so that it is known when the statement
/// is planned.
fn of_category(candidates: i64) -> String {
    format!(
        "SELECT id FROM templates WHERE {FINDABLE} AND category = $10 ORDER BY sketch <~> $11 LIMIT {candidates}"
    )
}

/// Candidates of all categories, by the graph.
fn of_all(candidates: i64) -> String {
    format!("SELECT id FROM templates WHERE {FINDABLE} ORDER BY embedding <=> $1 LIMIT {candidates}")
}

/// A row of the answer. The rows of an answer have the same checkpoint. An answer without hits is a row without a hit.
struct Found {
    checkpoint: Position,
    hit: Option<TemplateHit>,
}

impl Dated for Found {
    fn checkpoint(&self) -> Position {
        self.checkpoint
    }
}

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let is_hit = row.try_get::<Option<Uuid>, _>("id")?.is_some();
        let hit = is_hit.then(|| TemplateHit::from_row(row)).transpose()?;
        Ok(Self { checkpoint: row.try_get("checkpoint")?, hit })
    }
}

/// A search, as it is sent to the database.
struct Search<'a> {
    query: &'a SearchQuery,
    category: Option<String>,
    limit: i64,
    text: String,
}

impl<'a> Search<'a> {
    fn of(query: &'a SearchQuery) -> Self {
        let limit = query.limit.clamp(1, HITS_MAX);
        let category = query.filter.category.as_deref().map(normalised);
        let candidates = match category {
            Some(_) => of_category((limit * SKETCHES_PER_HIT).max(SKETCHES_MIN)),
            None => of_all(limit + SPARE_HITS),
        };
        let text = format!(
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
        Self { query, category, limit, text }
    }

    /// The checkpoint and the hits in one statement, because a pipeline waits for it.
    fn statement(&self) -> Statement<'_, impl FnMut(PgRow) -> Result<Found, sqlx::Error> + Send + use<>> {
        let (query, filter) = (self.query, &self.query.filter);
        // dynamic: the candidates of a category and those of all are found in different ways.
        let mut statement = sqlx::query(&self.text)
            .bind(HalfVector::from_f32_slice(&query.vector))
            .bind(&query.model)
            .bind(filter.has_face)
            .bind(filter.has_text)
            .bind(filter.energy_min.map(i16::from))
            .bind(filter.energy_max.map(i16::from))
            .bind(NAME)
            .bind(query.threshold)
            .bind(self.limit);
        if let Some(category) = &self.category {
            statement = statement.bind(category).bind(sketch(&query.vector));
        }
        statement.try_map(|row| Found::from_row(&row))
    }
}

/// The templates to take when nothing is similar enough: featured ones, then by priority, then the proven ones.
pub async fn fallback(
    reader: &Reader,
    wanted: Wanted,
    limit: i64,
) -> Result<Fresh<Vec<TemplateHit>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let rows = sqlx::query_as!(
        TemplateHit,
        r#"
        SELECT id, category, 0::double precision AS "similarity_score!", performance_score AS "performance_score!"
        FROM templates
        WHERE is_active AND status = 'analyzed'
        ORDER BY is_featured DESC, priority DESC, performance_score DESC, usage_count DESC, id
        LIMIT $1
        "#,
        limit.clamp(1, HITS_MAX),
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(rows))
}
