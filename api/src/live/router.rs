//! Brings every event and every live frame to the connections of the user they belong to.
//!
//! One follower for the whole process. A connection that cannot keep up is cut off and told to resume; it
//! never makes memory grow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::session::{Session, SessionEvent};
use domain::user::User;
use event_log::{Authenticator, EventLog, LogError, Position, RecordedEvent};
use nats::{Bus, Feed, LiveFrame};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use uuid::Uuid;

use super::frame::{Frame, public_frame};

/// A connection may have so much waiting before it is cut off.
const WAITING_MAX: usize = 1024;
const BATCH_EVENTS: usize = 500;
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// A message to a connection.
#[derive(Debug, Clone)]
pub enum Routed {
    /// An event of the user was recorded, with its frame if it has one.
    Stored {
        position: Position,
        frame: Option<Arc<Frame>>,
    },
    Live(Arc<LiveFrame>),
    SessionEnded {
        session_id: Uuid,
    },
    /// This is another log now, which goes on behind `position`.
    Reset {
        log_id: Uuid,
        position: Position,
    },
}

#[derive(Default)]
struct Users {
    connections: HashMap<Uuid, HashMap<u64, mpsc::Sender<Routed>>>,
    /// The process ends: nobody gets a place any more.
    closed: bool,
}

/// The connections of this process, by user. Cheap to clone.
#[derive(Clone, Default)]
pub struct Router {
    users: Arc<Mutex<Users>>,
    next_id: Arc<AtomicU64>,
    /// Places that are taken, also of connections that are being told to leave.
    taken: TaskTracker,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Router")
    }
}

/// A connection's place in the router, given up when it is dropped.
pub struct Subscription {
    router: Router,
    user_id: Uuid,
    id: u64,
    pub routed: mpsc::Receiver<Routed>,
    _place: TaskTrackerToken,
}

impl Subscription {
    /// True when the connection ends because its process does.
    pub fn server_ends(&self) -> bool {
        self.router.users().closed
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.router.remove(self.user_id, self.id);
    }
}

impl Router {
    fn users(&self) -> std::sync::MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more connection of a user; `None` when the user has `max` already.
    pub fn subscribe(&self, user_id: Uuid, max: usize) -> Option<Subscription> {
        let (sender, routed) = mpsc::channel(WAITING_MAX);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut users = self.users();
        // Whoever comes while the process ends is told so at once: nothing is ever sent.
        if !users.closed {
            let connections = users.connections.entry(user_id).or_default();
            if connections.len() >= max {
                return None;
            }
            connections.insert(id, sender);
        }
        drop(users);
        Some(Subscription { router: self.clone(), user_id, id, routed, _place: self.taken.token() })
    }

    /// Tells every connection to come back elsewhere, and waits until they have left.
    pub async fn close(&self) {
        {
            let mut users = self.users();
            users.closed = true;
            users.connections.clear();
        }
        self.taken.close();
        self.taken.wait().await;
    }

    /// The number of open connections, and of their users.
    pub fn open(&self) -> (usize, usize) {
        let users = self.users();
        (users.connections.values().map(HashMap::len).sum(), users.connections.len())
    }

    fn remove(&self, user_id: Uuid, id: u64) {
        let mut users = self.users();
        if let Some(connections) = users.connections.get_mut(&user_id) {
            connections.remove(&id);
            if connections.is_empty() {
                users.connections.remove(&user_id);
            }
        }
    }

    fn is_connected(&self, user_id: Uuid) -> bool {
        self.users().connections.contains_key(&user_id)
    }

    fn send(&self, user_id: Uuid, routed: &Routed) {
        if let Some(connections) = self.users().connections.get_mut(&user_id) {
            // Whoever has no room left is cut off: dropping the sender ends the connection.
            connections.retain(|_, sender| sender.try_send(routed.clone()).is_ok());
        }
    }

    fn reset_all(&self, reset: &Routed) {
        for connections in self.users().connections.values_mut() {
            connections.retain(|_, sender| sender.try_send(reset.clone()).is_ok());
        }
    }

    /// Follows the log from behind `start`, which must be known before the first connection is opened: what
    /// falls between the two would be shown to nobody. Runs until the task is dropped.
    pub async fn follow(self, log: EventLog, feed: Feed, start: Position) {
        let mut follower = feed.follow(start);
        loop {
            match follower.next(BATCH_EVENTS).await {
                Ok(events) => {
                    for event in events {
                        self.route_surely(&log, event).await;
                    }
                }
                Err(LogError::Replaced { .. }) => {
                    let (log_id, position) = place_of(&log).await;
                    tracing::warn!(%log_id, %position, "the log was replaced: every client is told to reset");
                    follower.rewind(position);
                    self.reset_all(&Routed::Reset { log_id, position });
                }
                Err(error) => {
                    tracing::warn!(%error, "the live router tries again");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// Routes an event, however long the database is away. Where an event cannot be shown at all, its owner's
    /// connections are cut off rather than shown the next one: they resume, and nothing is lost silently.
    async fn route_surely(&self, log: &EventLog, event: Arc<RecordedEvent>) {
        loop {
            match self.route(log, Arc::clone(&event)).await {
                Ok(()) => return,
                Err(LogError::Unavailable(_)) => tokio::time::sleep(RETRY_DELAY).await,
                Err(error) => {
                    tracing::error!(%error, position = %event.position, "an event could not be shown live");
                    if let Some(connections) =
                        event.owner_id.and_then(|user| self.users().connections.remove(&user))
                    {
                        drop(connections);
                    }
                    return;
                }
            }
        }
    }

    async fn route(&self, log: &EventLog, event: Arc<RecordedEvent>) -> Result<(), LogError> {
        match event.aggregate_type.as_str() {
            // What another process wrote must not go on being believed here.
            "session" => log.evict::<Session>(&event.aggregate_id),
            "user" => {
                log.evict::<User>(&event.aggregate_id);
                if event.event_type == "PersonErased"
                    && let Some(person) = event.owner_id
                {
                    // Nobody is logged in to an erased account: whoever resumes is refused.
                    self.users().connections.remove(&person);
                }
            }
            _ => {}
        }
        let Some(user_id) = event.owner_id else { return Ok(()) };
        if !self.is_connected(user_id) {
            return Ok(());
        }
        let position = event.position;
        let opened = log.open(event).await?;
        if opened.recorded.event_type == "SessionEnded"
            && let SessionEvent::SessionEnded { session_id, .. } = opened.parse()?
        {
            self.send(user_id, &Routed::SessionEnded { session_id: session_id.0 });
        }
        let frame = public_frame(&opened)?.map(Arc::new);
        self.send(user_id, &Routed::Stored { position, frame });
        Ok(())
    }

    /// Passes on what is not stored. Runs until the task is dropped.
    pub async fn follow_live(self, bus: Bus, authenticator: Authenticator) {
        loop {
            match bus.live_frames(authenticator.clone()).await {
                Ok(mut frames) => {
                    while let Some(frame) = frames.next().await {
                        let user_id = frame.user_id;
                        self.send(user_id, &Routed::Live(Arc::new(frame)));
                    }
                }
                Err(error) => tracing::debug!(%error, "no live frames yet"),
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
}

/// Which log this is, and its head, however long the database is away.
async fn place_of(log: &EventLog) -> (Uuid, Position) {
    loop {
        match log.place().await {
            Ok(place) => return place,
            Err(error) => tracing::debug!(%error, "the log cannot be asked yet"),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}
