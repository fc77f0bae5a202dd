//! Routes of admins besides the template library: credits, the state of the projections. Users get 403.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::credit_ledger::GrantReason;
use domain::{Credits, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::AdminUser;
use crate::extract::{ApiJson, ApiPath, Caller};
use crate::problem::{ApiError, Problem};
use crate::reply::CommandReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(grant)).routes(routes!(parked))
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct GrantRequest {
    #[schema(minimum = 1, maximum = 1_000_000)]
    amount: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Granted {
    user_id: Uuid,
    amount: u32,
    granted_at: DateTime<Utc>,
}

/// Gives a user credits.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users/{user_id}/credits",
    tag = "admin",
    params(("user_id" = Uuid, Path)),
    request_body = GrantRequest,
    responses(
        (status = 201, description = "Granted", body = Granted),
        (status = 404, description = "No such user", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn grant(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(user_id): ApiPath<Uuid>,
    body: ApiJson<GrantRequest>,
) -> Result<CommandReply<Granted>, ApiError> {
    const AMOUNT_MAX: u32 = 1_000_000;
    let amount = body.value.amount;
    if amount == 0 || amount > AMOUNT_MAX {
        let detail = format!("amount is 1 to {AMOUNT_MAX}");
        return Err(ApiError::Invalid { field: "amount", detail });
    }
    let context = caller.context(&app, admin.actor(), &body.bytes);
    let credits = Credits(amount);
    let done =
        app.commands().grant_credits(context, UserId(user_id), credits, GrantReason::Adjustment).await?;
    let view = Granted { user_id, amount, granted_at: done.value.granted_at };
    Ok(CommandReply::new(StatusCode::CREATED, &done, view))
}

/// Events that a projection could not apply and set aside.
#[utoipa::path(
    get,
    path = "/api/v1/admin/parked",
    tag = "admin",
    responses((status = 200, description = "Parked events", body = Value)),
    security(("bearerAuth" = []))
)]
async fn parked(State(app): State<App>, AdminUser(_admin): AdminUser) -> Result<Json<Value>, ApiError> {
    const PARKED_MAX: i64 = 200;
    let parked = projections::runtime::parked(app.log().pool(), PARKED_MAX).await?;
    Ok(Json(json!({ "parked": parked })))
}
