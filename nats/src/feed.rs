//! One reader of the tail for all followers of a process. Ten followers with a consumer each would have every
//! event sent, received and decoded ten times.
//!
//! The feed follows the log and hands every event to whoever listens. A follower that starts further back, or
//! was too slow to listen, reads the log by itself until it meets the feed again. So nobody waits for
//! anybody, and memory is bounded by the length of the channel.

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, LogError, RecordedEvent};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio_util::task::AbortOnDropHandle;

use crate::{Bus, Follower};

/// Events that a follower may be behind before it has to go back to the log.
const WAITING_EVENTS_MAX: usize = 4096;
const PAGE_EVENTS: usize = 500;
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// What the followers of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    log: EventLog,
    events: broadcast::Sender<Arc<RecordedEvent>>,
    _task: Arc<AbortOnDropHandle<()>>,
}

impl Feed {
    /// Starts to follow from the head of the log. Ends when the last handle is dropped.
    pub fn start(log: EventLog, bus: Bus) -> Self {
        let (events, _) = broadcast::channel(WAITING_EVENTS_MAX);
        let task = AbortOnDropHandle::new(tokio::spawn(read(log.clone(), bus, events.clone())));
        Self { log, events, _task: Arc::new(task) }
    }

    /// Follows from behind `position`.
    pub fn follow(&self, position: i64) -> FeedFollower {
        FeedFollower { log: self.log.clone(), feed: self.clone(), position, live: None }
    }
}

async fn read(log: EventLog, bus: Bus, events: broadcast::Sender<Arc<RecordedEvent>>) {
    let start = loop {
        match log.head().await {
            Ok(head) => break head,
            Err(error) => tracing::warn!(%error, "the feed waits for the log"),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    };
    let mut follower = Follower::new(log, bus, start);
    loop {
        match follower.next(PAGE_EVENTS).await {
            Ok(page) => {
                for event in page {
                    // Without a listener there is nothing to do: whoever comes begins with the log.
                    let _ = events.send(Arc::new(event));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the feed tries again");
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// A reader of all events after a position, in order, without gaps.
#[derive(Debug)]
pub struct FeedFollower {
    log: EventLog,
    feed: Feed,
    position: i64,
    /// Present once this follower has come so near to the head that it listens.
    live: Option<broadcast::Receiver<Arc<RecordedEvent>>>,
}

impl FeedFollower {
    /// The position of the last event that was handed out.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        loop {
            let events = match self.live.take() {
                Some(live) => self.listen(live, limit).await,
                None => self.read_log(limit).await?,
            };
            if let Some(last) = events.last() {
                self.position = last.position;
                return Ok(events);
            }
        }
    }

    /// Reads the log. Listens from before the last page on, so that nothing falls between the two.
    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let live = self.feed.events.subscribe();
        let page = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        if page.len() < limit {
            self.live = Some(live);
        }
        Ok(page.into_iter().map(Arc::new).collect())
    }

    /// Events that follow on what was handed out. None when something is missing: then the log has it.
    async fn listen(
        &mut self,
        mut live: broadcast::Receiver<Arc<RecordedEvent>>,
        limit: usize,
    ) -> Vec<Arc<RecordedEvent>> {
        let mut events: Vec<Arc<RecordedEvent>> = Vec::new();
        let mut first = match live.recv().await {
            Ok(event) => Some(event),
            Err(RecvError::Lagged(_) | RecvError::Closed) => return events,
        };
        while events.len() < limit {
            let event = match first.take() {
                Some(event) => event,
                None => match live.try_recv() {
                    Ok(event) => event,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return events,
                },
            };
            let expected = events.last().map_or(self.position, |last| last.position) + 1;
            if event.position == expected {
                events.push(event);
            } else if event.position > expected {
                return events;
            }
        }
        self.live = Some(live);
        events
    }
}
