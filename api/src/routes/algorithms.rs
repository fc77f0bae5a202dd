//! Routix versions.

use axum::extract::State;
use projections::algorithms;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::extract::Freshness;
use crate::problem::ApiError;
use crate::reply::QueryReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// An algorithm as users see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Algorithm)]
pub struct AlgorithmView {
    id: Uuid,
    #[schema(example = "routix_v1")]
    slug: String,
    #[schema(example = "Routix v1")]
    name: String,
    credit_cost: i64,
    is_default: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AlgorithmList {
    algorithms: Vec<AlgorithmView>,
}

/// The algorithms that can be chosen, the default first.
#[utoipa::path(
    get,
    path = "/api/v1/algorithms",
    tag = "algorithms",
    responses((status = 200, description = "Active algorithms", body = AlgorithmList))
)]
async fn list(
    State(app): State<App>,
    Freshness(wanted): Freshness,
) -> Result<QueryReply<AlgorithmList>, ApiError> {
    let fresh = algorithms::list_active(app.reader(), wanted).await?;
    let algorithms = fresh
        .value
        .iter()
        .map(|row| AlgorithmView {
            id: row.id,
            slug: row.slug.clone(),
            name: row.display_name.clone(),
            credit_cost: row.credit_cost,
            is_default: row.is_default,
        })
        .collect();
    Ok(QueryReply::new(&fresh, AlgorithmList { algorithms }))
}
