//! `GET /ws`: the live stream over a WebSocket, opened with a one-time ticket, a token or a bearer header.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::request::Parts;
use axum::response::Response;
use domain::{SessionId, UserId};
use event_log::Position;
use nats::Tickets;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, interval_at};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Connection, Resume};
use crate::auth::{CurrentUser, bearer};
use crate::extract::ApiQuery;
use crate::problem::{ApiError, Problem};
use crate::state::App;

const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Each socket has one, and clients say next to nothing: the library's 128 KiB would be most of the memory.
const READ_BUFFER_BYTES: usize = 4 * 1024;
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that answers no ping for so long is gone.
const SILENCE_MAX: Duration = Duration::from_mins(1);
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// A closing handshake takes one round trip.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

/// The parameters that open a socket.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Opening {
    /// A ticket of `POST /api/v1/auth/ticket`: the recommended way, since addresses end up in logs.
    ticket: Option<String>,
    /// An access token.
    token: Option<String>,
    /// The id of the last frame that was seen.
    #[param(value_type = Option<i64>)]
    since: Option<Position>,
    /// The `log_id` that frame came from. Another log gives `reset`.
    log: Option<Uuid>,
}

/// Opens a socket on which the caller's live frames arrive.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "live",
    params(Opening),
    responses(
        (status = 101, description = "Switching protocols"),
        (status = 400, description = "Not a WebSocket handshake", content_type = "application/problem+json", body = Problem),
        (status = 401, description = "No valid ticket or token", content_type = "application/problem+json", body = Problem),
    )
)]
pub async fn socket(
    State(app): State<App>,
    ApiQuery(opening): ApiQuery<Opening>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| ApiError::Malformed {
        detail: "this address is for WebSocket clients; /api/v1/events/stream is for others".to_owned(),
    })?;
    let user = caller(&app, &opening, &parts).await?;
    let resume = Resume { after: opening.since, log_id: opening.log };
    let connection = Connection::open(&app, &user, resume).await?;
    Ok(upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(|socket| serve(app, socket, connection)))
}

async fn caller(app: &App, opening: &Opening, parts: &Parts) -> Result<CurrentUser, ApiError> {
    if let Some(ticket) = &opening.ticket {
        let hash = ticket_hash(ticket);
        let redeemed =
            Tickets::new(app.bus().clone()).redeem(&hash).await.map_err(|_| ApiError::Unavailable)?;
        let ticket =
            redeemed.ok_or(ApiError::Unauthenticated { detail: "The ticket is unknown, used or too old" })?;
        return CurrentUser::of_session(app, UserId(ticket.user_id), SessionId(ticket.session_id)).await;
    }
    let token = opening.token.as_deref().or(bearer(parts));
    CurrentUser::of_token(app, token.ok_or(ApiError::Unauthenticated { detail: "Not authenticated" })?).await
}

/// The name under which a ticket is kept.
pub fn ticket_hash(ticket: &str) -> String {
    hex::encode(Sha256::digest(ticket))
}

async fn serve(app: App, mut socket: WebSocket, connection: Connection) {
    talk(&app, &mut socket, connection).await;
    // Whoever closed, the other side answers: reading on sends our answer, and waits for the client's.
    let farewell = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = tokio::time::timeout(FAREWELL_MAX, farewell).await;
}

/// Sends frames until one of the two has had enough.
async fn talk(app: &App, socket: &mut WebSocket, mut connection: Connection) {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            frame = connection.next() => match frame {
                Some(frame) => {
                    if !send(socket, Message::Text(frame.json().into())).await {
                        return;
                    }
                }
                None => {
                    let close = if connection.session_ended() {
                        session_over()
                    } else if connection.server_ends() {
                        CloseFrame { code: close_code::RESTART, reason: "resume with since".into() }
                    } else {
                        CloseFrame { code: close_code::AGAIN, reason: "resume with since".into() }
                    };
                    send(socket, Message::Close(Some(close))).await;
                    return;
                }
            },
            message = socket.recv() => match message {
                // Nothing that a client says is a command; hearing it is all that counts.
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => heard = Instant::now(),
            },
            _ = pings.tick() => {
                if !connection.session_is_open(app).await {
                    send(socket, Message::Close(Some(session_over()))).await;
                    return;
                }
                if heard.elapsed() > SILENCE_MAX || !send(socket, Message::Ping("".into())).await {
                    return;
                }
            }
        }
    }
}

fn session_over() -> CloseFrame {
    CloseFrame { code: close_code::POLICY, reason: "the session has ended".into() }
}

/// Sends a message, and tells whether it went out in time.
async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}
