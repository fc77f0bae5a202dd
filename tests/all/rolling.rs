//! A rolling restart: every process is asked to end, one after the other, while people go on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::checker::{Seen, is_public, read_log};
use crate::support::client::{Answer, Client};
use crate::support::eventually;
use crate::support::socket::Socket;
use crate::support::world::World;

const PEOPLE: usize = 4;
/// Commands that must be answered between two restarts.
const PROGRESS: usize = 30;
/// Service restart, in the registry of close codes of sockets.
const SERVICE_RESTART: u16 = 1012;

/// What all clients talk through: the servers that are there, and how far everybody is.
struct Front {
    addresses: Mutex<Vec<String>>,
    answered: AtomicUsize,
    moved_on: AtomicUsize,
    ends: AtomicBool,
}

impl Front {
    fn address(&self, n: usize) -> String {
        let addresses = self.addresses.lock().unwrap();
        addresses[n % addresses.len()].clone()
    }

    /// Waits until so many more commands were answered.
    async fn progress(&self) {
        let goal = self.answered.load(Ordering::SeqCst) + PROGRESS;
        eventually("people go on", || async { (self.answered.load(Ordering::SeqCst) >= goal).then_some(()) })
            .await;
    }

    /// Sends a command to a server, and to the next one where that one takes no more connections. An answer
    /// that says anything but what was asked for is a failure.
    async fn send(&self, client: &Client, server: usize, (path, key, body): (&str, &str, &Value)) -> Answer {
        for attempt in 0..20 {
            let client = client.at(&self.address(server + attempt));
            let request = client.request(Method::POST, path).header("Idempotency-Key", key).json(body);
            match client.try_send(request).await {
                Ok(answer) => {
                    self.answered.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
                    return answer;
                }
                Err(error) => {
                    assert!(!error.is_timeout() && !error.is_status(), "{error}");
                    self.moved_on.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        panic!("no server takes {path}");
    }
}

async fn live(front: Arc<Front>, client: Client, n: usize) {
    let chat =
        front.send(&client, n, ("/api/v1/chat/conversations", "chat", &json!({}))).await.body["id"].clone();
    let chat = format!("/api/v1/chat/conversations/{}/messages", chat.as_str().unwrap());
    let mut done = 0;
    while !front.ends.load(Ordering::SeqCst) {
        let key = format!("step {done}");
        if done % 10 == 9 {
            let order = json!({ "prompt": format!("order {done}"), "algorithm_id": "routix_v1" });
            front.send(&client, n + done, ("/api/v1/generation/create", &key, &order)).await;
        } else {
            let message = json!({ "type": "text", "content": format!("message {done}") });
            front.send(&client, n + done, (&chat, &key, &message)).await;
        }
        done += 1;
    }
}

/// Listens until it has seen the position that `last` gives, over as many sockets as it takes.
async fn listen(front: Arc<Front>, client: Client, last: tokio::sync::watch::Receiver<Option<i64>>) -> Seen {
    let (mut after, mut ids, mut server) = (None, Vec::new(), 0);
    let is_done = |ids: &[i64]| last.borrow().is_some_and(|last| ids.last().is_some_and(|id| *id >= last));
    loop {
        let since = ids.last().copied().or(after).map(|id| format!("&since={id}")).unwrap_or_default();
        let query = format!("token={}{since}", client.token);
        server += 1;
        let Ok(mut socket) = Socket::try_open(&front.address(server), &query).await else { continue };
        while let Some(frame) = socket.try_next().await {
            after = after.or(frame["payload"]["position"].as_i64());
            ids.extend(frame["id"].as_i64());
            if is_done(&ids) {
                return Seen { user: client.user_id(), after: after.unwrap(), ids };
            }
        }
        assert_eq!(socket.closed_with, Some(SERVICE_RESTART), "a socket is closed for a reason");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_nothing_and_no_client_sees_a_failure() {
    let mut world = World::with(&[("ROUTIX_SIGNUP_CREDITS", "1000")], &["all", "all"]).await;
    let second = world.surroundings.start(&["serve"]).await;
    let front = Arc::new(Front {
        addresses: Mutex::new(vec![world.server.address.clone(), second.address.clone()]),
        answered: AtomicUsize::new(0),
        moved_on: AtomicUsize::new(0),
        ends: AtomicBool::new(false),
    });
    let mut people = Vec::new();
    let mut first = None;
    for n in 0..PEOPLE {
        let client = world.user().await;
        first = first.or(Some(client.clone()));
        people.push(tokio::spawn(live(front.clone(), client, n)));
    }
    let first = first.unwrap();
    let (last, goal) = tokio::sync::watch::channel(None);
    let listener = tokio::spawn(listen(front.clone(), first.clone(), goal));

    let mut servers = vec![second];
    servers.insert(0, std::mem::replace(&mut world.server, world.surroundings.start(&["serve"]).await));
    for (n, server) in servers.iter_mut().enumerate() {
        front.progress().await;
        assert!(server.end().await, "a server that is asked to end does so in order");
        front.progress().await;
        let new = world.surroundings.start(&["serve"]).await;
        front.addresses.lock().unwrap()[n] = new.address.clone();
        *server = new;
    }
    for worker in &mut world.workers {
        front.progress().await;
        assert!(worker.end().await, "a worker that is asked to end does so in order");
        front.progress().await;
        *worker = world.surroundings.start(&["work", "--role", "all"]).await;
    }
    front.progress().await;
    front.ends.store(true, Ordering::SeqCst);
    for person in people {
        person.await.unwrap();
    }
    world.check(&[]).await;
    let log = read_log(&world.pool).await;
    let shown = log.iter().rfind(|event| event.owner == Some(first.user_id()) && is_public(event));
    last.send(shown.map(|event| event.position)).unwrap();
    // One more frame, for a listener that has seen the last one already.
    let order = first.at(&servers[0].address).order("the last one").await.expect(201);
    first.at(&servers[0].address).finished(order["id"].as_str().unwrap()).await;
    let mut seen = listener.await.unwrap();
    let end = seen.ids.last().copied().unwrap();
    seen.ids.retain(|id| *id <= end);
    let log = read_log(&world.pool).await;
    let upto: Vec<_> = log.into_iter().filter(|event| event.position <= end).collect();
    crate::support::checker::every_public_event_was_seen_once(&upto, &seen);
    world.check(&[]).await;
    assert!(front.moved_on.load(Ordering::SeqCst) > 0, "servers were away while people went on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_end_finishes_its_work_and_gives_its_leases_back() {
    let mut world = World::start().await;
    let user = world.user().await;
    for n in 0..4 {
        user.order(&format!("order {n}")).await.expect(201);
    }
    let held = "SELECT count(*) FROM work WHERE done_at IS NULL AND held_until > clock_timestamp()";
    eventually("work is claimed", || async {
        let rows: i64 = sqlx::query_scalar(held).fetch_one(&world.pool).await.unwrap();
        (rows > 0).then_some(())
    })
    .await;
    let mut worker = world.workers.pop().unwrap();
    assert!(worker.end().await);
    let left: i64 = sqlx::query_scalar(held).fetch_one(&world.pool).await.unwrap();
    assert_eq!(left, 0, "what was claimed is finished");
    let leases = "SELECT count(*) FROM leases WHERE held_until > clock_timestamp()";
    let leases: i64 = sqlx::query_scalar(leases).fetch_one(&world.pool).await.unwrap();
    assert_eq!(leases, 0, "nobody waits for the end of a lease");
    world.workers.push(world.surroundings.start(&["work", "--role", "all"]).await);
    world.check(&[]).await;
}
