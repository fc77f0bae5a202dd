//! A service of a test's own, and requests to it.

use std::time::Duration;

use api::{App, ConnectionLimits, Limits, Parts, Settings, TokenKeys};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use bytes::Bytes;
use commands::{KeptErasures, Login};
use domain::user::Role;
use event_log::clock;
use event_log::erase::KeptReceipts;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tower::ServiceExt;

const BODY_BYTES_MAX: usize = 4 << 20;

/// The service on a world of its own.
pub struct World {
    pub ground: testing::World,
    service: Router,
    _dir: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

/// Somebody with a session.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub token: String,
    pub refresh_token: String,
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
    /// A service without relay and projections: commands, and what needs no read model.
    pub async fn start() -> Self {
        Self::on(testing::World::start().await)
    }

    /// A service whose read models follow the log.
    pub async fn with_projections() -> Self {
        Self::on(testing::World::with_projections().await)
    }

    fn on(ground: testing::World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kept = KeptReceipts::at(dir.path().join("erasures"));
        let service = api::service(App::new(Parts {
            settings: Settings {
                allowed_origins: vec![],
                trusted_proxies: 0,
                connections: ConnectionLimits { all: 1, of_one_address: None },
                sockets_per_user: 1,
                stalled_after: Duration::from_secs(30),
            },
            erasures: KeptErasures::new(ground.commands.clone(), kept),
            commands: ground.commands.clone(),
            reader: ground.reader.clone(),
            providers: ground.providers.clone(),
            tokens: TokenKeys::new(&ground.master),
            limits: Limits::new(None),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            log: ground.log.clone(),
            bus: ground.bus.clone(),
        }));
        Self { ground, service, _dir: dir }
    }

    pub async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(request(Method::GET, path, token).body(Body::empty()).unwrap()).await
    }

    /// A JSON body under an idempotency key.
    pub async fn post(&self, path: &str, key: &str, body: impl Into<Body>) -> Answer {
        let request = request(Method::POST, path, None)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(body.into());
        self.send(request.unwrap()).await
    }

    /// A request with a JSON body, unless it is null, of somebody who may have a token. A query has seen all that
    /// was written.
    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.call_with(method, path, token, body, None).await
    }

    /// Like `call`, under an idempotency key where one is given.
    pub async fn call_with(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
        key: Option<&str>,
    ) -> Answer {
        let request = request(method, path, token).header("routix-after", self.ground.events().await);
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into())
        };
        self.send(request.unwrap()).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, BODY_BYTES_MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, bytes, body }
    }

    /// Registers somebody.
    pub async fn person(&self) -> Person {
        let login = login();
        let body = json!({ "email": login.email, "password": login.password }).to_string();
        Person::of(&self.post("/api/v1/auth/register", &login.email, body).await.expect(201))
    }

    /// Somebody who may do everything.
    pub async fn admin(&self) -> Person {
        let login = login();
        assert!(self.ground.commands.ensure_account(&login, "admin", Role::Admin).await.unwrap());
        let body = json!({ "email": login.email, "password": login.password }).to_string();
        Person::of(&self.post("/api/v1/auth/login", &login.email, body).await.expect(200))
    }
}

impl Person {
    pub fn of(session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            id: text(&session["user"]["id"]),
            token: text(&session["access_token"]),
            refresh_token: text(&session["refresh_token"]),
        }
    }
}

pub fn login() -> Login {
    let email = format!("{}@example.com", clock::new_id().simple());
    Login { email, password: "correct horse".to_owned() }
}

fn request(method: Method, path: &str, token: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    match token {
        Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

/// A multipart form: fields of text, and a file.
pub fn form(path: &str, token: &str, fields: &[(&str, &str)], file: &[u8]) -> Request<Body> {
    const BOUNDARY: &str = "a boundary of tests";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\
         content-type: image/png\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    request(Method::POST, path, Some(token))
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary=\"{BOUNDARY}\""))
        .body(body.into())
        .unwrap()
}
