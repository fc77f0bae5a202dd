//! Following the log. A process has one feed: ten followers with a consumer each would have every event sent, received
//! and decoded ten times.
//!
//! The feed reads the log and its tail and hands every event to the followers that listen. A follower that starts
//! further back, or was too slow to listen, reads the log by itself until it meets the feed again. So no follower waits
//! for another, and memory is bounded by the length of the channel.

#[cfg(test)]
mod examples;
pub(crate) mod handover;
mod seam;
mod source;
mod tail;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, LogError, Position, RecordedEvent};
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::Bus;
use seam::{Fit, Seam};
use source::Source;

/// Events that a follower may be behind before it has to go back to the log.
const WAITING_EVENTS_MAX: usize = 4096;
const PAGE_EVENTS: usize = 500;
/// Followers without events hear so often where the log ends.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_DELAY: Duration = Duration::from_millis(300);

/// The reader that the followers of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    log: EventLog,
    events: broadcast::Sender<Arc<RecordedEvent>>,
    /// The id of the log and its last position, as of a moment ago.
    place: watch::Receiver<(Uuid, Position)>,
    _task: Arc<AbortOnDropHandle<()>>,
}

impl Feed {
    /// Starts to follow from the head of the log. Ends when the last handle is dropped.
    pub fn start(log: EventLog, bus: Bus) -> Self {
        let (events, _) = broadcast::channel(WAITING_EVENTS_MAX);
        let (looked, place) = watch::channel((Uuid::nil(), Position::ZERO));
        let source = Source::new(log.clone(), bus, Position::ZERO);
        let (reading, looking) = (read(log.clone(), source, events.clone()), look(log.clone(), looked));
        let task = AbortOnDropHandle::new(tokio::spawn(async {
            let ((), ()) = tokio::join!(reading, looking);
        }));
        Self { log, events, place, _task: Arc::new(task) }
    }

    /// Follows from behind `position`.
    pub fn follow(&self, position: Position) -> Follower {
        Follower { feed: self.clone(), seam: Seam::behind(position), place: self.place.clone(), live: None }
    }
}

async fn read(log: EventLog, mut source: Source, events: broadcast::Sender<Arc<RecordedEvent>>) {
    let start = loop {
        match log.head().await {
            Ok(head) => break head,
            Err(error) => tracing::warn!(%error, "the feed waits for the log"),
        }
        tokio::time::sleep(RETRY_DELAY).await;
    };
    source.rewind(start);
    loop {
        match source.next(PAGE_EVENTS).await {
            Ok(page) => {
                for event in page {
                    // Without a listener there is nothing to do: a new one begins with the log.
                    let _ = events.send(event);
                }
            }
            // Followers are told by the look at the log.
            Err(LogError::Replaced { .. }) => match log.head().await {
                Ok(head) => source.rewind(head),
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
async fn look(log: EventLog, place: watch::Sender<(Uuid, Position)>) {
    loop {
        if let Ok(now) = log.place().await {
            place.send_replace(now);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A reader of all events after a position, in order, without gaps.
#[derive(Debug)]
pub struct Follower {
    feed: Feed,
    seam: Seam,
    place: watch::Receiver<(Uuid, Position)>,
    /// Present once this follower has come so near to the head that it listens.
    live: Option<broadcast::Receiver<Arc<RecordedEvent>>>,
}

impl Follower {
    /// The position of the last event that was handed out.
    pub fn position(&self) -> Position {
        self.seam.position()
    }

    /// Goes on behind `position`, also of another log than before.
    pub fn rewind(&mut self, position: Position) {
        self.seam = Seam::behind(position);
        self.live = None;
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read, and `Replaced` when it has become another log: the follower begins anew.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        loop {
            let events =
                if self.live.is_some() { self.listen(limit).await? } else { self.read_log(limit).await? };
            if let Some(last) = events.last() {
                self.seam.advance(last);
                return Ok(events);
            }
        }
    }

    /// Reads the log. Listens from before the last page on, so that nothing falls between the two.
    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let live = self.feed.events.subscribe();
        if self.seam.chain().is_none() {
            self.seam.look(&self.feed.log).await?;
        }
        let page = self.seam.page(&self.feed.log, limit).await?;
        if page.len() < limit {
            self.live = Some(live);
        }
        Ok(page)
    }

    /// Events of the feed. None when something is missing: then the log has it. A caller that stops waiting loses
    /// nothing.
    async fn listen(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let Some(first) = self.first().await? else { return Ok(Vec::new()) };
        // Only a follower that misses nothing goes on listening.
        let Some(mut live) = self.live.take() else { return Ok(Vec::new()) };
        let mut events: Vec<Arc<RecordedEvent>> = Vec::new();
        let mut next = Some(first);
        while let Some(event) = next.take() {
            match self.seam.fit(&event) {
                Fit::Next => {
                    self.seam.advance(&event);
                    events.push(event);
                }
                Fit::Old => {}
                Fit::Strange => return Ok(events),
            }
            if events.len() < limit {
                next = match live.try_recv() {
                    Ok(event) => Some(event),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return Ok(events),
                };
            }
        }
        self.live = Some(live);
        Ok(events)
    }

    /// Waits for an event of the feed. `None` when the log has to be read: the feed is not to be listened to any more.
    async fn first(&mut self) -> Result<Option<Arc<RecordedEvent>>, LogError> {
        while let Some(live) = &mut self.live {
            tokio::select! {
                biased;
                changed = self.place.changed() => {
                    let (log_id, head) = *self.place.borrow_and_update();
                    if self.seam.log_id() != Some(log_id) {
                        // The look may be older than what this follower knows, so the log is asked.
                        self.seam.look(&self.feed.log).await?;
                    }
                    // What the feed had sent before this follower began comes a second time only in the log: a log
                    // that was restored and recovered is behind and then further, and the feed is not.
                    if head > self.seam.position() && live.is_empty() {
                        self.live = None;
                    }
                    if changed.is_err() {
                        // The feed has ended: the log is read now and then.
                        self.live = None;
                        tokio::time::sleep(RETRY_DELAY).await;
                    }
                }
                received = live.recv() => match received {
                    Ok(event) => return Ok(Some(event)),
                    Err(RecvError::Lagged(_) | RecvError::Closed) => self.live = None,
                },
            }
        }
        Ok(None)
    }
}
