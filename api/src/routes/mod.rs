//! Routes, one file per group of endpoints: request and response types, handlers, the problems they can give.

pub mod admin;
pub mod admin_projections;
pub mod admin_work;
pub mod algorithms;
pub mod assets;
pub mod auth;
pub mod chat;
pub mod credits;
pub mod erasure;
pub mod generation;
pub mod health;
pub mod history;
pub mod me;
pub mod metrics;
pub mod templates;

use std::fmt::Display;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use providers::StoredObject;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::ApiError;

/// Which rows of a list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// At most so many rows, 1 to 200.
    #[serde(default = "default_limit")]
    #[param(default = 20)]
    pub limit: i64,
    /// Rows to pass over.
    #[serde(default)]
    #[param(default = 0)]
    pub offset: i64,
}

fn default_limit() -> i64 {
    20
}

/// `Link: <path>; rel="next"` where there is a next page. `path` has a query already.
fn next_page(cursor: Option<impl Display>, path: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let link = cursor.map(|cursor| format!("<{path}&cursor={cursor}>; rel=\"next\""));
    if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
        headers.insert(header::LINK, link);
    }
    headers
}

impl From<Paging> for projections::Page {
    fn from(paging: Paging) -> Self {
        Self::new(paging.limit, paging.offset)
    }
}

/// Answers an upload that says it is larger than `MAX` bytes. What the client is still sending is read and
/// thrown away first: an answer given in the middle of it would reach most clients as a broken connection.
async fn refuse_larger<const MAX: usize>(request: Request, next: Next) -> Response {
    const THROWN_AWAY_MAX: usize = 64 << 20;
    const PATIENCE: Duration = Duration::from_secs(30);
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_none_or(|length| length <= MAX) {
        return next.run(request).await;
    }
    let mut body = request.into_body().into_data_stream();
    let throw_away = async {
        let mut read = 0;
        while let Some(Ok(bytes)) = body.next().await {
            read += bytes.len();
            if read > THROWN_AWAY_MAX {
                break;
            }
        }
    };
    // A client that is slow as well as too large is answered all the same.
    let _ = tokio::time::timeout(PATIENCE, throw_away).await;
    ApiError::TooLarge { max_bytes: MAX }.into_response()
}

/// A stored picture as an answer. Browsers may keep it, shared caches may not.
fn picture(object: StoredObject, file_name: &str, download: bool) -> Response {
    let mut response = object.bytes.into_response();
    let headers = response.headers_mut();
    let kind = if download { "attachment" } else { "inline" };
    let fields = [
        (header::CONTENT_TYPE, object.content_type),
        (header::CONTENT_DISPOSITION, format!("{kind}; filename=\"{file_name}\"")),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable".to_owned()),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
