//! Work that failed too often and was set aside, for admins, and a second chance for it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use event_log::Position;
use event_log::work::{self, ParkedWork};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::next_page;
use crate::auth::AdminUser;
use crate::extract::{ApiPath, ApiQuery, Caller};
use crate::problem::{ApiError, Problem};
use crate::reply::CommandReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(parked)).routes(routes!(retry))
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ParkedWorkPaging {
    /// At most so many rows, 1 to 200.
    #[serde(default = "super::default_limit")]
    #[param(default = 20)]
    limit: i64,
    /// Rows behind this one: `next_cursor` of the page before.
    #[serde(default)]
    cursor: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedWorkView {
    work_id: Uuid,
    /// The process manager that does it.
    role: String,
    task: String,
    /// The id of the aggregate that it concerns.
    subject: String,
    /// The event that called for it.
    #[schema(value_type = i64)]
    position: Position,
    attempts: i32,
    reason: String,
    parked_at: DateTime<Utc>,
}

impl From<ParkedWork> for ParkedWorkView {
    fn from(row: ParkedWork) -> Self {
        Self {
            work_id: row.work_id,
            role: row.role,
            task: row.task,
            subject: row.subject,
            position: row.position,
            attempts: row.attempts,
            reason: row.reason,
            parked_at: row.parked_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedWorkList {
    parked: Vec<ParkedWorkView>,
    total: i64,
    next_cursor: Option<Uuid>,
}

/// Work that failed as often as it may, in the order of the events that called for it.
#[utoipa::path(
    get,
    path = "/api/v1/admin/work/parked",
    tag = "admin",
    params(ParkedWorkPaging),
    responses(
        (status = 200, description = "Parked work; a next page is named by `Link`", body = ParkedWorkList),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn parked(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    ApiQuery(paging): ApiQuery<ParkedWorkPaging>,
) -> Result<Response, ApiError> {
    let limit = paging.limit.clamp(1, projections::PAGE_ROWS_MAX);
    let page = work::list_parked(app.log().pool(), paging.cursor, limit + 1).await?;
    let mut parked: Vec<ParkedWorkView> = page.rows.into_iter().map(Into::into).collect();
    let more = parked.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        parked.pop();
    }
    let next_cursor = parked.last().filter(|_| more).map(|last| last.work_id);
    let path = format!("/api/v1/admin/work/parked?limit={limit}");
    let body = Json(ParkedWorkList { parked, total: page.total, next_cursor });
    Ok((next_page(next_cursor, &path), body).into_response())
}

#[derive(Debug, Serialize, ToSchema)]
pub struct WorkRetryView {
    work_id: Uuid,
    requested_at: DateTime<Utc>,
}

/// Opens a parked piece of work again, with all its tries. A worker takes it within a second; what fails as often
/// again is parked again.
#[utoipa::path(
    post,
    path = "/api/v1/admin/work/{work_id}/retry",
    tag = "admin",
    params(("work_id" = Uuid, Path)),
    responses(
        (status = 202, description = "It will be tried again", body = WorkRetryView),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such parked work", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn retry(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(work_id): ApiPath<Uuid>,
) -> Result<CommandReply<WorkRetryView>, ApiError> {
    const ABSENT: ApiError = ApiError::NotFound { what: "parked work" };
    let pool = app.log().pool();
    let context = caller.context(&app, admin.actor(), b"");
    let found = work::find(pool, work_id).await?.ok_or(ABSENT)?;
    // Who asks a second time under the same key gets the first answer, although the work is not parked any more.
    if !found.is_parked && app.log().first_outcome(&context).await?.is_none() {
        return Err(ABSENT);
    }
    let what = (found.role.as_str(), found.task.as_str());
    let done = app.commands().request_retry_of_work(context, admin.user_id, work_id, what).await?;
    // Behind the event, so that no retry is missing in the history. Whoever is cut off in between asks once more.
    work::retry_parked(pool, work_id).await?;
    tracing::info!(admin = %admin.user_id.0, %work_id, "a retry of parked work was asked for");
    let requested_at = done.value.requested_at;
    Ok(CommandReply::new(StatusCode::ACCEPTED, &done, WorkRetryView { work_id, requested_at }))
}
