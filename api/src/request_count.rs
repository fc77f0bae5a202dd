//! Counts and times requests, for Prometheus.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use metrics::{counter, histogram};
use tokio::time::Instant;

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
