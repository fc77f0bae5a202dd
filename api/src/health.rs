//! Whether the service can do its job. Readiness asks the parts, liveness asks nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event_log::{EventLog, Rewound, checkpoints, clock};
use nats::RelayState;
use projections::WorkerStatus;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::app::App;

const PATIENCE: Duration = Duration::from_secs(2);

/// What the background tasks of this process say of themselves.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    relay: Option<watch::Receiver<RelayState>>,
    projections: Vec<(&'static str, watch::Receiver<WorkerStatus>)>,
}

impl Health {
    pub fn watch_relay(&self, state: watch::Receiver<RelayState>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).relay = Some(state);
    }

    pub fn watch_projection(&self, name: &'static str, status: watch::Receiver<WorkerStatus>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).projections.push((name, status));
    }

    /// Why this process cannot do its job; empty when it can.
    fn faults(&self, log: &EventLog) -> Vec<String> {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faults = Vec::new();
        let relay = watched.relay.as_ref().map(|state| *state.borrow());
        let stopped = match relay {
            Some(RelayState::LogRewound { stream, log }) => Some(Rewound { stream, log }),
            _ => None,
        };
        if let Some(Rewound { stream, log }) = log.rewound().or(stopped) {
            faults.push(format!("log_rewound: the stream is at {stream}, the log at {log}"));
        }
        for (name, status) in &watched.projections {
            if let WorkerStatus::Stopped { position, .. } = &*status.borrow() {
                faults.push(format!("projection {name} stopped at position {position}"));
            }
        }
        faults
    }
}

async fn database_answers(app: &App) -> bool {
    matches!(tokio::time::timeout(PATIENCE, app.log().head()).await, Ok(Ok(_)))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}

/// 200 when the service can do its job, 503 when it cannot.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses(
        (status = 200, description = "The service can do its job", body = Value),
        (status = 503, description = "It cannot", body = Value),
    )
)]
pub async fn ready(State(app): State<App>) -> Response {
    let healthy = app.health().faults(app.log()).is_empty() && database_answers(&app).await;
    let (status, word) =
        if healthy { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    answer(status, json!({ "status": word, "timestamp": clock::now() }))
}

/// 200 as long as the process runs.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "health",
    responses((status = 200, description = "The process runs", body = Value))
)]
pub async fn live() -> Response {
    answer(StatusCode::OK, json!({ "status": "alive", "timestamp": clock::now() }))
}

/// The parts, one by one. NATS or a provider being away makes the service slower, not unable.
#[utoipa::path(
    get,
    path = "/health/detailed",
    tag = "health",
    responses(
        (status = 200, description = "Healthy or degraded", body = Value),
        (status = 503, description = "Unhealthy", body = Value),
    )
)]
pub async fn detailed(State(app): State<App>) -> Response {
    let database = database_answers(&app).await;
    let nats = app.bus().is_connected();
    let ai = app.providers().embedder.embed("health").await.is_ok();
    let faults = app.health().faults(app.log());
    let (mut head, mut behind) = (None, json!({}));
    if database
        && let Ok(last) = app.log().head().await
        && let Ok(positions) = checkpoints::all(app.log().pool()).await
    {
        head = Some(last);
        behind = positions.into_iter().map(|(name, at)| (name, Value::from((last - at).max(0)))).collect();
    }
    let word = match (database && faults.is_empty(), nats && ai) {
        (true, true) => "healthy",
        (true, false) => "degraded",
        (false, _) => "unhealthy",
    };
    let part = |up: bool| if up { "healthy" } else { "unhealthy" };
    let (connections, users) = app.router().open();
    let body = json!({
        "status": word,
        "timestamp": clock::now(),
        "services": { "database": part(database), "nats": part(nats), "ai": part(ai) },
        "position": head,
        "events_behind": behind,
        "connections": { "sockets": connections, "users": users },
        "faults": faults,
    });
    let status = if word == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(status, body)
}
