//! A service of a test's own, and requests to it.

use std::sync::Arc;
use std::time::Duration;

use api::{App, Limits, Parts, Settings, TokenKeys};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use commands::{
    ActiveAlgorithm, Commands, FoundTemplate, KeptErasures, ReadSide, ReadSideError, TemplateQuery,
};
use domain::TemplateId;
use embedded::{Nats, Options, Postgres};
use event_log::erase::KeptReceipts;
use event_log::{EventLog, LogOptions, MasterKey, Position};
use metrics_exporter_prometheus::PrometheusBuilder;
use nats::{Bus, BusOptions};
use projections::Reader;
use providers::Providers;
use serde_json::Value;
use tower::ServiceExt;

const BODY_BYTES_MAX: usize = 1 << 20;

/// The service and the servers below it, which end with it.
pub struct World {
    service: Router,
    _servers: (Postgres, Nats),
    _dir: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The answer must be a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("the answer has {name}")).to_str().unwrap()
    }
}

impl World {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { data_dir: dir.path().to_owned(), durable: false };
        let servers = tokio::task::spawn_blocking(move || {
            (Postgres::start(&options).unwrap(), Nats::start(&options).unwrap())
        });
        let (postgres, nats) = servers.await.unwrap();
        let options = LogOptions::default();
        let pool = event_log::connect(&postgres.url(), &options).await.unwrap();
        event_log::migrate(&pool).await.unwrap();
        let master = MasterKey::from_secret(b"a secret of tests");
        let log = EventLog::start(pool, &master, &options);
        let bus = Bus::connect(&nats.url(), BusOptions::default()).await.unwrap();
        let providers = Providers::built_in(&dir.path().join("objects")).unwrap();
        let reader = Reader::new(log.pool(), log.clone());
        let commands = Commands::new(
            log.clone(),
            bus.clone(),
            providers.clone(),
            Arc::new(NoReadSide),
            commands::Settings::default(),
        );
        let service = api::service(App::new(Parts {
            settings: Settings {
                allowed_origins: vec![],
                trusted_proxies: 0,
                sockets_per_user: 1,
                stalled_after: Duration::from_secs(30),
            },
            erasures: KeptErasures::new(commands.clone(), KeptReceipts::at(dir.path().join("erasures"))),
            commands,
            reader,
            providers,
            tokens: TokenKeys::new(&master),
            limits: Limits::new(None),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            log,
            bus,
        }));
        Self { service, _servers: (postgres, nats), _dir: dir }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A JSON body under an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(body.into());
        self.send(request.unwrap()).await
    }

    pub async fn call(&self, method: Method, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, BODY_BYTES_MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

/// Only process managers ask the read side of `commands`, and none runs here.
struct NoReadSide;

fn nobody_asks<T>() -> Result<T, ReadSideError> {
    Err(ReadSideError { reason: "no process manager runs in this test".to_owned() })
}

#[async_trait]
impl ReadSide for NoReadSide {
    async fn matching_templates(
        &self,
        _: &TemplateQuery,
        _: Position,
    ) -> Result<Vec<FoundTemplate>, ReadSideError> {
        nobody_asks()
    }

    async fn style_dna(&self, _: TemplateId) -> Result<Option<Value>, ReadSideError> {
        nobody_asks()
    }

    async fn featured_templates(&self, _: i64, _: Position) -> Result<Vec<FoundTemplate>, ReadSideError> {
        nobody_asks()
    }

    async fn active_algorithms(&self, _: Position) -> Result<Vec<ActiveAlgorithm>, ReadSideError> {
        nobody_asks()
    }
}
