//! Whether the service can do its job. Readiness asks the parts, liveness asks nobody.
//!
//! What the projections do is read from the database: their workers may run in other processes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event_log::{EventLog, Rewound, clock};
use nats::RelayState;
use projections::runtime::{self, Progress};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::app::App;

const PATIENCE: Duration = Duration::from_secs(2);

/// What the background tasks of this process say of themselves.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
struct Watched {
    relay: Option<watch::Receiver<RelayState>>,
}

impl Health {
    pub fn watch_relay(&self, state: watch::Receiver<RelayState>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).relay = Some(state);
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
        faults
    }
}

/// Where the projections of this program stand; `None` when the database does not answer in time. Read models
/// of other versions of the program are not this one's business.
pub async fn projections(app: &App) -> Option<Vec<Progress>> {
    let asked = runtime::progress(app.log(), app.config().stalled_after());
    let all = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
    let ours = projections::all();
    Some(all.into_iter().filter(|row| ours.iter().any(|known| known.name() == row.projection)).collect())
}

/// Why the read side cannot do its job, in words.
fn faults_of(projections: &[Progress]) -> impl Iterator<Item = String> {
    projections.iter().filter(|row| row.state.is_fault()).map(|row| {
        let (name, state, next) = (&row.projection, row.state.name(), row.position + 1);
        format!("projection {name} is {state} at position {next}, {} events wait", row.behind)
    })
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
    let read_side = projections(&app).await;
    let healthy = app.health().faults(app.log()).is_empty()
        && read_side.is_some_and(|rows| faults_of(&rows).next().is_none());
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
    let mut faults = app.health().faults(app.log());
    let (mut head, mut rows) = (None, Vec::new());
    if database {
        head = app.log().head().await.ok();
        rows = projections(&app).await.unwrap_or_default();
        faults.extend(faults_of(&rows));
    }
    let behind: Map<String, Value> =
        rows.iter().map(|row| (row.projection.clone(), row.behind.into())).collect();
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
        "projections": rows,
        "connections": { "sockets": connections, "users": users },
        "faults": faults,
    });
    let status = if word == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(status, body)
}
