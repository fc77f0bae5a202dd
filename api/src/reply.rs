//! Answers: a command's has its position, a query's has its freshness.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::Done;
use event_log::{Position, Version};
use projections::Fresh;
use serde::Serialize;

use crate::problem::{ApiError, STALE};

const POSITION: HeaderName = HeaderName::from_static("routix-position");

fn number(value: i64) -> HeaderValue {
    HeaderValue::from(value)
}

/// A page of rows as JSON, with room from the start: growing to a page's size would copy it several times.
fn json<T: Serialize>(body: &T) -> Response {
    const ROOM: usize = 16 << 10;
    let mut bytes = Vec::with_capacity(ROOM);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            ApiError::Internal.into_response()
        }
    }
}

/// The answer to a command. The body carries the position as well, for clients that see no headers.
pub struct CommandReply<T> {
    status: StatusCode,
    location: Option<String>,
    position: Position,
    version: Option<Version>,
    body: T,
}

impl<T: Serialize> CommandReply<T> {
    pub fn new<D>(status: StatusCode, done: &Done<D>, body: T) -> Self {
        Self { status, location: None, position: done.position, version: done.version, body }
    }

    #[must_use]
    pub fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// The version of the resource that was written, as its `ETag`.
    #[must_use]
    pub fn versioned(mut self, version: Option<Version>) -> Self {
        self.version = version;
        self
    }
}

/// A body and the position of the command that it answers.
#[derive(Serialize)]
struct Positioned<T> {
    #[serde(flatten)]
    body: T,
    position: Position,
}

impl<T: Serialize> IntoResponse for CommandReply<T> {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, Json(Positioned { body: self.body, position: self.position })).into_response();
        let headers = response.headers_mut();
        headers.insert(POSITION, number(self.position.get()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(version) = self.version
            && let Ok(tag) = HeaderValue::from_str(&format!("\"v{version}\""))
        {
            headers.insert(header::ETAG, tag);
        }
        if let Some(location) = self.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            headers.insert(header::LOCATION, location);
        }
        response
    }
}

/// A command whose answer has no body.
pub fn no_content<T>(done: &Done<T>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(POSITION, number(done.position.get()));
    response
}

/// The answer to a query.
pub struct QueryReply<T> {
    checkpoint: Position,
    behind: Option<i64>,
    body: T,
}

impl<T: Serialize> QueryReply<T> {
    pub fn new<D>(fresh: &Fresh<D>, body: T) -> Self {
        Self { checkpoint: fresh.checkpoint, behind: fresh.behind, body }
    }
}

impl<T: Serialize> IntoResponse for QueryReply<T> {
    fn into_response(self) -> Response {
        let mut response = json(&self.body);
        let headers = response.headers_mut();
        headers.insert(POSITION, number(self.checkpoint.get()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if let Some(behind) = self.behind {
            headers.insert(STALE, number(behind));
        }
        response
    }
}
