//! The caller's own account.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::UserId;
use domain::user::User;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::CurrentUser;
use crate::problem::{ApiError, Problem};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me))
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    id: Uuid,
    #[schema(format = Email)]
    email: String,
    pub username: String,
    credits: u32,
    #[schema(example = "free")]
    subscription_tier: &'static str,
    created_at: DateTime<Utc>,
}

impl UserView {
    /// The account as the log has it now: it must be right directly after registering.
    pub async fn of(app: &App, user_id: UserId) -> Result<Self, ApiError> {
        let user = app.log().load_cached::<User>(user_id).await?.state;
        let profile = user.profile().ok_or(ApiError::NotFound { what: "user" })?;
        Ok(Self {
            id: user_id.0,
            email: profile.email.text().to_owned(),
            username: profile.username.text().to_owned(),
            credits: app.commands().available_credits(user_id).await?.0,
            subscription_tier: "free",
            created_at: profile.registered_at,
        })
    }
}

/// The caller's account.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    tag = "auth",
    responses(
        (status = 200, description = "The caller's account", body = UserView),
        (status = 401, description = "Not authenticated", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn me(State(app): State<App>, user: CurrentUser) -> Result<Json<UserView>, ApiError> {
    Ok(Json(UserView::of(&app, user.user_id).await?))
}
