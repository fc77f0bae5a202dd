//! Messages of a chat: what was said, and saying something.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use commands::{AlgorithmRef, CommandError, Done, PostedMessage};
use domain::conversation::{Content, MessageBody, MessageRole, PictureKind};
use domain::{AssetId, ConversationId, MessageText, Personal};
use event_log::Position;
use projections::Fresh;
use projections::conversations::{self, Message, MessageView, OwnChat, Window};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::auth::CurrentUser;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Caller, Freshness};
use crate::limits::Limited;
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, QueryReply};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(messages, send))
}

/// A message. The fields of `metadata` depend on `type`. What the assistant says has two more: `line`, the key of the
/// sentence, and `is_final`, true when nothing more comes about the order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageReply {
    id: Uuid,
    #[schema(example = "assistant")]
    role: String,
    #[serde(rename = "type")]
    #[schema(example = "text")]
    kind: String,
    content: String,
    #[schema(value_type = Object)]
    metadata: Box<RawValue>,
    timestamp: DateTime<Utc>,
}

impl From<Message> for MessageReply {
    fn from(message: Message) -> Self {
        let Message { id, role, kind, content, metadata, timestamp, position: _ } = message;
        Self { id, role, kind, content, metadata, timestamp }
    }
}

impl From<MessageView> for MessageReply {
    fn from(view: MessageView) -> Self {
        let MessageView { id, role, kind, content, metadata, timestamp } = view;
        let metadata = RawValue::from_string(metadata.to_string()).expect("a value is written as JSON");
        Self { id, role, kind, content, metadata, timestamp }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MessageList {
    /// In the order in which they were said.
    messages: Vec<MessageReply>,
    /// For `before`, when there are older ones.
    #[schema(value_type = Option<i64>)]
    older: Option<Position>,
    /// For `after`, when there are newer ones.
    #[schema(value_type = Option<i64>)]
    newer: Option<Position>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendType {
    Text,
    FileUpload,
    AlgorithmSelection,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct SendMessage {
    /// The words. `skip` goes on without a picture when one was asked for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    content: String,
    #[serde(rename = "type")]
    kind: SendType,
    /// `algorithm_selection`: `{"algorithm_id": "<slug or UUID>"}`; `file_upload`:
    /// `{"asset_id": "<UUID>", "asset_type": "face" | "logo"}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Value,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageParams {
    #[serde(default = "default_messages")]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: i64,
    /// `older` of a page.
    #[param(value_type = Option<i64>)]
    before: Option<Position>,
    /// `newer` of a page.
    #[param(value_type = Option<i64>)]
    after: Option<Position>,
}

fn default_messages() -> i64 {
    50
}

/// The newest messages of a chat, in the order in which they were said.
#[utoipa::path(
    get,
    path = "/api/v1/chat/conversations/{conversation_id}/messages",
    tag = "chat",
    params(("conversation_id" = Uuid, Path), MessageParams),
    responses(
        (status = 200, description = "Messages", body = MessageList),
        (status = 404, description = "No such chat", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn messages(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiPath(id): ApiPath<Uuid>,
    ApiQuery(params): ApiQuery<MessageParams>,
) -> Result<QueryReply<MessageList>, ApiError> {
    let window = match (params.before, params.after) {
        (Some(_), Some(_)) => {
            let detail = "before and after exclude each other".to_owned();
            return Err(ApiError::Invalid { field: "before", detail });
        }
        (Some(cursor), None) => Window::Before(cursor),
        (None, Some(cursor)) => Window::After(cursor),
        (None, None) => Window::Newest,
    };
    let own = OwnChat { user: user.user_id, conversation: ConversationId(id) };
    let fresh = conversations::messages(app.reader(), wanted, own, window, params.limit).await?;
    let Fresh { value, checkpoint, behind } = fresh;
    let page = value.ok_or(ApiError::missing("conversation", behind))?;
    let body = MessageList {
        messages: page.messages.into_iter().map(MessageReply::from).collect(),
        older: page.older,
        newer: page.newer,
    };
    Ok(QueryReply::new(&Fresh { value: (), checkpoint, behind }, body))
}

/// Says something in a chat: a wish, the choice of an algorithm, or a picture.
#[utoipa::path(
    post,
    path = "/api/v1/chat/conversations/{conversation_id}/messages",
    tag = "chat",
    params(("conversation_id" = Uuid, Path)),
    request_body = SendMessage,
    responses(
        (status = 201, description = "Posted", body = MessageReply),
        (status = 404, description = "No such chat or asset", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The chat does not wait for this", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Something is invalid", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn send(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
    body: ApiJson<SendMessage>,
) -> Result<CommandReply<MessageReply>, ApiError> {
    let context = caller.context(&app, user.actor(), &body.bytes);
    let who = user.user_id.to_string();
    app.limits().count_command(app.log(), Limited::Message, &who, &context).await?;
    let own = (user.user_id, ConversationId(id));
    let message = body.value;
    let parse =
        |text: &str| MessageText::parse(text).map_err(|error| ApiError::from(CommandError::from(error)));
    let (done, sent, content) = match message.kind {
        SendType::Text => {
            let content = parse(&message.content)?;
            let done = app.commands().post_text(context, own, content.clone()).await?;
            (done, MessageBody::Text, content)
        }
        SendType::AlgorithmSelection => {
            let named = text_field(&message.metadata, "algorithm_id")?;
            let algorithm = AlgorithmRef::parse(named).map_err(CommandError::from)?;
            let content = parse(or(&message.content, named))?;
            let done = app.commands().choose_algorithm(context, own, &algorithm, content.clone()).await?;
            let algorithm_id = done.value.algorithm_id.ok_or(ApiError::Internal)?;
            (done, MessageBody::AlgorithmSelection { algorithm_id }, content)
        }
        SendType::FileUpload => {
            let (asset_id, kind) = picture_of(&message.metadata)?;
            let content = parse(or(&message.content, kind.name()))?;
            let done = app.commands().attach_picture(context, own, (asset_id, kind), content.clone()).await?;
            (done, MessageBody::FileUpload { asset_id, asset_type: kind }, content)
        }
    };
    Ok(message_reply(&user, &done, &sent, content))
}

fn message_reply(
    user: &CurrentUser,
    done: &Done<PostedMessage>,
    body: &MessageBody,
    content: MessageText,
) -> CommandReply<MessageReply> {
    let PostedMessage { message_id, posted_at, .. } = done.value;
    let content = Content::Words(Personal::new(user.user_id, content));
    let view = conversations::message_view(message_id, MessageRole::User, body, &content, posted_at);
    CommandReply::new(StatusCode::CREATED, done, view.into())
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.trim().is_empty() { otherwise } else { text }
}

fn text_field<'a>(metadata: &'a Value, field: &'static str) -> Result<&'a str, ApiError> {
    metadata.get(field).and_then(Value::as_str).ok_or_else(|| ApiError::Invalid {
        field: "metadata",
        detail: format!("metadata.{field} is missing"),
    })
}

fn picture_of(metadata: &Value) -> Result<(AssetId, PictureKind), ApiError> {
    let id = text_field(metadata, "asset_id")?.parse().map_err(|_| ApiError::Invalid {
        field: "metadata",
        detail: "metadata.asset_id is not a UUID".to_owned(),
    })?;
    let kind = match text_field(metadata, "asset_type")? {
        "face" => PictureKind::Face,
        "logo" => PictureKind::Logo,
        _ => {
            let detail = "metadata.asset_type is face or logo".to_owned();
            return Err(ApiError::Invalid { field: "metadata", detail });
        }
    };
    Ok((AssetId(id), kind))
}
