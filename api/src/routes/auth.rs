//! Accounts and sessions: register, log in, refresh, log out, tickets for sockets.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::{Authenticated, CommandError, Done, RegisterUser, SessionTokens, actor_of};
use domain::user::{Role, User};
use domain::{EmailAddress, SessionId, UserId, Username};
use event_log::Actor;
use nats::{Ticket, Tickets};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::me::UserView;
use crate::auth::{CurrentUser, TokenType, access_expires_in, random_text};
use crate::extract::{ApiJson, Caller};
use crate::limits::Limited;
use crate::live::ticket_hash;
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, no_content};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(ticket))
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RegisterRequest {
    #[schema(format = Email, example = "ada@example.com")]
    email: String,
    /// The part of the address before the @ when missing.
    #[schema(max_length = 100)]
    username: Option<String>,
    #[schema(min_length = 8, max_length = 200)]
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct LoginRequest {
    #[schema(format = Email)]
    email: String,
    #[schema(min_length = 8)]
    password: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RefreshRequest {
    refresh_token: String,
}

/// An open session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    access_token: String,
    refresh_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: u64,
    user: UserView,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TicketView {
    ticket: String,
    /// Seconds for which the ticket is good, once.
    expires_in: u64,
}

/// Makes an account and opens its first session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    tag = "auth",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "Registered", body = SessionView),
        (status = 409, description = "The address is taken", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Something is invalid", content_type = "application/problem+json", body = Problem),
    )
)]
async fn register(
    State(app): State<App>,
    caller: Caller,
    body: ApiJson<RegisterRequest>,
) -> Result<CommandReply<SessionView>, ApiError> {
    let email = EmailAddress::parse(&body.value.email).map_err(CommandError::from)?;
    let name = body.value.username.as_deref().or(email.as_str().split('@').next()).unwrap_or_default();
    let username = Username::parse(name).map_err(CommandError::from)?;
    let context = caller.context(&app, Actor::Anonymous, &body.bytes);
    app.limits().count_command(app.log(), Limited::Registration, caller.ip(), &context).await?;
    let user = RegisterUser { email, username, password: body.value.password, role: Role::User };
    let done = app.commands().register(context, user).await?;
    let view = session_view(&app, &done.value.session).await?;
    Ok(CommandReply::new(StatusCode::CREATED, &done, view).at("/api/v1/auth/me".to_owned()).versioned(None))
}

/// Opens a session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Logged in", body = SessionView),
        (status = 401, description = "Address or password is wrong", content_type = "application/problem+json", body = Problem),
        (status = 429, description = "Too many attempts", content_type = "application/problem+json", body = Problem),
    )
)]
async fn login(
    State(app): State<App>,
    caller: Caller,
    body: ApiJson<LoginRequest>,
) -> Result<CommandReply<SessionView>, ApiError> {
    app.limits().count(Limited::Login, caller.ip()).await?;
    let LoginRequest { email, password } = &body.value;
    let Authenticated { actor, stronger } = app.commands().authenticate(email, password).await?;
    let user_id = UserId(actor.receipt_owner());
    let context = caller.context(&app, actor, &body.bytes);
    let done = app.commands().log_in(context.clone(), user_id).await?;
    if let Some(stronger) = stronger
        && let Err(error) = app.commands().raise_password_hash(context, user_id, stronger).await
    {
        // The login is good all the same, and the next one raises the hash.
        tracing::warn!(%error, "a password hash was not raised");
    }
    session_reply(&app, &done).await
}

/// Exchanges a refresh token for a new pair. An older token of the session ends it.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    tag = "auth",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "A new pair", body = SessionView),
        (status = 401, description = "The token is not valid, or was used before", content_type = "application/problem+json", body = Problem),
    )
)]
async fn refresh(
    State(app): State<App>,
    caller: Caller,
    body: ApiJson<RefreshRequest>,
) -> Result<CommandReply<SessionView>, ApiError> {
    let claims = app.tokens().check(&body.value.refresh_token, TokenType::Refresh)?;
    let (session_id, user_id) = (SessionId(claims.sid), UserId(claims.sub));
    let user = app.log().load::<User>(user_id).await?.state;
    let User::Active(profile) = user else {
        return Err(CommandError::RefreshTokenInvalid.into());
    };
    let context = caller.context(&app, actor_of(user_id, profile.role), &body.bytes);
    let done = app.commands().refresh(context, (session_id, user_id), claims.jti).await?;
    session_reply(&app, &done).await
}

/// Ends the session: its tokens are dead at once and its sockets are closed.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    tag = "auth",
    responses((status = 204, description = "Logged out")),
    security(("bearerAuth" = []))
)]
async fn logout(State(app): State<App>, user: CurrentUser, caller: Caller) -> Result<Response, ApiError> {
    let context = caller.context(&app, user.actor(), b"");
    let done = app.commands().log_out(context, user.session_id).await?;
    Ok(no_content(&done))
}

/// A ticket with which a socket can be opened once, so that no token ends up in an address.
#[utoipa::path(
    post,
    path = "/api/v1/auth/ticket",
    tag = "auth",
    responses(
        (status = 201, description = "A ticket", body = TicketView),
        (status = 503, description = "No tickets at the moment", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn ticket(State(app): State<App>, user: CurrentUser) -> Result<Response, ApiError> {
    let text = random_text();
    let ticket = Ticket { user_id: user.user_id.0, session_id: user.session_id.0 };
    Tickets::new(app.bus().clone()).issue(&ticket_hash(&text), &ticket).await.map_err(|error| {
        tracing::warn!(%error, "a ticket could not be issued");
        ApiError::Unavailable
    })?;
    let view = TicketView { ticket: text, expires_in: Tickets::LIFE.as_secs() };
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, no_store, Json(view)).into_response())
}

async fn session_reply(app: &App, done: &Done<SessionTokens>) -> Result<CommandReply<SessionView>, ApiError> {
    let view = session_view(app, &done.value).await?;
    Ok(CommandReply::new(StatusCode::OK, done, view).versioned(None))
}

async fn session_view(app: &App, tokens: &SessionTokens) -> Result<SessionView, ApiError> {
    let tokens = app.commands().complete_tokens(tokens);
    let (access_token, refresh_token) = app.tokens().issue(&tokens)?;
    Ok(SessionView {
        access_token,
        refresh_token,
        token_type: "bearer",
        expires_in: access_expires_in(),
        user: UserView::of(app, tokens.user_id).await?,
    })
}
