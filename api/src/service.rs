//! The service: all routes, the layers around them, and the OpenAPI document.

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::document::{self, BearerAuth};
use crate::extract::JSON_BYTES_MAX;
use crate::problem::ApiError;
use crate::request_count::count_request;
use crate::request_log::log_request;
use crate::security_headers::security_headers;
use crate::state::App;
use crate::{door, live, routes as handlers};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Routix",
        description = "Event-sourced backend of an AI thumbnail platform. Every write answers with its position \
                       in the log (`Routix-Position`); a query with `Routix-After` waits until it has seen it. \
                       A write that lists an `Idempotency-Key` has one effect under one key. Errors are problem \
                       details with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "auth", description = "Accounts and sessions"),
        (name = "chat", description = "Conversations and messages"),
        (name = "generation", description = "Thumbnails"),
        (name = "algorithms", description = "Routix versions"),
        (name = "assets", description = "Faces and logos"),
        (name = "credits", description = "Balance and transactions"),
        (name = "live", description = "Live streams"),
        (name = "admin", description = "Templates and accounts, for admins"),
        (name = "history", description = "Who did what, when, because of what: for auditors"),
        (name = "health", description = "Whether the service can do its job"),
    ),
    modifiers(&BearerAuth)
)]
struct ApiDoc;

fn api_routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(handlers::auth::routes())
        .merge(handlers::me::routes())
        .merge(handlers::chat::routes())
        .merge(handlers::generation::routes())
        .merge(handlers::algorithms::routes())
        .merge(handlers::assets::routes())
        .merge(handlers::credits::routes())
        .merge(handlers::templates::routes())
        .merge(handlers::admin::routes())
        .merge(handlers::admin_projections::routes())
        .merge(handlers::admin_work::routes())
        .merge(handlers::erasure::routes())
        .merge(handlers::history::routes())
        .routes(routes!(live::sse::stream))
        .routes(routes!(live::ws::socket))
        .merge(handlers::metrics::routes())
        .merge(handlers::health::routes())
}

/// The OpenAPI document of all routes, as JSON.
pub fn openapi_json() -> String {
    document::complete(api_routes().into_openapi()).to_json().unwrap_or_default()
}

/// Serves the API on a listener until `stop`, then ends the requests that were begun.
pub async fn serve(app: App, listener: TcpListener, stop: CancellationToken) {
    let limits = app.settings().connections;
    door::open(service(app), listener, limits, stop).await;
}

/// Serves `/metrics` and `/health` for a process of background work.
pub async fn serve_metrics(app: App, listener: TcpListener, stop: CancellationToken) {
    let limits = app.settings().connections;
    let service = axum::Router::new()
        .route("/metrics", axum::routing::get(handlers::metrics::scrape))
        .route("/health", axum::routing::get(handlers::health::ready))
        .with_state(app);
    door::open(service, listener, limits, stop).await;
}

/// The whole API as a service that needs no socket.
pub fn service(app: App) -> axum::Router {
    let (router, document) = api_routes().split_for_parts();
    let cors = cors(&app);
    router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document::complete(document)))
        .fallback(|| async { ApiError::NotFound { what: "resource" } })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // One stack from the outside in: layers that are added one by one cost each request a box each.
        .layer((
            middleware::from_fn(around),
            cors,
            CatchPanicLayer::custom(|_| ApiError::Internal.into_response()),
            DefaultBodyLimit::max(JSON_BYTES_MAX),
        ))
        .with_state(app)
}

fn cors(app: &App) -> CorsLayer {
    let origins = app.settings().allowed_origins.iter().filter_map(|origin| origin.parse().ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("routix-after"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("routix-position"),
            HeaderName::from_static("routix-stale"),
        ])
}

/// The service: router, layers and document. Every request gets a count, a line of log, a span and headers.
async fn around(request: Request, next: Next) -> Response {
    let answer = |request| async {
        let mut response = next.run(request).await;
        security_headers(response.headers_mut());
        response
    };
    count_request(request, |request| log_request(request, answer)).await
}
