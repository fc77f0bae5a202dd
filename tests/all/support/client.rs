//! A client of the API that writes down what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use event_log::clock;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::eventually;
pub use super::told::Told;
use super::told::{Acknowledged, ReadBack};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The body of a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["status"], status);
        self.body
    }

    /// Any answer of success.
    #[track_caller]
    pub fn expect_ok(self) {
        assert!(self.status.is_success(), "{}: {}", self.status, self.body);
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn position(&self) -> i64 {
        self.header("routix-position").and_then(|text| text.parse().ok()).expect("the answer has a position")
    }
}

/// Somebody who uses the API.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    pub server: String,
    pub token: String,
    pub refresh_token: String,
    pub user: Value,
    /// The value of `Accept-Language`, where the client sends one.
    language: Option<&'static str>,
    told: Told,
    /// The newest position this person has seen: later queries must have seen it too.
    seen: Arc<AtomicI64>,
}

impl Client {
    pub fn anonymous(server: &str, told: &Told) -> Self {
        Self {
            http: plain_http(),
            server: server.to_owned(),
            token: String::new(),
            refresh_token: String::new(),
            user: Value::Null,
            language: None,
            told: told.clone(),
            seen: told.newcomer(),
        }
    }

    /// The same person at another server.
    pub fn at(&self, server: &str) -> Self {
        Self { server: server.to_owned(), ..self.clone() }
    }

    /// The same person with another access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same person with a client that asks for a language.
    pub fn speaking(&self, accept_language: &'static str) -> Self {
        Self { language: Some(accept_language), ..self.clone() }
    }

    pub fn user_id(&self) -> Uuid {
        self.user["id"].as_str().and_then(|id| id.parse().ok()).expect("the client is logged in")
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.server));
        let request = match self.language {
            Some(language) => request.header("Accept-Language", language),
            None => request,
        };
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the server answers")
    }

    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.build()?;
        let is_write = request.method() != Method::GET;
        let named = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        let key = named("idempotency-key").map(|key| key.trim_matches('"').to_owned());
        let after = named("routix-after").and_then(|text| text.parse().ok());
        let path = request.url().path().to_owned();
        let is_whole_page = request.url().query().is_none_or(|query| query.starts_with("limit="));
        let owner = self.user["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
        let seen = self.told.sending(owner, key.as_deref(), self.seen.load(Ordering::Relaxed));
        let answer = read(self.http.execute(request).await?).await?;
        if answer.header("routix-position").is_some() {
            self.seen.fetch_max(answer.position(), Ordering::Relaxed);
        }
        match (is_write, answer.status.is_success()) {
            (true, true) if answer.header("routix-position").is_some() => {
                // Whoever logs in has a name from then on.
                let logs_in = path.ends_with("/auth/login") || path.ends_with("/auth/refresh");
                let owner = if logs_in { id_of(&answer.body["user"]) } else { owner };
                self.told.acknowledge(Acknowledged {
                    owner,
                    key,
                    seen,
                    position: answer.position(),
                    status: answer.status.as_u16(),
                    body: answer.body.clone(),
                });
            }
            (true, false) if answer.status.is_client_error() => {
                if let Some(key) = key {
                    self.told.refuse(owner, &key);
                }
            }
            (false, true) if is_whole_page && answer.header("routix-stale").is_none() => {
                if let Some(page) = after.and_then(|after| read_back(&path, after, &answer)) {
                    self.told.read(page);
                }
            }
            _ => {}
        }
        Ok(answer)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A query that has seen everything up to `position`.
    pub async fn get_after(&self, path: &str, position: i64) -> Answer {
        self.send(self.request(Method::GET, path).header("Routix-After", position)).await
    }

    /// A query that is as new as anything this person has seen.
    pub async fn get_seen(&self, path: &str) -> Answer {
        self.get_after(path, self.seen.load(Ordering::Relaxed)).await
    }

    /// A frame of the live stream was seen.
    pub fn saw(&self, position: i64) {
        self.seen.fetch_max(position, Ordering::Relaxed);
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn post_with_key(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.send(self.request(Method::POST, path).json(body).header("Idempotency-Key", key)).await
    }

    /// Registers a new person.
    pub async fn register(server: &str, told: &Told) -> Self {
        let email = format!("user-{}@example.com", clock::new_id().simple());
        let login = json!({ "email": email, "username": "Ada", "password": "correct horse" });
        let mut client = Self::anonymous(server, told);
        let session = client.post("/api/v1/auth/register", &login).await.expect(201);
        client.adopt(&session);
        client
    }

    pub async fn log_in(server: &str, told: &Told, email: &str, password: &str) -> Self {
        let mut client = Self::anonymous(server, told);
        let login = json!({ "email": email, "password": password });
        let session = client.post("/api/v1/auth/login", &login).await.expect(200);
        client.adopt(&session);
        client
    }

    pub fn adopt(&mut self, session: &Value) {
        self.token = session["access_token"].as_str().unwrap().to_owned();
        self.refresh_token = session["refresh_token"].as_str().unwrap().to_owned();
        self.user = session["user"].clone();
    }

    pub async fn start_chat(&self) -> String {
        let chat = self.post("/api/v1/chat/conversations", &json!({})).await.expect(201);
        chat["id"].as_str().unwrap().to_owned()
    }

    pub async fn say(&self, chat: &str, message: &Value) -> Answer {
        self.post(&format!("/api/v1/chat/conversations/{chat}/messages"), message).await
    }

    pub async fn upload(&self, bytes: Vec<u8>, file_name: &str, kind: &str) -> Answer {
        let form = Form::new()
            .part("file", Part::bytes(bytes).file_name(file_name.to_owned()))
            .text("asset_type", kind.to_owned());
        self.send(self.request(Method::POST, "/api/v1/assets").multipart(form)).await
    }

    /// Orders a thumbnail outside a chat.
    pub async fn order(&self, prompt: &str) -> Answer {
        let order = json!({ "prompt": prompt, "algorithm_id": "routix_v1" });
        self.post("/api/v1/generation/create", &order).await
    }

    /// Waits until a request has ended and gives its last status.
    pub async fn finished(&self, request: &str) -> Value {
        eventually("the generation ends", || async {
            let status = self.get(&format!("/api/v1/generation/{request}/status")).await;
            let ended = ["completed", "failed", "cancelled"];
            let word = status.body["status"].as_str().unwrap_or_default().to_owned();
            ended.contains(&word.as_str()).then_some(status.body)
        })
        .await
    }

    pub async fn balance(&self) -> Value {
        self.get_seen("/api/v1/credits/balance").await.expect(200)
    }

    /// The kinds of the ledger's lines, oldest first, as new as anything this person has seen.
    pub async fn ledger(&self) -> Vec<String> {
        let list = self.get_seen("/api/v1/credits/transactions?limit=200").await.expect(200);
        let lines = list["transactions"].as_array().unwrap();
        lines.iter().rev().map(|line| line["transaction_type"].as_str().unwrap().to_owned()).collect()
    }
}

/// A client without roots: loading those of the system takes longer than most requests of a test.
fn plain_http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([]).build().expect("a client without roots can be built")
}

async fn read(answer: reqwest::Response) -> reqwest::Result<Answer> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await?.to_vec();
    let content_type =
        headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(Answer { status, content_type, headers, body, bytes })
}

fn id_of(user: &Value) -> Uuid {
    user["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// What a page of the newest messages of a chat held.
fn read_back(path: &str, after: i64, answer: &Answer) -> Option<ReadBack> {
    let chat = path.strip_prefix("/api/v1/chat/conversations/")?.strip_suffix("/messages")?;
    let list = answer.body["messages"].as_array()?;
    let messages = list.iter().filter_map(|message| message["id"].as_str().map(str::to_owned)).collect();
    Some(ReadBack { chat: chat.to_owned(), after, messages, is_whole: answer.body["older"].is_null() })
}
