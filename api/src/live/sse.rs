//! `GET /api/v1/events/stream`: the live stream as server-sent events. The data is the same JSON as over a
//! socket, the event's name its type, the id its position.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use event_log::Position;
use futures::stream;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Connection, Resume};
use crate::auth::CurrentUser;
use crate::extract::ApiQuery;
use crate::problem::{ApiError, Problem};
use crate::state::App;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A session that ends by its age tells nobody, so it is asked now and then.
const SESSION_CHECK: Duration = Duration::from_secs(20);
const RETRY: Duration = Duration::from_secs(1);

/// From where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// The id of the last frame that was seen. The header `Last-Event-ID` says the same, or
    /// `<log_id>:<position>`.
    #[param(value_type = Option<i64>)]
    since: Option<Position>,
    /// The `log_id` that frame came from. Another log gives `reset`.
    log: Option<Uuid>,
}

/// Streams what happens to the caller.
#[utoipa::path(
    get,
    path = "/api/v1/events/stream",
    tag = "live",
    params(Since),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 401, description = "No valid token", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
pub async fn stream(
    State(app): State<App>,
    user: CurrentUser,
    ApiQuery(query): ApiQuery<Since>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut resume = match headers.get("last-event-id") {
        Some(id) => {
            let id: Option<Resume> = id.to_str().ok().and_then(|id| id.parse().ok());
            let detail = || "Last-Event-ID is <position> or <log_id>:<position>".to_owned();
            id.ok_or_else(|| ApiError::Malformed { detail: detail() })?
        }
        None => Resume { after: query.since, log_id: None },
    };
    resume.log_id = resume.log_id.or(query.log);
    let connection = Connection::open(&app, &user, resume).await?;
    let checks = tokio::time::interval(SESSION_CHECK);
    let events = stream::unfold((connection, checks, app), |(mut connection, mut checks, app)| async {
        let frame = loop {
            tokio::select! {
                frame = connection.next() => break frame?,
                _ = checks.tick() => {
                    if !connection.session_is_open(&app).await {
                        return None;
                    }
                }
            }
        };
        let mut event = Event::default().event(&frame.kind).data(frame.json()).retry(RETRY);
        if let Some(id) = frame.id {
            event = event.id(id.to_string());
        }
        Some((Ok::<_, Infallible>(event), (connection, checks, app)))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    // Proxies must not hold frames back.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}
