//! One reader of the tail for all followers of a process. Ten followers with a consumer each would have every
//! event sent, received and decoded ten times.
//!
//! The feed follows the log and hands every event to whoever listens. A follower that starts further back, or
//! was too slow to listen, reads the log by itself until it meets the feed again. So nobody waits for
//! anybody, and memory is bounded by the length of the channel.

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, LogError, RecordedEvent, chain_of};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::{Bus, Follower};

/// Events that a follower may be behind before it has to go back to the log.
const WAITING_EVENTS_MAX: usize = 4096;
const PAGE_EVENTS: usize = 500;
/// How often followers without events hear where the log ends.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// What the followers of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    log: EventLog,
    events: broadcast::Sender<Arc<RecordedEvent>>,
    /// Which log it is and where it ends, as of a moment ago.
    place: watch::Receiver<(Uuid, i64)>,
    _task: Arc<AbortOnDropHandle<()>>,
}

impl Feed {
    /// Starts to follow from the head of the log. Ends when the last handle is dropped.
    pub fn start(log: EventLog, bus: Bus) -> Self {
        let (events, _) = broadcast::channel(WAITING_EVENTS_MAX);
        let (looked, place) = watch::channel((Uuid::nil(), 0));
        let follower = Follower::new(log.clone(), bus, 0);
        let (reading, looking) = (read(log.clone(), follower, events.clone()), look(log.clone(), looked));
        let task = AbortOnDropHandle::new(tokio::spawn(async {
            let ((), ()) = tokio::join!(reading, looking);
        }));
        Self { log, events, place, _task: Arc::new(task) }
    }

    /// Follows from behind `position`.
    pub fn follow(&self, position: i64) -> FeedFollower {
        let (log, feed, place) = (self.log.clone(), self.clone(), self.place.clone());
        FeedFollower { log, feed, position, chain: None, log_id: None, place, live: None }
    }
}

async fn read(log: EventLog, mut follower: Follower, events: broadcast::Sender<Arc<RecordedEvent>>) {
    let start = loop {
        match log.head().await {
            Ok(head) => break head,
            Err(error) => tracing::warn!(%error, "the feed waits for the log"),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    };
    follower.rewind(start);
    loop {
        match follower.next(PAGE_EVENTS).await {
            Ok(page) => {
                for event in page {
                    // Without a listener there is nothing to do: whoever comes begins with the log.
                    let _ = events.send(event);
                }
            }
            // Whoever listens is told by the look at the log.
            Err(LogError::Replaced { .. }) => match log.head().await {
                Ok(head) => follower.rewind(head),
                Err(_) => tokio::time::sleep(RETRY_DELAY).await,
            },
            Err(error) => {
                tracing::warn!(%error, "the feed tries again");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// Looks at the log now and then, once for all followers.
async fn look(log: EventLog, place: watch::Sender<(Uuid, i64)>) {
    loop {
        if let Ok(now) = log.place().await {
            place.send_replace(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A reader of all events after a position, in order, without gaps.
#[derive(Debug)]
pub struct FeedFollower {
    log: EventLog,
    feed: Feed,
    position: i64,
    /// The chain value at the position, once it is known.
    chain: Option<Vec<u8>>,
    /// The log that is followed, once it is known.
    log_id: Option<Uuid>,
    place: watch::Receiver<(Uuid, i64)>,
    /// Present once this follower has come so near to the head that it listens.
    live: Option<broadcast::Receiver<Arc<RecordedEvent>>>,
}

impl FeedFollower {
    /// The position of the last event that was handed out.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Goes on behind `position`, also of another log than before.
    pub fn rewind(&mut self, position: i64) {
        self.position = position;
        (self.chain, self.log_id, self.live) = (None, None, None);
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read, and `Replaced` when it has become another log: whoever follows begins anew.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        loop {
            let events =
                if self.live.is_some() { self.listen(limit).await? } else { self.read_log(limit).await? };
            if let Some(last) = events.last() {
                self.position = last.position;
                self.chain = Some(last.chain.clone());
                return Ok(events);
            }
        }
    }

    /// Reads the log. Listens from before the last page on, so that nothing falls between the two.
    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let live = self.feed.events.subscribe();
        if self.log_id.is_none() {
            self.must_be_the_same().await?;
        }
        if self.chain.is_none() {
            self.chain = self.log.chain_at(self.position).await?;
        }
        let page = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        if page.first().is_some_and(|first| !self.precedes(first)) {
            return Err(LogError::Replaced { log_id: self.log.place().await?.0 });
        }
        if page.len() < limit {
            self.live = Some(live);
        }
        Ok(page.into_iter().map(Arc::new).collect())
    }

    /// Events that follow on what was handed out. None when something is missing: then the log has it. Whoever
    /// stops waiting for it loses nothing.
    async fn listen(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let mut events: Vec<Arc<RecordedEvent>> = Vec::new();
        let received = loop {
            tokio::select! {
                biased;
                changed = self.place.changed() => {
                    let (log_id, head) = *self.place.borrow_and_update();
                    if self.log_id != Some(log_id) {
                        self.must_be_the_same().await?;
                    }
                    // What the feed had sent before this follower began comes a second time only in the log:
                    // a log that was restored and recovered is behind and then further, and the feed is not.
                    let nothing_waits = self.live.as_ref().is_none_or(broadcast::Receiver::is_empty);
                    if changed.is_err() || head > self.position && nothing_waits {
                        self.live = None;
                        return Ok(events);
                    }
                }
                received = receive(&mut self.live) => break received,
            }
        };
        let Some(mut live) = self.live.take() else { return Ok(events) };
        let mut first = match received {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_) | RecvError::Closed) => return Ok(events),
        };
        while events.len() < limit {
            let event = match first.take() {
                Some(event) => event,
                None => match live.try_recv() {
                    Ok(event) => event,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return Ok(events),
                },
            };
            let expected = events.last().map_or(self.position, |last| last.position) + 1;
            // The feed has checked how its events follow from each other; here is the seam to what was read.
            let is_seam = events.is_empty();
            if event.position == expected && (!is_seam || self.precedes(&event)) {
                events.push(event);
            } else if event.position >= expected {
                return Ok(events);
            }
        }
        self.live = Some(live);
        Ok(events)
    }

    /// The look at the log may be older than what this follower knows, so the log is asked.
    async fn must_be_the_same(&mut self) -> Result<(), LogError> {
        let (log_id, _) = self.log.place().await?;
        if *self.log_id.get_or_insert(log_id) == log_id { Ok(()) } else { Err(LogError::Replaced { log_id }) }
    }

    /// Whether an event follows from what was handed out.
    fn precedes(&self, event: &RecordedEvent) -> bool {
        self.chain.as_ref().is_none_or(|chain| chain_of(chain, event).as_slice() == event.chain)
    }
}

async fn receive(
    live: &mut Option<broadcast::Receiver<Arc<RecordedEvent>>>,
) -> Result<Arc<RecordedEvent>, RecvError> {
    match live {
        Some(live) => live.recv().await,
        None => Err(RecvError::Closed),
    }
}
