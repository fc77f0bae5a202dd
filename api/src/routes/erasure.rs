//! Erasing a person, for admins. What was said cannot be read again, anywhere; there is no way back.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::UserId;
use domain::user::AskedBy;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::AdminUser;
use crate::extract::{ApiPath, Caller};
use crate::problem::{ApiError, Problem};
use crate::reply::CommandReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(erase))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Erased {
    user_id: Uuid,
    erased_at: DateTime<Utc>,
}

/// Erases a person: everything personal becomes unreadable, in the log too. The account is closed, its sessions
/// end, its address can be registered anew.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/users/{user_id}/personal-data",
    tag = "admin",
    params(("user_id" = Uuid, Path)),
    responses(
        (status = 200, description = "Erased", body = Erased),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such user", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn erase(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(user_id): ApiPath<Uuid>,
) -> Result<CommandReply<Erased>, ApiError> {
    let context = caller.context(&app, admin.actor(), b"");
    let asked_by = AskedBy::Admin { user_id: admin.user_id };
    let done = app.erasures().erase(context, UserId(user_id), asked_by).await?;
    let view = Erased { user_id, erased_at: done.value.erased_at };
    Ok(CommandReply::new(StatusCode::OK, &done, view).versioned(None))
}
