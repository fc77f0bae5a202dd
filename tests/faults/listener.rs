//! A person's socket: comes back with the last id it saw whenever it is cut off, and now and then by itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::dice::Dice;
use super::load::Load;
use crate::support::checker::Seen;
use crate::support::client::Client;
use crate::support::eventually_within;
use crate::support::socket::Socket;

/// A server that is paused answers no handshake; the other one may.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// The ids of all stored frames so far.
pub type Ids = Arc<watch::Sender<Vec<i64>>>;

pub struct Listener {
    pub after: i64,
    pub ids: Ids,
    pub task: tokio::task::JoinHandle<()>,
    client: Client,
}

async fn open(client: &Client, address: &str, since: Option<i64>) -> Option<Socket> {
    let since = since.map(|id| format!("&since={id}")).unwrap_or_default();
    let query = format!("token={}{since}", client.token);
    let mut socket = tokio::time::timeout(HANDSHAKE, Socket::try_open(address, &query)).await.ok()?.ok()?;
    let first = tokio::time::timeout(HANDSHAKE, socket.try_next()).await.ok()??;
    assert_eq!(first["type"], "connection:established");
    Some(socket)
}

impl Listener {
    /// Opens the first socket, and listens from then on.
    pub async fn start(load: Arc<Load>, client: Client, mut dice: Dice) -> Self {
        let mut server = usize::try_from(dice.below(2)).unwrap();
        let socket = eventually_within(super::house::PATIENCE, "a socket opens", || {
            server = 1 - server;
            let address = load.address(server);
            let client = client.clone();
            async move { open(&client, &address, None).await }
        })
        .await;
        let after = socket.frames[0]["payload"]["position"].as_i64().unwrap();
        let ids: Ids = Arc::new(watch::Sender::new(Vec::new()));
        let task = tokio::spawn(listen(load, (client.clone(), after), ids.clone(), socket, dice));
        Self { after, ids, task, client }
    }

    /// What was seen, once everything up to `last` was.
    pub async fn seen(self, last: Option<i64>) -> Seen {
        let complete = async {
            let mut ids = self.ids.subscribe();
            let reached = |ids: &Vec<i64>| last.is_none_or(|last| ids.last().is_some_and(|id| *id >= last));
            let _ = ids.wait_for(reached).await;
        };
        let in_time = tokio::time::timeout(super::house::PATIENCE, complete).await.is_ok();
        if self.task.is_finished() {
            self.task.await.unwrap();
            unreachable!("a listener listens until it is told to stop");
        }
        self.task.abort();
        let ids = self.ids.borrow().clone();
        assert!(in_time, "invariant 11: {} was shown {ids:?} and never {last:?}", self.client.user_id());
        Seen { user: self.client.user_id(), after: self.after, ids }
    }
}

async fn listen(load: Arc<Load>, (client, after): (Client, i64), ids: Ids, first: Socket, mut dice: Dice) {
    let mut socket = Some(first);
    let mut server = 0;
    loop {
        let Some(open_socket) = &mut socket else {
            server = 1 - server;
            let since = ids.borrow().last().copied().unwrap_or(after);
            socket = open(&client, &load.address(server), Some(since)).await;
            if socket.is_none() {
                // A pause between attempts while nobody answers.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            continue;
        };
        // After so many frames it hangs up and comes back.
        for _ in 0..dice.between(5, 25) {
            let Some(frame) = open_socket.try_next().await else { break };
            assert_ne!(frame["type"], "reset", "the log was never replaced");
            if let Some(id) = frame["id"].as_i64() {
                client.saw(id);
                ids.send_modify(|ids| ids.push(id));
            }
        }
        socket = None;
    }
}
