//! The trace of a request: a line of log, and the span that everything it leads to hangs on.
//!
//! Both name the route's pattern, never path and query: they may hold a token.

use std::fmt::Write;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;
use event_log::trace;
use tracing::field::Empty;
use tracing::{Instrument, Span};

pub async fn log_request<F: Future<Output = Response>>(
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let started = tokio::time::Instant::now();
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map(MatchedPath::as_str);
    let span = span_of(&request, route);
    let response = answer(request).instrument(span.clone()).await;
    let status = response.status();
    tracing::debug!(
        %method, route = route.unwrap_or("unmatched"), status = status.as_u16(),
        elapsed_s = started.elapsed().as_secs_f64(),
        "request"
    );
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    response
}

/// The server's span, by the semantic conventions of OpenTelemetry. It goes on with the trace of the caller.
fn span_of(request: &Request, route: Option<&str>) -> Span {
    if !trace::is_wanted() {
        return Span::none();
    }
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let method = known(request.method());
    // An unknown method is the word of a client: it is no name of a span.
    let mut name = method.unwrap_or("HTTP").to_owned();
    if let Some(route) = route {
        let _ = write!(name, " {route}");
    }
    tracing::info_span!(
        target: trace::TARGET,
        "request",
        traceparent,
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        error.type = Empty,
        http.request.method = method.unwrap_or("_OTHER"),
        http.route = route,
        http.response.status_code = Empty,
    )
}

fn known(method: &Method) -> Option<&str> {
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    known.contains(method).then(|| method.as_str())
}
