//! The application: its state, its routes and what every answer carries.

use std::sync::{Arc, OnceLock};

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use commands::{Commands, ReadSide};
use event_log::EventLog;
use nats::{Bus, Feed, RateLimiter};
use projections::Reader;
use providers::Providers;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::auth::TokenKeys;
use crate::config::Config;
use crate::extract::JSON_BYTES_MAX;
use crate::limits::Limits;
use crate::live;
use crate::problem::ApiError;
use crate::read_side::ProjectedReadSide;
use crate::request_log::log_request;
use crate::stack::Stack;
use crate::{health, metrics, routes as handlers};

/// Everything a handler may need. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    config: Config,
    stack: Stack,
    commands: Commands,
    reader: Reader,
    providers: Providers,
    tokens: TokenKeys,
    router: live::Router,
    feed: OnceLock<Feed>,
    limits: Limits,
    health: health::Health,
}

impl App {
    pub fn new(config: Config, stack: Stack, limited: bool) -> anyhow::Result<Self> {
        let providers = Providers::built_in(&config.objects_dir())?;
        let reader = Reader::new(stack.log.pool(), stack.log.clone());
        let read_side: Arc<dyn ReadSide> = Arc::new(ProjectedReadSide(reader.clone()));
        let commands = Commands::new(
            stack.log.clone(),
            stack.bus.clone(),
            providers.clone(),
            read_side,
            config.settings(),
        );
        Ok(Self(Arc::new(Inner {
            commands,
            reader,
            providers,
            tokens: TokenKeys::new(&stack.master),
            router: live::Router::default(),
            feed: OnceLock::new(),
            limits: Limits::new(limited.then(|| RateLimiter::new(stack.bus.clone()))),
            health: health::Health::default(),
            config,
            stack,
        })))
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub fn trusted_proxies(&self) -> usize {
        self.0.config.trusted_proxies
    }

    pub fn log(&self) -> &EventLog {
        &self.0.stack.log
    }

    pub fn bus(&self) -> &Bus {
        &self.0.stack.bus
    }

    pub fn commands(&self) -> &Commands {
        &self.0.commands
    }

    pub fn reader(&self) -> &Reader {
        &self.0.reader
    }

    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    pub fn tokens(&self) -> &TokenKeys {
        &self.0.tokens
    }

    pub fn router(&self) -> &live::Router {
        &self.0.router
    }

    /// What everything in this process follows the log by. Starts when it is first asked for.
    pub fn feed(&self) -> Feed {
        self.0.feed.get_or_init(|| Feed::start(self.log().clone(), self.bus().clone())).clone()
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub fn health(&self) -> &health::Health {
        &self.0.health
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Routix",
        description = "Event-sourced backend of an AI thumbnail platform. Every write answers with its position \
                       in the log (`Routix-Position`); a query with `Routix-After` waits until it has seen it. \
                       Every write takes an `Idempotency-Key`. Errors are problem details with a stable `code`.",
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

struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".to_owned());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

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
        .merge(handlers::erasure::routes())
        .merge(handlers::history::routes())
        .routes(routes!(live::sse::stream))
        .routes(routes!(live::ws::socket))
        .routes(routes!(metrics::scrape))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(health::detailed))
}

/// The document of all routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api_routes().into_openapi()
}

/// The service, ready to be served.
pub fn service(app: App) -> axum::Router {
    let (router, document) = api_routes().split_for_parts();
    let cors = cors(&app);
    router
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
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

/// What a process of background work serves.
pub fn metrics_service(app: App) -> axum::Router {
    axum::Router::new()
        .route("/metrics", axum::routing::get(metrics::scrape))
        .route("/health", axum::routing::get(health::ready))
        .with_state(app)
}

fn cors(app: &App) -> CorsLayer {
    let origins = app.config().allowed_origins.iter().filter_map(|origin| origin.parse().ok());
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

/// What every request gets besides its answer: a count, a line of log, a span, headers.
async fn around(request: Request, next: Next) -> Response {
    let answer = |request| async {
        let mut response = next.run(request).await;
        security_headers(response.headers_mut());
        response
    };
    metrics::count_request(request, |request| log_request(request, answer)).await
}

fn security_headers(headers: &mut HeaderMap) {
    const HEADERS: [(&str, &str); 5] = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-xss-protection", "1; mode=block"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("referrer-policy", "no-referrer"),
    ];
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
