//! Conversations, and the welcome screen.

mod messages;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use commands::{CommandError, Commands};
use domain::conversation::Welcome;
use domain::conversation::lines::welcome;
use domain::{ConversationId, Title};
use event_log::Position;
use projections::conversations::{self, OwnChat};
use projections::{Cursor, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::me::UserView;
use crate::auth::CurrentUser;
use crate::extract::{AnswerLanguage, ApiJson, ApiPath, ApiQuery, Caller, Freshness};
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, QueryReply, no_content};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, rename, archive))
        .merge(messages::routes())
        .routes(routes!(suggestions))
}

/// A chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation)]
pub struct ConversationView {
    id: Uuid,
    title: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<conversations::Conversation> for ConversationView {
    fn from(row: conversations::Conversation) -> Self {
        Self { id: row.id, title: row.title, created_at: row.created_at, updated_at: row.updated_at }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationList {
    conversations: Vec<ConversationView>,
    total: i64,
    /// For `cursor`, when there are more.
    #[schema(value_type = Option<i64>)]
    next_cursor: Option<Position>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CreateConversation {
    #[schema(max_length = 200)]
    title: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RenameConversation {
    #[schema(min_length = 1, max_length = 200)]
    title: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    #[serde(default = "super::default_limit")]
    #[param(default = 20, minimum = 1, maximum = 200)]
    limit: i64,
    #[serde(default)]
    #[param(default = 0)]
    offset: i64,
    /// `next_cursor` of the page before: stable while chats change.
    #[param(value_type = Option<i64>)]
    cursor: Option<Position>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Suggestions {
    greeting: String,
    suggestions: [&'static str; 6],
}

/// The caller's chats, last changed first, without archived ones.
#[utoipa::path(
    get,
    path = "/api/v1/chat/conversations",
    tag = "chat",
    params(ListParams),
    responses((status = 200, description = "Chats", body = ConversationList)),
    security(("bearerAuth" = []))
)]
async fn list(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiQuery(params): ApiQuery<ListParams>,
) -> Result<QueryReply<ConversationList>, ApiError> {
    let (reader, user) = (app.reader(), user.user_id);
    let fresh = match params.cursor {
        Some(cursor) => {
            let cursor = Cursor { at: Some(cursor), limit: params.limit };
            conversations::list_before(reader, wanted, user, cursor).await?
        }
        None => conversations::list(reader, wanted, user, Page::new(params.limit, params.offset)).await?,
    };
    let body = ConversationList {
        conversations: fresh.value.rows.iter().cloned().map(Into::into).collect(),
        total: fresh.value.total,
        next_cursor: fresh.value.next_cursor,
    };
    Ok(QueryReply::new(&fresh, body))
}

/// Starts a chat.
#[utoipa::path(
    post,
    path = "/api/v1/chat/conversations",
    tag = "chat",
    request_body(content = Option<CreateConversation>),
    responses((status = 201, description = "Started", body = ConversationView)),
    security(("bearerAuth" = []))
)]
async fn create(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    body: Option<ApiJson<CreateConversation>>,
) -> Result<CommandReply<ConversationView>, ApiError> {
    let bytes = body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
    let title = body.and_then(|body| body.value.title).filter(|title| !title.trim().is_empty());
    let title = title.as_deref().map(Title::parse).transpose().map_err(CommandError::from)?;
    let context = caller.context(&app, user.actor(), &bytes);
    let done = app.commands().start_conversation(context, user.user_id, title.clone()).await?;
    let (id, at) = (done.value.conversation_id.0, done.value.started_at);
    let title = title.unwrap_or_else(Commands::default_title).to_string();
    let view = ConversationView { id, title, created_at: at, updated_at: at };
    Ok(CommandReply::new(StatusCode::CREATED, &done, view).at(format!("/api/v1/chat/conversations/{id}")))
}

/// A chat.
#[utoipa::path(
    get,
    path = "/api/v1/chat/conversations/{conversation_id}",
    tag = "chat",
    params(("conversation_id" = Uuid, Path)),
    responses(
        (status = 200, description = "The chat", body = ConversationView),
        (status = 404, description = "No such chat", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn get(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<QueryReply<ConversationView>, ApiError> {
    let own = OwnChat { user: user.user_id, conversation: ConversationId(id) };
    let fresh = conversations::get(app.reader(), wanted, own).await?;
    let row = fresh.value.clone().ok_or(ApiError::missing("conversation", fresh.behind))?;
    Ok(QueryReply::new(&fresh, row.into()))
}

/// Renames a chat.
#[utoipa::path(
    patch,
    path = "/api/v1/chat/conversations/{conversation_id}",
    tag = "chat",
    params(("conversation_id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = RenameConversation,
    responses(
        (status = 200, description = "Renamed", body = ConversationView),
        (status = 404, description = "No such chat", content_type = "application/problem+json", body = Problem),
        (status = 412, description = "The chat has changed", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn rename(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
    body: ApiJson<RenameConversation>,
) -> Result<CommandReply<ConversationView>, ApiError> {
    let title = Title::parse(&body.value.title).map_err(CommandError::from)?;
    let context = caller.context(&app, user.actor(), &body.bytes);
    let own = (user.user_id, ConversationId(id));
    let done =
        app.commands().rename_conversation(context, own, caller.expected_version, title.clone()).await?;
    let view = ConversationView {
        id,
        title: title.to_string(),
        created_at: done.value.started_at,
        updated_at: done.value.renamed_at,
    };
    Ok(CommandReply::new(StatusCode::OK, &done, view))
}

/// Archives a chat: it takes no more messages and is listed no more.
#[utoipa::path(
    delete,
    path = "/api/v1/chat/conversations/{conversation_id}",
    tag = "chat",
    params(("conversation_id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses(
        (status = 204, description = "Archived"),
        (status = 404, description = "No such chat", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn archive(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let context = caller.context(&app, user.actor(), b"");
    let own = (user.user_id, ConversationId(id));
    let done = app.commands().archive_conversation(context, own, caller.expected_version).await?;
    Ok(no_content(&done))
}

/// The greeting of the welcome screen, and prompts to begin with.
#[utoipa::path(
    get,
    path = "/api/v1/chat/suggestions",
    tag = "chat",
    responses((status = 200, description = "A greeting and prompts", body = Suggestions)),
    security(("bearerAuth" = []))
)]
async fn suggestions(
    State(app): State<App>,
    user: CurrentUser,
    AnswerLanguage(language): AnswerLanguage,
) -> Result<Json<Suggestions>, ApiError> {
    let name = UserView::of(&app, user.user_id).await?.username;
    let Welcome { greeting, suggestions } = welcome(&name, language);
    Ok(Json(Suggestions { greeting, suggestions }))
}
