//! The cases `http-commands` and `http-queries`: the program as it is served, with a token, over connections
//! that stay open. Beside them a handler in axum that does only the one thing, without user, receipt or chain.

use std::time::Duration;

use async_nats::jetstream;
use hyper::Method;
use serde_json::json;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::drive::{Measured, drive, median};
use crate::effort::Effort;
use crate::peer_http::PeerServer;
use crate::report::Report;
use crate::service::{Connection, Process};
use crate::stack::Stack;

const CONNECTIONS: usize = 32;
const WARM_UP_SECONDS: f64 = 2.0;
const TEXT: &str = "Create a gaming thumbnail with explosions and a big yellow title, please";

/// A connection and the path of its user's chat.
type Chat = (Connection, String);

async fn chats(address: &str) -> Vec<Chat> {
    let mut chats = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = Connection::of_new_user(address).await;
        let path = connection.start_chat().await;
        chats.push((connection, path));
    }
    chats
}

/// Posts messages, each connection to a chat of its own.
pub async fn post(chats: &[Chat], seconds: f64) -> Measured {
    let body = json!({ "type": "text", "content": TEXT }).to_string();
    drive(chats.len(), seconds, |index| {
        let ((connection, path), body) = (chats[index].clone(), body.clone());
        move || {
            let (connection, path, body) = (connection.clone(), path.clone(), body.clone());
            async move {
                let (status, answer) = connection.send(Method::POST, &path, body.into()).await;
                assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
            }
        }
    })
    .await
}

async fn get(chats: &[Chat], seconds: f64) -> Measured {
    drive(chats.len(), seconds, |index| {
        let (connection, path) = chats[index].clone();
        move || {
            let (connection, path) = (connection.clone(), path.clone());
            async move {
                let (status, _) = connection.send(Method::GET, &path, "".into()).await;
                assert_eq!(status, 200);
            }
        }
    })
    .await
}

pub async fn commands(effort: &Effort) -> Report {
    let mut report = Report::new("http-commands");
    let stack = Stack::with_nats().await;
    let mut off = Vec::new();
    let mut peers = Vec::new();
    let url = stack.migrated().await;
    let server = Process::routix(&stack, &url, &["serve"]).await;
    let _work = Process::routix(&stack, &url, &["work", "--role", "relay,projections"]).await;
    let chats_of_ours = chats(&server.address).await;
    let peer = PeerServer::start(&stack).await;
    let chats_of_peer = peer.chats(CONNECTIONS).await;
    post(&chats_of_ours, WARM_UP_SECONDS).await;
    let mut lags = Vec::new();
    for _ in 0..effort.rounds {
        off.push(post(&chats_of_ours, effort.seconds).await);
        lags.push(catch_up(&stack, &url).await);
        peers.push(post(&chats_of_peer, effort.seconds).await);
    }
    let (ours, theirs) = (median(off), median(peers));
    let params = json!({ "connections": CONNECTIONS, "assistant": "off" });
    let name = "axum + cqrs-es + postgres-es";
    report.beside("throughput", ours.per_second(), "commands/s", params.clone(), (name, theirs.per_second()));
    for (metric, share) in [("p50", 0.5), ("p99", 0.99)] {
        let peer = (name, theirs.percentile_ms(share));
        report.beside(metric, ours.percentile_ms(share), "ms", params.clone(), peer);
    }
    let slowest = |of: fn(&CatchUp) -> Duration| lags.iter().map(of).max().unwrap_or_default().as_secs_f64();
    report.figure("relay lag at the end", slowest(|lag| lag.relay), "s", params.clone());
    report.figure("projections' lag at the end", slowest(|lag| lag.projections), "s", params);
    let _assistant = Process::routix(&stack, &url, &["work", "--role", "assistant"]).await;
    post(&chats_of_ours, WARM_UP_SECONDS).await;
    let on = post(&chats_of_ours, effort.seconds).await;
    let params = json!({ "connections": CONNECTIONS, "assistant": "on" });
    report.beside("throughput", on.per_second(), "commands/s", params, (name, theirs.per_second()));
    report
}

/// How long after the load the stream and the read models had all of it.
struct CatchUp {
    relay: Duration,
    projections: Duration,
}

async fn catch_up(stack: &Stack, url: &str) -> CatchUp {
    let end = Instant::now();
    let pool = PgPool::connect(url).await.unwrap();
    let head: i64 = sqlx::query_scalar("SELECT max(position) FROM events").fetch_one(&pool).await.unwrap();
    let stream = events(stack).await;
    let relay = async {
        while i64::try_from(stream.get_info().await.unwrap().state.last_sequence).unwrap() < head {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        end.elapsed()
    };
    let projections = async {
        while sqlx::query_scalar::<_, i64>("SELECT min(position) FROM checkpoints")
            .fetch_one(&pool)
            .await
            .unwrap()
            < head
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        end.elapsed()
    };
    let (relay, projections) = tokio::join!(relay, projections);
    CatchUp { relay, projections }
}

async fn events(stack: &Stack) -> jetstream::stream::Stream {
    let address: async_nats::ServerAddr = stack.nats.as_ref().unwrap().url().parse().unwrap();
    let (user, password) = (address.username().unwrap().to_owned(), address.password().unwrap().to_owned());
    let options = async_nats::ConnectOptions::with_user_and_password(user, password);
    let client = options.connect(address).await.unwrap();
    jetstream::new(client).get_stream("ROUTIX_EVENTS").await.unwrap()
}

pub async fn queries(effort: &Effort) -> Report {
    let mut report = Report::new("http-queries");
    let stack = Stack::with_nats().await;
    let url = stack.migrated().await;
    let server = Process::routix(&stack, &url, &["serve"]).await;
    let _work = Process::routix(&stack, &url, &["work", "--role", "relay,projections"]).await;
    let chats = chats(&server.address).await;
    // More than one page in every chat.
    while get_length(&chats).await < 50 {
        post(&chats, 0.5).await;
        catch_up(&stack, &url).await;
    }
    let peer = PeerServer::start(&stack).await;
    let peers = peer.messages(&url, CONNECTIONS).await;
    get(&chats, WARM_UP_SECONDS).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        ours.push(get(&chats, effort.seconds).await);
        theirs.push(get(&peers, effort.seconds).await);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let params = json!({ "connections": CONNECTIONS, "messages": 50 });
    let name = "axum + sqlx, one SELECT";
    report.beside("throughput", ours.per_second(), "queries/s", params.clone(), (name, theirs.per_second()));
    for (metric, share) in [("p50", 0.5), ("p99", 0.99)] {
        let peer = (name, theirs.percentile_ms(share));
        report.beside(metric, ours.percentile_ms(share), "ms", params.clone(), peer);
    }
    report
}

/// The messages on the first page of the chat that has the fewest.
async fn get_length(chats: &[Chat]) -> usize {
    let mut fewest = usize::MAX;
    for (connection, path) in chats {
        let page = connection.json(Method::GET, path, &serde_json::Value::Null).await;
        fewest = fewest.min(page["messages"].as_array().unwrap().len());
    }
    fewest
}
