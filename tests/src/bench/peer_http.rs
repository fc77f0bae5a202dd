//! The peers of the HTTP cases, in a process of their own: a handler that executes a command with cqrs-es and
//! postgres-es, and one that answers with the rows of one SELECT.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::conversation::ConversationCommand;
use domain::{MessageId, MessageText};
use event_log::clock;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor, PgPool, Row};
use tokio::process::Command;
use uuid::Uuid;

use crate::peers::CqrsEs;
use crate::service::{Connection, Process};
use crate::stack::{SECRET, Stack};
use crate::writers::{start_command, writer_id};

/// The first argument of the peers' process.
pub const COMMAND: &str = "peer";

#[derive(Debug, Deserialize)]
struct Message {
    content: String,
}

async fn command(
    State(peer): State<Arc<CqrsEs>>,
    Path(chat): Path<Uuid>,
    Json(message): Json<Message>,
) -> StatusCode {
    let say = ConversationCommand::PostText {
        message_id: MessageId(clock::new_id()),
        content: MessageText::parse(&message.content).unwrap(),
        at: clock::now(),
    };
    if peer.say(chat, say).await { StatusCode::CREATED } else { StatusCode::CONFLICT }
}

async fn query(State(pool): State<PgPool>, Path(chat): Path<Uuid>) -> Json<Value> {
    let rows = sqlx::query(
        "SELECT id, role, type, content, metadata, timestamp FROM messages \
         WHERE conversation_id = $1 ORDER BY position DESC LIMIT 50",
    )
    .bind(chat)
    .fetch_all(&pool)
    .await
    .unwrap();
    let messages = rows.iter().map(|row| {
        json!({
            "id": row.get::<Uuid, _>(0),
            "role": row.get::<String, _>(1),
            "type": row.get::<String, _>(2),
            "content": row.get::<String, _>(3),
            "metadata": row.get::<Value, _>(4),
            "timestamp": row.get::<chrono::DateTime<chrono::Utc>, _>(5),
        })
    });
    Json(json!({ "messages": messages.collect::<Vec<_>>() }))
}

/// The tables of the seed, as far as an order needs them.
const ORDER_TABLES: &str = "
    CREATE TABLE balances (user_id uuid PRIMARY KEY, credits bigint NOT NULL CHECK (credits >= 0));
    CREATE TABLE requests (id uuid PRIMARY KEY, user_id uuid NOT NULL, prompt text NOT NULL, algorithm text NOT NULL,
        status text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
    CREATE INDEX ON requests (user_id, created_at DESC);";

#[derive(Debug, Deserialize)]
struct Order {
    prompt: String,
    algorithm_id: String,
}

async fn order(State(pool): State<PgPool>, headers: HeaderMap, Json(order): Json<Order>) -> StatusCode {
    let Some(user_id) = bearer(&headers) else { return StatusCode::UNAUTHORIZED };
    let mut transaction = pool.begin().await.unwrap();
    let paid = sqlx::query("UPDATE balances SET credits = credits - 1 WHERE user_id = $1 AND credits >= 1");
    if paid.bind(user_id).execute(&mut *transaction).await.unwrap().rows_affected() == 0 {
        return StatusCode::PAYMENT_REQUIRED;
    }
    sqlx::query(
        "INSERT INTO requests (id, user_id, prompt, algorithm, status) VALUES ($1, $2, $3, $4, 'pending')",
    )
    .bind(clock::new_id())
    .bind(user_id)
    .bind(order.prompt)
    .bind(order.algorithm_id)
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    StatusCode::ACCEPTED
}

/// A token of HS256 (RFC 7515) whose subject is a user.
fn token(user_id: Uuid) -> String {
    let [head, claims] = [json!({ "alg": "HS256" }), json!({ "sub": user_id })]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{head}.{claims}");
    let tag = URL_SAFE_NO_PAD.encode(signature(signed.as_bytes()).finalize().into_bytes());
    format!("{signed}.{tag}")
}

fn signature(signed: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed);
    mac
}

/// The user of a token that is good.
fn bearer(headers: &HeaderMap) -> Option<Uuid> {
    let token = headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?;
    let (signed, tag) = token.rsplit_once('.')?;
    signature(signed.as_bytes()).verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
    serde_json::from_slice::<Value>(&claims).ok()?["sub"].as_str()?.parse().ok()
}

/// The main of the peers' process: `peer commands|queries|orders <database>`.
pub fn main(arguments: &[String]) {
    let [what, url] = arguments else { panic!("peer commands|queries|orders <database>") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let router = if what == "orders" {
            let pool = PgPoolOptions::new().max_connections(20).connect(url).await.unwrap();
            Router::new().route("/api/v1/generation/create", post(order)).with_state(pool)
        } else if what == "commands" {
            let peer = Arc::new(CqrsEs::connect(url).await);
            for index in 0..64 {
                let chat = chat_id(index);
                assert!(peer.say(chat, start_command(chat, writer_id(index))).await);
            }
            Router::new().route("/{chat}", post(command)).with_state(peer)
        } else {
            let pool = PgPool::connect(url).await.unwrap();
            Router::new().route("/{chat}", get(query)).with_state(pool)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        crate::writers::say(&format!("ready: http://{}", listener.local_addr().unwrap()));
        axum::serve(listener, router).await.unwrap();
    });
}

fn chat_id(index: usize) -> Uuid {
    clock::derived_id(Uuid::nil(), &format!("chat {index}"))
}

/// Starts the peers.
pub struct PeerServer {
    processes: std::sync::Mutex<Vec<Process>>,
    database: String,
}

impl PeerServer {
    pub async fn start(stack: &Stack) -> Self {
        Self { processes: std::sync::Mutex::default(), database: stack.database().await }
    }

    async fn process(&self, what: &str, url: &str) -> String {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let process = Process::start(command.args([COMMAND, what, url])).await;
        let address = process.address.clone();
        self.processes.lock().unwrap().push(process);
        address
    }

    /// Connections to the commands' peer, each with a chat of its own.
    pub async fn chats(&self, connections: usize) -> Vec<(Connection, String)> {
        let address = self.process("commands", &self.database).await;
        let mut chats = Vec::new();
        for index in 0..connections {
            chats.push((Connection::open(&address).await, format!("/{}", chat_id(index))));
        }
        chats
    }

    /// Connections to the orders' peer, each of a user of its own.
    pub async fn orders(&self, connections: usize) -> Vec<Connection> {
        let pool = PgPool::connect(&self.database).await.unwrap();
        pool.execute(ORDER_TABLES).await.unwrap();
        let address = self.process("orders", &self.database).await;
        let mut users = Vec::new();
        for _ in 0..connections {
            let user_id = clock::new_id();
            let insert = sqlx::query("INSERT INTO balances (user_id, credits) VALUES ($1, 1000000000)");
            insert.bind(user_id).execute(&pool).await.unwrap();
            let mut connection = Connection::open(&address).await;
            (connection.token, connection.user_id) = (token(user_id).into(), user_id);
            users.push(connection);
        }
        users
    }

    /// Connections to the queries' peer, each for a chat that is in the read model.
    pub async fn messages(&self, url: &str, connections: usize) -> Vec<(Connection, String)> {
        let address = self.process("queries", url).await;
        let pool = PgPool::connect(url).await.unwrap();
        let ids: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM conversations").fetch_all(&pool).await.unwrap();
        let mut chats = Vec::new();
        for index in 0..connections {
            chats.push((Connection::open(&address).await, format!("/{}", ids[index % ids.len()])));
        }
        chats
    }
}
