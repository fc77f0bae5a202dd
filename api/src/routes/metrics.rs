//! `GET /metrics`: what this process has done and where everything stands, for Prometheus. Counters and histograms
//! are of this process; gauges of the log, the stream, the projections and the work are read when somebody asks,
//! and are the same wherever one asks.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::reactions::Role;
use event_log::work;
use metrics::gauge;
use projections::runtime::progress;
use tokio::runtime::Handle;
use tokio::time::timeout;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::health::attendance;
use crate::state::App;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// A scrape waits so long for the database and the stream. A gauge without an answer keeps its last value.
const PATIENCE: Duration = Duration::from_secs(2);
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(scrape))
}

/// The metrics, as Prometheus scrapes them.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "Metrics", content_type = "text/plain", body = String))
)]
pub async fn scrape(State(app): State<App>) -> Response {
    let _ = timeout(PATIENCE, read_log(&app)).await;
    let _ = timeout(PATIENCE, read_stream(&app)).await;
    let (connections, users) = app.router().open();
    gauge!("routix_live_connections").set(float(connections));
    gauge!("active_users").set(float(users));
    gauge!("routix_tasks").set(float(Handle::current().metrics().num_alive_tasks()));
    read_pools(&app);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics().render()).into_response()
}

fn read_pools(app: &App) {
    let pools = [
        ("general", app.log().pool_use()),
        ("loads", app.log().loads_use()),
        ("queries", app.reader().pool_use()),
    ];
    for (name, pool) in pools {
        let in_use = pool.open.saturating_sub(pool.idle);
        gauge!("routix_database_connections", "pool" => name, "state" => "idle").set(float(pool.idle));
        gauge!("routix_database_connections", "pool" => name, "state" => "in_use").set(float(in_use));
        gauge!("routix_database_connections_max", "pool" => name).set(float(pool.max));
    }
}

async fn read_log(app: &App) {
    let stalled_after = app.settings().stalled_after;
    if let Ok(projections) = progress(app.log(), stalled_after).await {
        for projection in projections {
            let name = projection.projection;
            gauge!("routix_projection_lag_events", "projection" => name.clone())
                .set(whole(projection.behind));
            gauge!("routix_projection_lag_seconds", "projection" => name.clone())
                .set(projection.seconds_behind);
            gauge!("routix_projection_parked_events", "projection" => name.clone())
                .set(whole(projection.parked));
            let fault = if projection.state.is_fault() { 1.0 } else { 0.0 };
            gauge!("routix_projection_fault", "projection" => name).set(fault);
        }
    }
    for (part, processes) in attendance(app.log()).await.into_iter().flatten() {
        gauge!("routix_part_processes", "part" => part).set(whole(processes));
    }
    if let Ok(queues) = work::queues(app.log().pool()).await {
        for role in Role::ALL.iter().map(|role| role.name()) {
            // A role that has nothing to do is not among the queues, and its gauges must fall back to 0.
            let queue = queues.iter().find(|queue| queue.role == role);
            gauge!("routix_work_due", "role" => role).set(whole(queue.map_or(0, |queue| queue.due)));
            gauge!("routix_work_later", "role" => role).set(whole(queue.map_or(0, |queue| queue.later)));
            gauge!("routix_work_parked", "role" => role).set(whole(queue.map_or(0, |queue| queue.parked)));
        }
    }
}

async fn read_stream(app: &App) {
    let Ok(head) = app.log().head().await else { return };
    gauge!("routix_log_position").set(whole(head.get()));
    let Ok(provenance) = app.log().provenance().await else { return };
    if let Ok(Some(held)) = app.bus().held(&provenance).await {
        gauge!("routix_relay_lag_events").set(whole((head.since(held.position)).max(0)));
    }
}

fn float(count: usize) -> f64 {
    whole(i64::try_from(count).unwrap_or(i64::MAX))
}

#[allow(clippy::cast_precision_loss, reason = "gauges are floats, and counts stay far below 2^52")]
fn whole(count: i64) -> f64 {
    count as f64
}
