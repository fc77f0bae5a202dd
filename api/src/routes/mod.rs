//! One file per group of endpoints: request and response types, handlers, the problems they can give.

pub mod admin;
pub mod algorithms;
pub mod assets;
pub mod auth;
pub mod chat;
pub mod credits;
pub mod generation;
pub mod me;
pub mod templates;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use providers::StoredObject;
use serde::Deserialize;
use utoipa::IntoParams;

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

impl From<Paging> for projections::Page {
    fn from(paging: Paging) -> Self {
        Self::new(paging.limit, paging.offset)
    }
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
