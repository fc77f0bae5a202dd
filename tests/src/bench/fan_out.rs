//! The case `fan-out`: sockets of many people, each with ten frames a second that are not stored. Beside it a bare
//! subscriber of the same messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_log::{Authenticator, Position, clock};
use futures::StreamExt;
use nats::{Bus, BusOptions, LiveFrame};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use crate::drive::percentile;
use crate::effort::Effort;
use crate::report::Report;
use crate::service::{Connection, Process};
use crate::stack::{self, Stack};

const SOCKETS: usize = 2000;
const FRAMES_PER_SECOND: u64 = 10;
/// Users that are registered at once: each one costs a password hash.
const REGISTERED_AT_ONCE: usize = 4;

/// Of a frame, only what the measurement needs.
#[derive(Deserialize)]
struct Frame {
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    sent_us: Option<i64>,
}

pub async fn run(effort: &Effort) -> Report {
    let mut report = Report::new("fan-out");
    let stack = Stack::with_nats().await;
    let url = stack.migrated().await;
    let server = Process::routix(&stack, &url, &["serve"]).await;
    let _work = Process::routix(&stack, &url, &["work", "--role", "relay,projections"]).await;
    let users = users(&server.address).await;
    let (latencies, mut received) = mpsc::unbounded_channel();
    let mut sockets = JoinSet::new();
    for (user, token) in &users {
        let address = format!("ws://{}/ws?token={token}", server.address);
        let (mut stream, _) = connect_async(address).await.unwrap();
        let (latencies, user) = (latencies.clone(), *user);
        sockets.spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let now = clock::now().timestamp_micros();
                let Message::Text(text) = message else { continue };
                let frame: Frame = serde_json::from_str(&text).unwrap();
                if let Some(sent) = frame.payload.sent_us {
                    latencies.send(now - sent).expect("the measurement goes on");
                }
            }
            panic!("the socket of {user} was closed");
        });
    }
    drop(latencies);
    let nats_url = stack.nats.as_ref().unwrap().url();
    let bus = Bus::connect(&nats_url, BusOptions::default()).await.unwrap();
    let authenticator = stack::log(&url).await.vault().authenticator().clone();
    let bare = bare_subscriber(&nats_url, authenticator.clone()).await;
    let ids: Vec<Uuid> = users.iter().map(|(user, _)| *user).collect();
    let sent = publish((&bus, &authenticator), &ids, effort.seconds * 2.0).await;
    let mut all = Vec::with_capacity(sent);
    while all.len() < sent {
        let next = tokio::time::timeout(Duration::from_secs(10), received.recv()).await;
        let Ok(Some(latency)) = next else { break };
        all.push(u64::try_from(latency.max(0)).unwrap());
    }
    all.sort_unstable();
    let mut peer = bare.await.unwrap();
    peer.sort_unstable();
    let params = json!({ "sockets": SOCKETS, "frames_per_s": FRAMES_PER_SECOND });
    for (metric, share) in [("publish to socket, p50", 0.5), ("publish to socket, p99", 0.99)] {
        let peer = ("NATS subscriber", percentile(&peer, share) / 1000.0);
        report.beside(metric, percentile(&all, share) / 1000.0, "ms", params.clone(), peer);
    }
    report.figure("frames", crate::drive::as_f64(sent), "sent", params.clone());
    report.figure("frames lost", crate::drive::as_f64(sent - all.len()), "frames", params.clone());
    report.figure("memory of the server", server.memory_mib(), "MiB", params);
    report
}

async fn users(address: &str) -> Vec<(Uuid, Arc<str>)> {
    let left = Arc::new(AtomicUsize::new(SOCKETS));
    let mut running = JoinSet::new();
    for _ in 0..REGISTERED_AT_ONCE {
        let (left, address) = (Arc::clone(&left), address.to_owned());
        running.spawn(async move {
            let mut users = Vec::new();
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                let user = Connection::of_new_user(&address).await;
                users.push((user.user_id, user.token));
            }
            users
        });
    }
    let mut users = Vec::new();
    while let Some(done) = running.join_next().await {
        users.extend(done.unwrap());
    }
    users
}

/// Sends to every user in turn, at a steady pace, each frame with the time at which it is sent.
async fn publish((bus, authenticator): (&Bus, &Authenticator), users: &[Uuid], seconds: f64) -> usize {
    const TICK: Duration = Duration::from_millis(5);
    let per_tick = users.len() * usize::try_from(FRAMES_PER_SECOND).unwrap() / 200;
    let mut pace = interval(TICK);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut sent = 0;
    while Instant::now() < end {
        pace.tick().await;
        for _ in 0..per_tick {
            let user_id = users[sent % users.len()];
            let frame = LiveFrame {
                user_id,
                kind: "generation:progress".to_owned(),
                subject: user_id,
                after_position: Position::new(0),
                payload: json!({
                    "request_id": user_id,
                    "progress": sent + 1,
                    "status": "generating",
                    "message": "Generating...",
                    "sent_us": clock::now().timestamp_micros(),
                }),
            };
            bus.publish_live(authenticator, &frame).await.unwrap();
            sent += 1;
        }
    }
    bus.flush().await.unwrap();
    sent
}

/// Latencies of the same messages at a subscriber of NATS.
async fn bare_subscriber(url: &str, authenticator: Authenticator) -> tokio::task::JoinHandle<Vec<u64>> {
    let bus = Bus::connect(url, BusOptions::default()).await.unwrap();
    let mut frames = bus.live_frames(authenticator).await.unwrap();
    bus.flush().await.unwrap();
    tokio::spawn(async move {
        let mut latencies = Vec::new();
        while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_secs(3), frames.next()).await {
            let sent = frame.payload["sent_us"].as_i64().unwrap();
            latencies.push(u64::try_from((clock::now().timestamp_micros() - sent).max(0)).unwrap());
        }
        latencies
    })
}
