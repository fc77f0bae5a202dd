//! The caller of a request: a bearer token is good only while its session is open and its account is active.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use domain::user::{Role, User};
use domain::{SessionId, UserId};
use event_log::Actor;

use super::tokens::TokenType;
use crate::problem::ApiError;
use crate::state::App;

/// The user behind a request.
#[derive(Debug, Clone)]
pub struct CurrentUser {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub role: Role,
}

impl CurrentUser {
    pub fn actor(&self) -> Actor {
        commands::actor_of(self.user_id, self.role)
    }

    /// The user of an access token, if session and account are in order.
    pub async fn of_token(app: &App, token: &str) -> Result<Self, ApiError> {
        let claims = app.tokens().check(token, TokenType::Access)?;
        Self::of_session(app, UserId(claims.sub), SessionId(claims.sid)).await
    }

    /// The user of a session, if it is open and the account is active.
    pub async fn of_session(app: &App, user_id: UserId, session_id: SessionId) -> Result<Self, ApiError> {
        if !app.commands().session_is_open(session_id).await? {
            return Err(ApiError::Unauthenticated { detail: "The session has ended" });
        }
        let mut user = app.log().load_cached::<User>(user_id).await?.state;
        if !matches!(user, User::Active(_)) {
            user = app.log().load::<User>(user_id).await?.state;
        }
        match user {
            User::Active(profile) => Ok(Self { user_id, session_id, role: profile.role }),
            User::Deactivated(_) | User::Erased { .. } | User::Unregistered => {
                Err(ApiError::Unauthenticated { detail: "Could not validate credentials" })
            }
        }
    }
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl FromRequestParts<App> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::Unauthenticated { detail: "Not authenticated" })?;
        Self::of_token(app, token).await
    }
}

/// A user who is an admin.
#[derive(Debug, Clone)]
pub struct AdminUser(pub CurrentUser);

impl FromRequestParts<App> for AdminUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let user = CurrentUser::from_request_parts(parts, app).await?;
        match user.role {
            Role::Admin => Ok(Self(user)),
            Role::User => Err(ApiError::AdminRequired),
        }
    }
}
