//! The case `lag`: at 500 commands a second, how long from the commit to the read model, and to the socket of the
//! person whom it concerns. Times are those of this machine's clock, which Postgres reads too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use event_log::clock;
use futures::StreamExt;
use hyper::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::drive::{middle, percentile};
use crate::effort::Effort;
use crate::report::Report;
use crate::service::{Connection, Process};
use crate::stack::Stack;

const COMMANDS_PER_SECOND: u64 = 500;
const USERS: usize = 16;

/// When positions were seen somewhere.
type Seen = Arc<Mutex<BTreeMap<i64, DateTime<Utc>>>>;

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("lag");
    let stack = Stack::with_nats().await;
    let url = stack.migrated().await;
    let server = Process::routix(&stack, &url, &["serve"]).await;
    let _work = Process::routix(&stack, &url, &["work", "--role", "relay,projections"]).await;
    let mut users = Vec::new();
    let mut tasks = JoinSet::new();
    let sockets = Seen::default();
    for _ in 0..USERS {
        let user = Connection::of_new_user(&server.address).await;
        let chat = user.start_chat().await;
        listen(&mut tasks, &user, &sockets).await;
        users.push((user, chat));
    }
    let model = Seen::default();
    tasks.spawn(watch(url.clone(), Arc::clone(&model)));
    load(&users, 2.0).await;
    let pool = PgPool::connect(&url).await.unwrap();
    let (mut commands, mut to_model, mut to_socket) = (0, Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let messages = posted(&pool, &users, effort.seconds * 2.0).await;
        let last = messages.iter().map(|(position, _)| *position).max().unwrap();
        while !sockets.lock().unwrap().contains_key(&last)
            || model.lock().unwrap().range(last..).next().is_none()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        commands += messages.len();
        // A checkpoint tells of every position up to it, a frame of its own only.
        let (model, sockets) = (model.lock().unwrap(), sockets.lock().unwrap());
        to_model.push(lags(&messages, |position| model.range(position..).next().map(|(_, at)| *at)));
        to_socket.push(lags(&messages, |position| sockets.get(&position).copied()));
    }
    let params = json!({ "commands_per_s": COMMANDS_PER_SECOND, "users": USERS, "commands": commands });
    for (metric, lags, share) in [
        ("commit to read model, p50", &to_model, 0.5),
        ("commit to read model, p99", &to_model, 0.99),
        ("commit to socket, p50", &to_socket, 0.5),
        ("commit to socket, p99", &to_socket, 0.99),
    ] {
        let rounds = lags.iter().map(|lags| percentile(lags, share) / 1000.0).collect();
        report.figure(metric, middle(rounds), "ms", params.clone());
    }
    report
}

/// Posts for so long. Gives the position of each message and when it was recorded.
async fn posted(pool: &PgPool, users: &[(Connection, String)], seconds: f64) -> Vec<(i64, DateTime<Utc>)> {
    let from: i64 = sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(pool).await.unwrap();
    load(users, seconds).await;
    sqlx::query_as(
        "SELECT position, recorded_at FROM events WHERE position > $1 AND event_type = 'MessagePosted'",
    )
    .bind(from)
    .fetch_all(pool)
    .await
    .unwrap()
}

/// From the commit of each message until it was seen, in microseconds, the shortest first.
fn lags(messages: &[(i64, DateTime<Utc>)], seen: impl Fn(i64) -> Option<DateTime<Utc>>) -> Vec<u64> {
    let lag = |(position, at): &(i64, DateTime<Utc>)| {
        let lag = seen(*position).expect("nothing is lost") - *at;
        u64::try_from(lag.num_microseconds().unwrap_or_default().max(0)).unwrap()
    };
    let mut lags: Vec<u64> = messages.iter().map(lag).collect();
    lags.sort_unstable();
    lags
}

/// Posts at a steady pace, whatever the answers take.
async fn load(users: &[(Connection, String)], seconds: f64) {
    let body = json!({ "type": "text", "content": "Create a calm cooking thumbnail" }).to_string();
    let mut pace = interval(Duration::from_micros(1_000_000 / COMMANDS_PER_SECOND));
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut running = JoinSet::new();
    for index in 0.. {
        pace.tick().await;
        if Instant::now() > end {
            break;
        }
        let ((user, chat), body) = (users[index % users.len()].clone(), body.clone());
        running.spawn(async move {
            let (status, _) = user.send(Method::POST, &chat, body.into()).await;
            assert_eq!(status, 201);
        });
        while running.try_join_next().is_some() {}
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

async fn listen(tasks: &mut JoinSet<()>, user: &Connection, seen: &Seen) {
    let address = format!("ws://{}/ws?token={}", user.address, user.token);
    let (mut stream, _) = connect_async(address).await.unwrap();
    let seen = Arc::clone(seen);
    tasks.spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let now = clock::now();
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            if let Some(id) = frame["id"].as_i64() {
                seen.lock().unwrap().insert(id, now);
            }
        }
    });
}

/// Looks at the checkpoint all the time, over a connection of its own.
async fn watch(url: String, seen: Seen) {
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let mut last = 0;
    loop {
        let (position, at): (i64, DateTime<Utc>) = sqlx::query_as(
            "SELECT position, clock_timestamp() FROM checkpoints WHERE projection = 'conversations'",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if position > last {
            seen.lock().unwrap().insert(position, at);
            last = position;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
