//! Readiness asks the parts of the service, liveness asks nobody.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use event_log::{clock, work};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::health::{PATIENCE, faults_of, projections, unattended};
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ready)).routes(routes!(live)).routes(routes!(detailed))
}

async fn database_answers(app: &App) -> bool {
    matches!(tokio::time::timeout(PATIENCE, app.log().head()).await, Ok(Ok(_)))
}

/// The pieces of work that wait for an admin, by role; `None` when the database does not say in time.
async fn parked_by_role(app: &App) -> Option<Map<String, Value>> {
    let queues = tokio::time::timeout(PATIENCE, work::queues(app.log().pool())).await.ok()?.ok()?;
    let parked = queues.into_iter().filter(|queue| queue.parked > 0);
    Some(parked.map(|queue| (queue.role, queue.parked.into())).collect())
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
    let read_side = projections(app.log(), app.settings().stalled_after).await;
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

/// The parts, one by one. NATS or a provider being away makes the service slower, not unable; so
/// does a part of the background work that nobody runs.
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
    let (mut head, mut rows, mut parked_work, mut nobody_runs) = (None, Vec::new(), None, None);
    if database {
        head = app.log().head().await.ok();
        rows = projections(app.log(), app.settings().stalled_after).await.unwrap_or_default();
        faults.extend(faults_of(&rows));
        parked_work = parked_by_role(&app).await;
        nobody_runs = tokio::time::timeout(PATIENCE, unattended(app.log())).await.ok().and_then(Result::ok);
    }
    let behind: Map<String, Value> =
        rows.iter().map(|row| (row.projection.clone(), row.behind.into())).collect();
    let is_attended = nobody_runs.as_ref().is_none_or(Vec::is_empty);
    let word = match (database && faults.is_empty(), nats && ai && is_attended) {
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
        "parked_work": parked_work,
        "nobody_runs": nobody_runs,
        "connections": { "sockets": connections, "users": users },
        "faults": faults,
    });
    let status = if word == "unhealthy" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(status, body)
}
