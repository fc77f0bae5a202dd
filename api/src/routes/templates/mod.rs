//! The template library, for admins. Templates never leave but through here.

mod view;

use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use commands::{CommandError, UploadTemplate};
use domain::TemplateId;
use projections::templates::{self, SearchFilter, SearchQuery, TemplateFilter};
use projections::{Page, Wanted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;
use uuid::Uuid;

use super::{picture, refuse_larger};
use crate::auth::AdminUser;
use crate::extract::{ApiJson, ApiPath, ApiQuery, Caller, Freshness};
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, QueryReply};
use crate::state::App;
use crate::uploads::Admitted;
use view::{TemplateStatusName, TemplateView};

const UPLOAD_BYTES_MAX: usize = (15 << 20) + 64 * 1024;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(
            routes!(list, upload)
                .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX))
                .layer(middleware::from_fn(refuse_larger::<UPLOAD_BYTES_MAX>)),
        )
        .routes(routes!(search))
        .routes(routes!(counts))
        .routes(routes!(get, change))
        .routes(routes!(analyze))
        .routes(routes!(image))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    templates: Vec<TemplateView>,
    total: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    category: Option<String>,
    #[param(inline)]
    status: Option<TemplateStatusName>,
    #[serde(default = "default_limit")]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: i64,
    #[serde(default)]
    offset: i64,
}

fn default_limit() -> i64 {
    50
}

/// An upload as multipart form.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the form in the OpenAPI document")]
pub struct TemplateForm {
    /// A PNG, JPEG or WebP of at most 15 MiB.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    category: String,
    /// Several parts, or one with commas.
    tags: Vec<String>,
    description: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// A description of the template, in words.
    query: String,
    category: Option<String>,
    has_face: Option<bool>,
    has_text: Option<bool>,
    #[param(minimum = 1, maximum = 10)]
    energy_level_min: Option<u8>,
    #[param(minimum = 1, maximum = 10)]
    energy_level_max: Option<u8>,
    /// The least similarity, 0 to 1; that of the embedding model when missing.
    similarity_threshold: Option<f64>,
    #[serde(default = "default_hits")]
    #[param(default = 10, minimum = 1, maximum = 50)]
    limit: i64,
}

fn default_hits() -> i64 {
    10
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    id: Uuid,
    category: String,
    similarity_score: f64,
    performance_score: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Hits {
    templates: Vec<Hit>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ChangeTemplate {
    is_active: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImageParams {
    /// `thumbnail` for the small one.
    size: Option<String>,
}

/// Templates, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/admin/templates",
    tag = "admin",
    params(ListParams),
    responses(
        (status = 200, description = "Templates", body = TemplateList),
        (status = 403, description = "Admins only", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn list(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    Freshness(wanted): Freshness,
    ApiQuery(params): ApiQuery<ListParams>,
) -> Result<QueryReply<TemplateList>, ApiError> {
    let filter = TemplateFilter { category: params.category, status: params.status.map(Into::into) };
    let page = Page::new(params.limit, params.offset);
    let fresh = templates::list(app.reader(), wanted, &filter, page).await?;
    let templates = fresh.value.rows.iter().map(TemplateView::from).collect();
    Ok(QueryReply::new(&fresh, TemplateList { templates, total: fresh.value.total }))
}

async fn read_form(mut parts: Multipart, admitted: &Admitted) -> Result<UploadTemplate, MultipartError> {
    let mut upload = UploadTemplate {
        bytes: Bytes::new(),
        category: String::new(),
        tags: vec![],
        description: String::new(),
    };
    while let Some(field) = parts.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => upload.bytes = admitted.file(field).await?,
            "category" | "tags" | "tags[]" | "description" => {
                let text = field.text().await?;
                match name.as_str() {
                    "category" => upload.category = text,
                    "description" => upload.description = text,
                    _ => upload.tags.extend(text.split(',').map(str::to_owned)),
                }
            }
            _ => {}
        }
    }
    Ok(upload)
}

/// Uploads a template. Its analysis follows by itself.
#[utoipa::path(
    post,
    path = "/api/v1/admin/templates",
    tag = "admin",
    request_body(content = TemplateForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Uploaded", body = TemplateView),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "Not a picture", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn upload(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    request: Request,
) -> Result<CommandReply<TemplateView>, ApiError> {
    let admitted = app.uploads().admit(admin.user_id, request.headers(), UPLOAD_BYTES_MAX).await?;
    let parts = Multipart::from_request(request, &app).await;
    let parts = parts.map_err(|_| ApiError::WrongContentType { expected: "multipart/form-data" })?;
    let upload = admitted.in_time(read_form(parts, &admitted)).await?;
    if upload.bytes.is_empty() {
        return Err(ApiError::Invalid { field: "file", detail: "the part file is missing".to_owned() });
    }
    let words = format!("{}\0{}\0{}", upload.category, upload.tags.join(","), upload.description);
    let fingerprint = [Sha256::digest(&upload.bytes).as_slice(), words.as_bytes()].concat();
    let context = caller.context(&app, admin.actor(), &fingerprint);
    let done = app.commands().upload_template(context, upload).await?;
    let uploaded = &done.value;
    let id = uploaded.template_id.0;
    let view = TemplateView::pending(uploaded);
    Ok(CommandReply::new(StatusCode::CREATED, &done, view).at(format!("/api/v1/admin/templates/{id}")))
}

/// A template.
#[utoipa::path(
    get,
    path = "/api/v1/admin/templates/{template_id}",
    tag = "admin",
    params(("template_id" = Uuid, Path)),
    responses(
        (status = 200, description = "The template", body = TemplateView),
        (status = 404, description = "No such template", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn get(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    Freshness(wanted): Freshness,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<QueryReply<TemplateView>, ApiError> {
    let fresh = templates::get(app.reader(), wanted, TemplateId(id)).await?;
    let row = fresh.value.as_ref().ok_or(ApiError::missing("template", fresh.behind))?;
    Ok(QueryReply::new(&fresh, row.into()))
}

/// Puts a template into, or takes it out of, what prompts are matched against.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/templates/{template_id}",
    tag = "admin",
    params(("template_id" = Uuid, Path)),
    request_body = ChangeTemplate,
    responses(
        (status = 200, description = "Changed", body = Value),
        (status = 404, description = "No such template", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn change(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
    body: ApiJson<ChangeTemplate>,
) -> Result<CommandReply<Value>, ApiError> {
    let context = caller.context(&app, admin.actor(), &body.bytes);
    let active = body.value.is_active;
    let done = app.commands().set_template_active(context, TemplateId(id), active).await?;
    Ok(CommandReply::new(StatusCode::OK, &done, json!({ "id": id, "is_active": active })))
}

/// Has a template analysed once more.
#[utoipa::path(
    post,
    path = "/api/v1/admin/templates/{template_id}/analyze",
    tag = "admin",
    params(("template_id" = Uuid, Path)),
    responses(
        (status = 202, description = "Requested", body = Value),
        (status = 404, description = "No such template", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn analyze(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<CommandReply<Value>, ApiError> {
    let context = caller.context(&app, admin.actor(), b"");
    let done = app.commands().analyze_template(context, TemplateId(id)).await?;
    let body = json!({ "id": id, "status": "pending_analysis" });
    Ok(CommandReply::new(StatusCode::ACCEPTED, &done, body).at(format!("/api/v1/admin/templates/{id}")))
}

/// The templates most similar to a description, best first.
#[utoipa::path(
    get,
    path = "/api/v1/admin/templates/search",
    tag = "admin",
    params(SearchParams),
    responses((status = 200, description = "Hits", body = Hits)),
    security(("bearerAuth" = []))
)]
async fn search(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    Freshness(wanted): Freshness,
    ApiQuery(params): ApiQuery<SearchParams>,
) -> Result<QueryReply<Hits>, ApiError> {
    let prompt = domain::Prompt::parse(&params.query).map_err(CommandError::from)?;
    let providers = app.providers();
    let intent = providers.analyzer.intent(prompt.as_str()).await.map_err(CommandError::from)?;
    let text = intent.search_query(prompt.as_str());
    let query = SearchQuery {
        vector: providers.embedder.embed(&text).await.map_err(CommandError::from)?,
        model: providers.embedder.model().to_owned(),
        filter: SearchFilter {
            category: params.category,
            has_face: params.has_face,
            has_text: params.has_text,
            energy_min: params.energy_level_min,
            energy_max: params.energy_level_max,
        },
        threshold: params
            .similarity_threshold
            .unwrap_or_else(|| f64::from(providers.embedder.similarity_threshold())),
        limit: params.limit,
    };
    let fresh = templates::search(app.reader(), wanted, &query).await?;
    let hits = fresh.value.iter().map(|hit| Hit {
        id: hit.id,
        category: hit.category.clone(),
        similarity_score: hit.similarity_score,
        performance_score: hit.performance_score,
    });
    let body = Hits { templates: hits.collect() };
    Ok(QueryReply::new(&fresh, body))
}

/// The progress of the library's analysis: templates per status.
#[utoipa::path(
    get,
    path = "/api/v1/admin/templates/counts",
    tag = "admin",
    responses((status = 200, description = "Counts by status", body = Value)),
    security(("bearerAuth" = []))
)]
async fn counts(
    State(app): State<App>,
    AdminUser(_admin): AdminUser,
    Freshness(wanted): Freshness,
) -> Result<QueryReply<Value>, ApiError> {
    let fresh = templates::counts(app.reader(), wanted).await?;
    let mut body = json!({ "pending_analysis": 0, "analyzing": 0, "analyzed": 0, "failed": 0 });
    for count in &fresh.value {
        body[count.status.name()] = json!(count.count);
    }
    Ok(QueryReply::new(&fresh, body))
}

/// The picture of a template. Templates never leave but through here.
#[utoipa::path(
    get,
    path = "/api/v1/admin/templates/{template_id}/image",
    tag = "admin",
    params(("template_id" = Uuid, Path), ImageParams),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg", body = Vec<u8>),
        (status = 404, description = "No such template", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn image(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    ApiPath(id): ApiPath<Uuid>,
    ApiQuery(params): ApiQuery<ImageParams>,
) -> Result<Response, ApiError> {
    let fresh = templates::get(app.reader(), Wanted::Now, TemplateId(id)).await?;
    let row = fresh.value.ok_or(ApiError::missing("template", fresh.behind))?;
    tracing::info!(admin = %admin.user_id, template = %id, "a template was looked at");
    let key = if params.size.as_deref() == Some("thumbnail") { row.thumbnail_key } else { row.image_key };
    let object = app.commands().object(None, &key).await?;
    Ok(picture(object, &format!("template-{id}"), false))
}
