//! A small client of the API: JSON, uploads, and the live socket with reconnect and resume.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use event_log::Position;
use futures::StreamExt;
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    server: String,
    token: String,
}

impl Client {
    pub(super) fn new(server: &str) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().build()?,
            server: server.trim_end_matches('/').to_owned(),
            token: String::new(),
        })
    }

    pub(super) async fn log_in(&mut self, path: &str, login: &Value) -> anyhow::Result<()> {
        let session = self.post(path, login).await?;
        self.token = session["access_token"].as_str().context("the server sent no token")?.to_owned();
        Ok(())
    }

    /// Posts JSON under a key of its own, so that a repeated attempt has one effect.
    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let key = event_log::clock::random_id();
        let request =
            self.http.post(format!("{}{path}", self.server)).header("Idempotency-Key", key.to_string());
        json(self.authorised(request).json(body).send().await.with_context(|| self.unreachable())?).await
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.http.get(format!("{}{path}", self.server));
        json(self.authorised(request).send().await?).await
    }

    pub(super) async fn upload(&self, path: &Path, kind: &'static str) -> anyhow::Result<String> {
        let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let form =
            Form::new().part("file", Part::bytes(bytes).file_name(file_name(path))).text("asset_type", kind);
        let request = self.http.post(format!("{}/api/v1/assets", self.server)).multipart(form);
        let asset = json(self.authorised(request).send().await?).await?;
        Ok(asset["id"].as_str().context("the server sent no asset id")?.to_owned())
    }

    pub(super) async fn get_bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.http.get(format!("{}{path}", self.server));
        let answer = self.authorised(request).send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Opens the live socket with a ticket.
    pub(super) async fn frames(&self) -> anyhow::Result<Frames> {
        let mut frames = Frames { client: self.clone(), socket: None, last: None };
        frames.connect().await?;
        Ok(frames)
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        if self.token.is_empty() { request } else { request.bearer_auth(&self.token) }
    }

    fn unreachable(&self) -> String {
        format!("{} does not answer: start it with `cargo run` and try again", self.server)
    }
}

async fn json(answer: reqwest::Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    bail!("{} ({status})", body["detail"].as_str().unwrap_or("the server refused"))
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The live frames of the caller. Reconnects up to five times, 1 s, 2 s, 4 s …, with jitter, and resumes
/// after the last frame it saw.
pub(super) struct Frames {
    client: Client,
    socket: Option<Socket>,
    last: Option<Position>,
}

const RECONNECTS_MAX: u32 = 5;

impl Frames {
    pub(super) async fn next(&mut self) -> anyhow::Result<Value> {
        loop {
            let Some(socket) = &mut self.socket else {
                self.reconnect().await?;
                continue;
            };
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text)?;
                    if let Some(id) = frame["id"].as_i64().or(frame["payload"]["position"].as_i64()) {
                        self.last = Some(Position::new(id));
                    }
                    return Ok(frame);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => self.socket = None,
                Some(Ok(_)) => {}
            }
        }
    }

    async fn reconnect(&mut self) -> anyhow::Result<()> {
        for attempt in 0..RECONNECTS_MAX {
            let jitter = u64::from(Uuid::as_bytes(&event_log::clock::random_id())[0]);
            tokio::time::sleep(Duration::from_millis(1000 * 2_u64.pow(attempt) + jitter)).await;
            if self.connect().await.is_ok() {
                return Ok(());
            }
        }
        bail!("the live stream is gone")
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        let ticket = self.client.post("/api/v1/auth/ticket", &Value::Null).await?;
        let ticket = ticket["ticket"].as_str().context("the server sent no ticket")?;
        let since = self.last.map(|id| format!("&since={id}")).unwrap_or_default();
        let server = self.client.server.replacen("http", "ws", 1);
        let (socket, _) =
            tokio_tungstenite::connect_async(format!("{server}/ws?ticket={ticket}{since}")).await?;
        self.socket = Some(socket);
        Ok(())
    }
}

/// The name of a file for an upload.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "picture".to_owned(), |name| name.to_string_lossy().into_owned())
}
