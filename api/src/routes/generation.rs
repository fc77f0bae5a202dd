//! Thumbnails: order, follow, fetch, order again, cancel.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use commands::{AlgorithmRef, CommandError, CreateGeneration, CreatedGeneration, Done};
use domain::generation_request::Status;
use domain::language::Language;
use domain::{AssetId, ConversationId, CustomText, Prompt, RequestId};
use projections::generations::{self, Generation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Paging, picture};
use crate::auth::CurrentUser;
use crate::extract::{AnswerLanguage, ApiJson, ApiPath, ApiQuery, Caller, Freshness};
use crate::limits::Limited;
use crate::live::seconds;
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, QueryReply, no_content};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(list))
        .routes(routes!(status))
        .routes(routes!(image))
        .routes(routes!(regenerate))
        .routes(routes!(cancel))
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateGenerationRequest {
    /// The chat in which the result is posted.
    conversation_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 1000)]
    prompt: String,
    /// A slug as `routix_v1`, or a UUID.
    algorithm_id: String,
    /// The `file_url` of an uploaded face. Addresses elsewhere are refused.
    #[schema(format = "uri")]
    user_face_url: Option<String>,
    /// The `file_url` of an uploaded logo.
    #[schema(format = "uri")]
    user_logo_url: Option<String>,
    /// Words that the picture itself should carry.
    #[schema(max_length = 200)]
    custom_text: Option<String>,
}

/// A request that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GenerationRequest)]
pub struct GenerationView {
    id: Uuid,
    #[schema(example = "pending")]
    status: String,
    progress: i32,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GenerationStatus)]
pub struct StatusView {
    id: Uuid,
    /// `pending`, `analyzing`, `searching`, `composing`, `generating`, `completed`, `failed` or `cancelled`.
    status: String,
    #[schema(minimum = 0, maximum = 100)]
    progress: i32,
    message: String,
    #[schema(format = "uri")]
    final_thumbnail_url: Option<String>,
    /// Seconds.
    #[schema(value_type = Option<f64>)]
    processing_time: Option<Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GenerationList {
    generations: Vec<ListedGeneration>,
    total: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedGeneration {
    #[serde(flatten)]
    status: StatusView,
    prompt: String,
    algorithm: String,
    conversation_id: Option<Uuid>,
    regenerated_from: Option<Uuid>,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImageParams {
    /// Answers with `Content-Disposition: attachment`.
    #[serde(default)]
    download: bool,
}

impl StatusView {
    fn of(row: &Generation, language: Language) -> Self {
        Self {
            id: row.id,
            status: row.status.name().to_owned(),
            progress: i32::from(row.progress),
            message: row.message(language),
            final_thumbnail_url: row
                .image_key
                .as_ref()
                .map(|_| format!("/api/v1/generation/{}/image", row.id)),
            processing_time: row.processing_time_ms.and_then(|ms| u64::try_from(ms).ok()).map(seconds),
        }
    }
}

/// The asset behind the address of one of our own uploads.
fn own_asset(field: &'static str, url: Option<&str>) -> Result<Option<AssetId>, ApiError> {
    let Some(url) = url.filter(|url| !url.trim().is_empty()) else { return Ok(None) };
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let id = path
        .rsplit_once("/api/v1/assets/")
        .and_then(|(_, rest)| rest.strip_suffix("/content"))
        .and_then(|id| id.parse().ok());
    let detail = format!("{field} must be the file_url of an uploaded asset");
    id.map(|id| Some(AssetId(id))).ok_or(ApiError::Invalid { field, detail })
}

fn accepted(done: &Done<CreatedGeneration>) -> CommandReply<GenerationView> {
    let id = done.value.request_id.0;
    let status = Status::Pending;
    let view = GenerationView {
        id,
        status: status.name().to_owned(),
        progress: status.percent().map_or(0, i32::from),
        created_at: done.value.created_at,
    };
    CommandReply::new(StatusCode::CREATED, done, view).at(format!("/api/v1/generation/{id}/status"))
}

/// Orders a thumbnail. Its credits are held until it is finished.
#[utoipa::path(
    post,
    path = "/api/v1/generation/create",
    tag = "generation",
    request_body = CreateGenerationRequest,
    responses(
        (status = 201, description = "Accepted", body = GenerationView),
        (status = 402, description = "Too few credits: `balance` and `required` say by how much", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Something is invalid or was rejected", content_type = "application/problem+json", body = Problem),
        (status = 429, description = "Too many requests", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn create(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    body: ApiJson<CreateGenerationRequest>,
) -> Result<CommandReply<GenerationView>, ApiError> {
    let request = body.value;
    let custom_text = request.custom_text.as_deref().filter(|text| !text.trim().is_empty());
    let order = CreateGeneration {
        user_id: user.user_id,
        conversation_id: request.conversation_id.map(ConversationId),
        prompt: Prompt::parse(&request.prompt).map_err(CommandError::from)?,
        custom_text: custom_text.map(CustomText::parse).transpose().map_err(CommandError::from)?,
        algorithm: AlgorithmRef::parse(&request.algorithm_id).map_err(CommandError::from)?,
        face: own_asset("user_face_url", request.user_face_url.as_deref())?,
        logo: own_asset("user_logo_url", request.user_logo_url.as_deref())?,
        regenerated_from: None,
    };
    let context = caller.context(&app, user.actor(), &body.bytes);
    let who = user.user_id.to_string();
    app.limits().count_command(app.log(), Limited::Generation, &who, &context).await?;
    Ok(accepted(&app.commands().create_generation(context, order).await?))
}

/// Orders the same thumbnail once more.
#[utoipa::path(
    post,
    path = "/api/v1/generation/{request_id}/regenerate",
    tag = "generation",
    params(("request_id" = Uuid, Path)),
    responses(
        (status = 201, description = "Accepted", body = GenerationView),
        (status = 402, description = "Too few credits", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such request", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn regenerate(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<CommandReply<GenerationView>, ApiError> {
    let context = caller.context(&app, user.actor(), b"");
    let who = user.user_id.to_string();
    app.limits().count_command(app.log(), Limited::Generation, &who, &context).await?;
    Ok(accepted(&app.commands().regenerate(context, (user.user_id, RequestId(id))).await?))
}

/// Cancels an unfinished request: its credits go back.
#[utoipa::path(
    post,
    path = "/api/v1/generation/{request_id}/cancel",
    tag = "generation",
    params(("request_id" = Uuid, Path)),
    responses(
        (status = 204, description = "Cancelled"),
        (status = 404, description = "No such request", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "It has ended already", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn cancel(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let context = caller.context(&app, user.actor(), b"");
    let done = app.commands().cancel_generation(context, (user.user_id, RequestId(id))).await?;
    Ok(no_content(&done))
}

/// The progress of a request.
#[utoipa::path(
    get,
    path = "/api/v1/generation/{request_id}/status",
    tag = "generation",
    params(("request_id" = Uuid, Path)),
    responses(
        (status = 200, description = "Status and progress", body = StatusView),
        (status = 404, description = "No such request", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn status(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    AnswerLanguage(language): AnswerLanguage,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<QueryReply<StatusView>, ApiError> {
    let fresh = generations::get(app.reader(), wanted, user.user_id, RequestId(id)).await?;
    let row = fresh.value.as_ref().ok_or(ApiError::missing("generation request", fresh.behind))?;
    Ok(QueryReply::new(&fresh, StatusView::of(row, language)))
}

/// The caller's requests, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/generation",
    tag = "generation",
    params(Paging),
    responses((status = 200, description = "Requests", body = GenerationList)),
    security(("bearerAuth" = []))
)]
async fn list(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    AnswerLanguage(language): AnswerLanguage,
    ApiQuery(paging): ApiQuery<Paging>,
) -> Result<QueryReply<GenerationList>, ApiError> {
    let fresh = generations::list(app.reader(), wanted, user.user_id, paging.into()).await?;
    let generations = fresh
        .value
        .rows
        .iter()
        .map(|row| ListedGeneration {
            status: StatusView::of(row, language),
            prompt: row.prompt.clone(),
            algorithm: row.algorithm.clone(),
            conversation_id: row.conversation_id,
            regenerated_from: row.regenerated_from,
            created_at: row.created_at,
            completed_at: row.completed_at,
        })
        .collect();
    Ok(QueryReply::new(&fresh, GenerationList { generations, total: fresh.value.total }))
}

/// The finished picture.
#[utoipa::path(
    get,
    path = "/api/v1/generation/{request_id}/image",
    tag = "generation",
    params(("request_id" = Uuid, Path), ImageParams),
    responses(
        (status = 200, description = "A PNG of 1280x720", content_type = "image/png", body = Vec<u8>),
        (status = 404, description = "No such picture", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn image(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiPath(id): ApiPath<Uuid>,
    ApiQuery(params): ApiQuery<ImageParams>,
) -> Result<Response, ApiError> {
    let fresh = generations::image_key(app.reader(), wanted, user.user_id, RequestId(id)).await?;
    let image = fresh.value.ok_or(ApiError::missing("picture", fresh.behind))?;
    let object = app.commands().object(Some(user.user_id), &image.key).await?;
    Ok(picture(object, &format!("routix-{id}.png"), params.download))
}
