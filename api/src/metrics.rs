//! `GET /metrics`: what this process has done and where everything stands, for Prometheus. Counters and histograms
//! are of this process; gauges of the log, the stream, the projections and the work are read when somebody asks,
//! and are the same wherever one asks.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::reactions::Role;
use event_log::work;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use projections::runtime::progress;
use tokio::time::{Instant, timeout};

use crate::app::App;
use crate::problem::ApiError;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long a scrape waits for the database and the stream. What does not answer keeps its last value.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often samples are folded into their buckets when nobody asks: they must not pile up.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Seconds, from a fast query to a slow drawing.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
const UNITS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts to count. Before anything that counts is made.
pub fn install() -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_units".to_owned()), &UNITS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // A program that is run twice in one process counts on.
    if metrics::set_global_recorder(recorder).is_ok() {
        let _ = HANDLE.set(handle);
    }
    Ok(())
}

/// Folds samples now and then. Runs until the task is dropped.
pub async fn upkeep() {
    loop {
        tokio::time::sleep(UPKEEP_EVERY).await;
        if let Some(handle) = HANDLE.get() {
            handle.run_upkeep();
        }
    }
}

/// Counts a request under its route's pattern: ids in paths would be metrics without end.
pub async fn count_request<F: Future<Output = Response>>(
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let method = method_name(request.method());
    let endpoint = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let response = answer(request).await;
    let status = response.status().as_u16();
    histogram!("api_request_duration_seconds", "endpoint" => endpoint.clone(), "method" => method)
        .record(started.elapsed().as_secs_f64());
    counter!("api_requests_total", "endpoint" => endpoint, "method" => method, "status" => status.to_string())
        .increment(1);
    response
}

/// The methods there are; what a client makes up is one more.
fn method_name(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What Prometheus asks for.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "Metrics", content_type = "text/plain", body = String))
)]
pub async fn scrape(State(app): State<App>) -> Result<Response, ApiError> {
    let handle = HANDLE.get().ok_or(ApiError::Unavailable)?;
    let _ = timeout(PATIENCE, read_log(&app)).await;
    let _ = timeout(PATIENCE, read_stream(&app)).await;
    let (connections, users) = app.router().open();
    gauge!("routix_live_connections").set(float(connections));
    gauge!("active_users").set(float(users));
    let pool = app.log().pool();
    let (open, idle) = (usize::try_from(pool.size()).unwrap_or_default(), pool.num_idle());
    gauge!("routix_database_connections", "state" => "idle").set(float(idle));
    gauge!("routix_database_connections", "state" => "in_use").set(float(open.saturating_sub(idle)));
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], handle.render()).into_response())
}

async fn read_log(app: &App) {
    let stalled_after = app.config().stalled_after();
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
    if let Ok(queues) = work::queues(app.log().pool()).await {
        for role in Role::ALL.iter().map(|role| role.name()) {
            // A role that has nothing to do is not among the queues, and its gauges must fall back to 0.
            let queue = queues.iter().find(|queue| queue.role == role);
            gauge!("routix_work_due", "role" => role).set(whole(queue.map_or(0, |queue| queue.due)));
            gauge!("routix_work_later", "role" => role).set(whole(queue.map_or(0, |queue| queue.later)));
        }
    }
}

async fn read_stream(app: &App) {
    let Ok(head) = app.log().head().await else { return };
    gauge!("routix_log_position").set(whole(head));
    if let Ok(Some(held)) = app.bus().held().await {
        gauge!("routix_relay_lag_events").set(whole((head - held.position).max(0)));
    }
}

fn float(count: usize) -> f64 {
    whole(i64::try_from(count).unwrap_or(i64::MAX))
}

#[allow(clippy::cast_precision_loss, reason = "gauges are floats, and counts stay far below 2^52")]
fn whole(count: i64) -> f64 {
    count as f64
}
