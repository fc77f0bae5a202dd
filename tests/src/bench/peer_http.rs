//! The peers of the HTTP cases, in a process of their own: a handler that executes a command with cqrs-es and
//! postgres-es, and one that answers with the rows of one SELECT.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::conversation::ConversationCommand;
use domain::{MessageId, MessageText};
use event_log::clock;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use tokio::process::Command;
use uuid::Uuid;

use crate::peers::CqrsEs;
use crate::service::{Connection, Process};
use crate::stack::Stack;
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

/// The main of the peers' process: `peer commands|queries <database>`.
pub fn main(arguments: &[String]) {
    let [what, url] = arguments else { panic!("peer commands|queries <database>") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let router = if what == "commands" {
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
