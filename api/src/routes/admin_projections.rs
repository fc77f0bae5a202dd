//! The state of the read models, for admins, and a second chance for events that were set aside.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use event_log::Position;
use projections::Cursor;
use projections::runtime::{self, ParkedEvent, Progress};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::next_page;
use crate::auth::AdminUser;
use crate::extract::{ApiPath, ApiQuery, Caller};
use crate::health;
use crate::problem::{ApiError, Problem};
use crate::reply::CommandReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(parked)).routes(routes!(retry))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectionView {
    name: String,
    /// Everything up to here is in the read model.
    #[schema(value_type = i64)]
    position: Position,
    events_behind: i64,
    /// The age of the oldest event that is not in it.
    seconds_behind: f64,
    /// Events that could not be applied and were set aside.
    parked: i64,
    /// `following`, `behind` (it moves), `stalled` (events wait and it does not move) or `stopped`.
    state: &'static str,
    /// The event that it stopped at, and why.
    stopped: Option<StopView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct StopView {
    #[schema(value_type = i64)]
    position: Position,
    reason: String,
    at: DateTime<Utc>,
}

impl From<Progress> for ProjectionView {
    fn from(row: Progress) -> Self {
        Self {
            name: row.projection,
            position: row.position,
            events_behind: row.behind,
            seconds_behind: row.seconds_behind,
            parked: row.parked,
            state: row.state.name(),
            stopped: row.stop.map(|stop| StopView {
                position: stop.position,
                reason: stop.reason,
                at: stop.at,
            }),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProjectionList {
    projections: Vec<ProjectionView>,
}

/// Every read model: how far behind, how many events set aside, whether it moves.
#[utoipa::path(
    get,
    path = "/api/v1/admin/projections",
    tag = "admin",
    responses(
        (status = 200, description = "The read models", body = ProjectionList),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn list(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
) -> Result<Json<ProjectionList>, ApiError> {
    let rows =
        health::projections(app.log(), app.settings().stalled_after).await.ok_or(ApiError::Unavailable)?;
    Ok(Json(ProjectionList { projections: rows.into_iter().map(Into::into).collect() }))
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ParkedPaging {
    /// At most so many events, 1 to 200.
    #[serde(default = "super::default_limit")]
    #[param(default = 20)]
    limit: i64,
    /// Events behind this position: `next_cursor` of the page before.
    #[serde(default)]
    #[param(value_type = i64)]
    cursor: Position,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedView {
    #[schema(value_type = i64)]
    position: Position,
    aggregate_type: String,
    aggregate_id: String,
    reason: String,
    parked_at: DateTime<Utc>,
    /// Set while the worker has not come round to it.
    retry_requested_at: Option<DateTime<Utc>>,
}

impl From<ParkedEvent> for ParkedView {
    fn from(row: ParkedEvent) -> Self {
        Self {
            position: row.position,
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            reason: row.reason,
            parked_at: row.parked_at,
            retry_requested_at: row.retry_requested_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedList {
    parked: Vec<ParkedView>,
    total: i64,
    #[schema(value_type = Option<i64>)]
    next_cursor: Option<Position>,
}

/// Events that a read model set aside, in the order of the log.
#[utoipa::path(
    get,
    path = "/api/v1/admin/projections/{name}/parked",
    tag = "admin",
    params(("name" = String, Path), ParkedPaging),
    responses(
        (status = 200, description = "Parked events; a next page is named by `Link`", body = ParkedList),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such read model", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn parked(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    ApiPath(name): ApiPath<String>,
    ApiQuery(paging): ApiQuery<ParkedPaging>,
) -> Result<Response, ApiError> {
    known(&name)?;
    let limit = paging.limit.clamp(1, projections::PAGE_ROWS_MAX);
    let cursor = Cursor { at: Some(paging.cursor), limit: limit + 1 };
    let page = runtime::parked_of(app.log().pool(), &name, cursor).await?;
    let mut parked: Vec<ParkedView> = page.rows.into_iter().map(Into::into).collect();
    let more = parked.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        parked.pop();
    }
    let next_cursor = parked.last().filter(|_| more).map(|last| last.position);
    let path = format!("/api/v1/admin/projections/{name}/parked?limit={limit}");
    let body = Json(ParkedList { parked, total: page.total, next_cursor });
    Ok((next_page(next_cursor, &path), body).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RetryView {
    /// Parked events that will be tried again.
    requested: u64,
}

/// Asks the worker to try the parked events of a read model again. It does so within a second; what fails
/// again stays parked.
#[utoipa::path(
    post,
    path = "/api/v1/admin/projections/{name}/retry",
    tag = "admin",
    params(("name" = String, Path)),
    responses(
        (status = 202, description = "The worker was asked", body = RetryView),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such read model", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn retry(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(name): ApiPath<String>,
) -> Result<CommandReply<RetryView>, ApiError> {
    known(&name)?;
    let first = Cursor { at: None, limit: 1 };
    let parked = runtime::parked_of(app.log().pool(), &name, first).await?.total;
    let parked = u64::try_from(parked).unwrap_or_default();
    let context = caller.context(&app, admin.actor(), b"");
    let done = app.commands().request_retry_of_projection(context, admin.user_id, &name, parked).await?;
    // A repetition asks once more: whoever was cut off between the two gets what was written down.
    runtime::request_retry(app.log().pool(), &name).await?;
    let requested = done.value.requested;
    tracing::info!(admin = %admin.user_id.0, projection = name, requested, "a retry of parked events was asked for");
    Ok(CommandReply::new(StatusCode::ACCEPTED, &done, RetryView { requested }))
}

fn known(name: &str) -> Result<(), ApiError> {
    let known = projections::all().iter().any(|projection| projection.spec().name == name);
    if known { Ok(()) } else { Err(ApiError::NotFound { what: "read model" }) }
}
