//! Faces and logos that the caller uploaded.

use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Response;
use chrono::{DateTime, Utc};
use commands::UploadAsset;
use domain::AssetId;
use domain::conversation::PictureKind;
use projections::assets::{self, AssetRow};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Paging, picture, refuse_larger};
use crate::auth::CurrentUser;
use crate::extract::{ApiPath, ApiQuery, Caller, Freshness};
use crate::problem::{ApiError, Problem};
use crate::reply::{CommandReply, QueryReply, no_content};
use crate::state::App;
use crate::uploads::Admitted;

/// Room for the parts of a multipart body besides the file.
const FORM_BYTES_MAX: usize = 64 * 1024;
const UPLOAD_BYTES_MAX: usize = (10 << 20) + FORM_BYTES_MAX;
const FILE_NAME_CHARS_MAX: usize = 255;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(
            routes!(upload)
                .layer(DefaultBodyLimit::max(UPLOAD_BYTES_MAX))
                .layer(middleware::from_fn(refuse_larger::<UPLOAD_BYTES_MAX>)),
        )
        .routes(routes!(list))
        .routes(routes!(delete))
        .routes(routes!(content))
}

/// An upload as multipart form.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the form in the OpenAPI document")]
pub struct AssetForm {
    /// A PNG, JPEG or WebP of at most 10 MiB. The type is known by its bytes, not by its name.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `face` or `logo`.
    asset_type: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Asset)]
pub struct AssetView {
    id: Uuid,
    /// `face` or `logo`.
    asset_type: String,
    #[schema(format = "uri")]
    file_url: String,
    file_name: String,
    /// Bytes, after it was encoded anew.
    file_size: i64,
    mime_type: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AssetList {
    assets: Vec<AssetView>,
    total: i64,
}

fn url_of(id: Uuid) -> String {
    format!("/api/v1/assets/{id}/content")
}

impl From<&AssetRow> for AssetView {
    fn from(row: &AssetRow) -> Self {
        Self {
            id: row.id,
            asset_type: row.asset_type.clone(),
            file_url: url_of(row.id),
            file_name: row.file_name.clone(),
            file_size: row.file_size,
            mime_type: row.mime_type.clone(),
            created_at: row.created_at,
        }
    }
}

#[derive(Default)]
struct Form {
    file: Option<(String, Bytes)>,
    asset_type: Option<String>,
}

async fn read_form(mut parts: Multipart, admitted: &Admitted) -> Result<Form, MultipartError> {
    let mut form = Form::default();
    while let Some(field) = parts.next_field().await? {
        match field.name() {
            Some("file") => {
                let name: String =
                    field.file_name().unwrap_or("upload").chars().take(FILE_NAME_CHARS_MAX).collect();
                form.file = Some((name, admitted.file(field).await?));
            }
            Some("asset_type" | "type") => {
                form.asset_type = Some(field.text().await?);
            }
            _ => {}
        }
    }
    Ok(form)
}

/// Uploads a face or a logo. It is checked by its bytes and encoded anew.
#[utoipa::path(
    post,
    path = "/api/v1/assets",
    tag = "assets",
    request_body(content = AssetForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Uploaded", body = AssetView),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "Not a picture", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Too many pixels, or broken", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn upload(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    request: Request,
) -> Result<CommandReply<AssetView>, ApiError> {
    let early = caller.context(&app, user.actor(), b"");
    app.limits().count_upload(app.log(), &user.user_id.to_string(), &early).await?;
    let admitted = app.uploads().admit(user.user_id, request.headers(), UPLOAD_BYTES_MAX).await?;
    let parts = Multipart::from_request(request, &app).await;
    let parts = parts.map_err(|_| ApiError::WrongContentType { expected: "multipart/form-data" })?;
    let form = admitted.in_time(read_form(parts, &admitted)).await?;
    let missing = |field, detail: &str| ApiError::Invalid { field, detail: detail.to_owned() };
    let (file_name, bytes) = form.file.ok_or_else(|| missing("file", "the part file is missing"))?;
    let kind = match form.asset_type.as_deref() {
        Some("face") => PictureKind::Face,
        Some("logo") => PictureKind::Logo,
        _ => return Err(missing("asset_type", "asset_type is face or logo")),
    };
    let fingerprint = [kind.name().as_bytes(), &Sha256::digest(&bytes)].concat();
    let context = caller.context(&app, user.actor(), &fingerprint);
    let upload = UploadAsset { owner: user.user_id, kind, file_name: file_name.clone(), bytes };
    let done = app.commands().upload_asset(context, upload).await?;
    let id = done.value.asset_id.0;
    let view = AssetView {
        id,
        asset_type: kind.name().to_owned(),
        file_url: url_of(id),
        file_name,
        file_size: i64::try_from(done.value.picture.size_bytes).unwrap_or(i64::MAX),
        mime_type: done.value.picture.mime.clone(),
        created_at: done.value.uploaded_at,
    };
    Ok(CommandReply::new(StatusCode::CREATED, &done, view).at(url_of(id)))
}

/// The caller's faces and logos.
#[utoipa::path(
    get,
    path = "/api/v1/assets",
    tag = "assets",
    params(Paging),
    responses((status = 200, description = "Assets", body = AssetList)),
    security(("bearerAuth" = []))
)]
async fn list(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiQuery(paging): ApiQuery<Paging>,
) -> Result<QueryReply<AssetList>, ApiError> {
    let fresh = assets::list(app.reader(), wanted, user.user_id, paging.into()).await?;
    let assets = fresh.value.rows.iter().map(AssetView::from).collect();
    Ok(QueryReply::new(&fresh, AssetList { assets, total: fresh.value.total }))
}

/// Deletes a face or a logo. Pictures that show it already stay.
#[utoipa::path(
    delete,
    path = "/api/v1/assets/{asset_id}",
    tag = "assets",
    params(("asset_id" = Uuid, Path)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "No such asset", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn delete(
    State(app): State<App>,
    user: CurrentUser,
    caller: Caller,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let context = caller.context(&app, user.actor(), b"");
    let done = app.commands().delete_asset(context, (user.user_id, AssetId(id))).await?;
    Ok(no_content(&done))
}

/// The picture itself.
#[utoipa::path(
    get,
    path = "/api/v1/assets/{asset_id}/content",
    tag = "assets",
    params(("asset_id" = Uuid, Path)),
    responses(
        (status = 200, description = "A PNG or JPEG", content_type = "image/png", body = Vec<u8>),
        (status = 404, description = "No such asset", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn content(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Response, ApiError> {
    let fresh = assets::get(app.reader(), wanted, user.user_id, AssetId(id)).await?;
    let asset = fresh.value.ok_or(ApiError::missing("asset", fresh.behind))?;
    let object = app.commands().object(Some(user.user_id), &asset.object_key).await?;
    Ok(picture(object, &format!("{}-{id}", asset.asset_type), false))
}
