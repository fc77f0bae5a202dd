//! The program as processes of its own, and a lean client of its API.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::stack::{SECRET, Stack};

/// The first argument of a process that is Routix itself.
pub const COMMAND: &str = "routix";

/// The main of such a process.
pub fn main(arguments: &[String]) {
    let arguments = std::iter::once(COMMAND.to_owned()).chain(arguments.iter().cloned());
    std::process::exit(i32::from(routix::run(arguments.map(Into::into)) != std::process::ExitCode::SUCCESS));
}

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Process {
    pub child: Child,
    /// `host:port`, for a process that serves.
    pub address: String,
}

impl Process {
    /// Starts this program again and waits until it says that it is ready.
    pub async fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the process becomes ready");
            if line.starts_with("ready") {
                let last = line.split_whitespace().last().unwrap_or_default();
                let address = last.trim_start_matches("http://").to_owned();
                return Self { child, address };
            }
        }
    }

    /// A process of Routix on the servers of a measurement.
    pub async fn routix(stack: &Stack, url: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg(COMMAND)
            .args(arguments)
            .env("DATABASE_URL", url)
            .env("NATS_URL", stack.nats.as_ref().unwrap().url())
            .env("ROUTIX_SECRET_KEY", SECRET)
            .env("ROUTIX_DATA", stack.folder.path().join("routix"))
            .env("ROUTIX_LISTEN", "127.0.0.1:0")
            .env("ROUTIX_RATE_LIMITS", "false");
        Self::start(&mut command).await
    }

    /// Resident memory in MiB. Source: `/proc/<pid>/status`.
    pub fn memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

/// One connection that is kept open.
#[derive(Debug, Clone)]
pub struct Connection {
    sender: Arc<Mutex<SendRequest<Full<Bytes>>>>,
    pub address: Arc<str>,
    pub token: Arc<str>,
    pub user_id: Uuid,
}

/// Users of this run.
static USERS: AtomicU64 = AtomicU64::new(0);

impl Connection {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender: Arc::new(Mutex::new(sender)),
            address: address.into(),
            token: "".into(),
            user_id: Uuid::nil(),
        }
    }

    /// A connection of a new user.
    pub async fn of_new_user(address: &str) -> Self {
        let mut connection = Self::open(address).await;
        let number = USERS.fetch_add(1, Ordering::Relaxed);
        let login = json!({
            "email": format!("user-{number}@example.com"), "username": "Ada", "password": "correct horse"
        });
        let session = connection.json(Method::POST, "/api/v1/auth/register", &login).await;
        connection.token = session["access_token"].as_str().unwrap().into();
        connection.user_id = session["user"]["id"].as_str().unwrap().parse().unwrap();
        connection
    }

    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> (StatusCode, Bytes) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &*self.address)
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let request = request.body(Full::new(body)).unwrap();
        let mut sender = self.sender.lock().await;
        sender.ready().await.unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }

    /// The JSON of an answer that must be one of success.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, bytes) = self.send(method, path, body.to_string().into()).await;
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Starts a chat and gives its path.
    pub async fn start_chat(&self) -> String {
        let chat = self.json(Method::POST, "/api/v1/chat/conversations", &json!({})).await;
        format!("/api/v1/chat/conversations/{}/messages", chat["id"].as_str().unwrap())
    }
}
