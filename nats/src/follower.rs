//! Follows the log from a position: the log first, then the stream for the tail, without acknowledgements.
//! A position that is not the next one, or a broken consumer, sends it back to the log.
//!
//! The log is the truth, so the tail is only believed where it agrees: it is opened when it holds the same
//! event as the log at the position to start from and is not ahead of it, and each event must follow from the
//! one before by its chain value. Refuses to run ahead of a log that was restored.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::Ordered;
use event_log::{EventLog, LogError, RecordedEvent, chain_of};
use futures::{FutureExt, StreamExt};
use uuid::Uuid;

use crate::{Bus, BusError, decode, stream, witness};

/// How often an idle tail is compared with the log: bounds the delay while the relay or NATS is away.
const IDLE_CHECK: Duration = Duration::from_millis(400);
/// How often the log is read while there is no tail.
const POLL_WITHOUT_TAIL: Duration = Duration::from_millis(100);

/// A reader of all events after a position, in order, without gaps.
pub struct Follower {
    log: EventLog,
    bus: Bus,
    position: i64,
    /// The chain value at the position, once it is known.
    chain: Option<Vec<u8>>,
    /// The log that is followed, once it is known.
    log_id: Option<Uuid>,
    tail: Option<Ordered>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Follower {
    /// Starts behind `position`.
    pub fn new(log: EventLog, bus: Bus, position: i64) -> Self {
        Self { log, bus, position, chain: None, log_id: None, tail: None }
    }

    /// The position of the last event that was handed out.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Hands out events again from behind `position`, also of another log than before.
    pub fn rewind(&mut self, position: i64) {
        self.position = position;
        (self.chain, self.log_id, self.tail) = (None, None, None);
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read, and `Replaced` when it has become another log: `rewind` goes on there.
    /// Trouble with NATS is none: the log is read instead.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        loop {
            let events = match self.tail.take() {
                Some(tail) => self.follow_tail(tail, limit).await?,
                None => self.read_log(limit).await?,
            };
            if let Some(last) = events.last() {
                self.position = last.position;
                self.chain = Some(last.chain.clone());
                return Ok(events);
            }
        }
    }

    async fn read_log(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        if self.log_id.is_none() {
            self.look().await?;
            self.chain = self.log.chain_at(self.position).await?;
        }
        let events = self.page(limit).await?;
        if !events.is_empty() {
            return Ok(events);
        }
        let tail = match self.look().await? {
            // Nothing that the stream holds may be handed out before the log holds it again.
            Place::Behind => Err(BusError::unavailable("the log is behind what was read of it")),
            Place::Here => self.open_tail().await?,
            Place::Ahead => return Ok(Vec::new()),
        };
        match tail {
            Ok(tail) => self.tail = Some(tail),
            Err(error) => {
                tracing::debug!(%error, "no tail yet, the log is polled");
                tokio::time::sleep(POLL_WITHOUT_TAIL).await;
            }
        }
        Ok(Vec::new())
    }

    /// Where the log stands, seen from here.
    async fn look(&mut self) -> Result<Place, LogError> {
        let (log_id, head) = self.log.place().await?;
        if *self.log_id.get_or_insert(log_id) != log_id {
            return Err(LogError::Replaced { log_id });
        }
        Ok(match head.cmp(&self.position) {
            std::cmp::Ordering::Greater => Place::Ahead,
            std::cmp::Ordering::Equal => Place::Here,
            std::cmp::Ordering::Less => Place::Behind,
        })
    }

    /// The next page of the log. One that does not follow from what was handed out is of another history.
    async fn page(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        let events = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        match (events.first(), &self.chain) {
            (Some(first), Some(chain)) if chain_of(chain, first).as_slice() != first.chain => {
                Err(LogError::Replaced { log_id: self.log.place().await?.0 })
            }
            _ => Ok(events),
        }
    }

    /// A tail that begins behind the position, if the stream agrees with the log there.
    async fn open_tail(&mut self) -> Result<Result<Ordered, BusError>, LogError> {
        open_tail(&self.bus, &self.log, self.position, self.chain.as_deref(), self.log_id).await
    }

    /// Events from the tail; from the log when the tail is behind it, missed something or broke.
    async fn follow_tail(&mut self, mut tail: Ordered, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        let Ok(first) = tokio::time::timeout(IDLE_CHECK, tail.next()).await else {
            return match self.look().await? {
                Place::Ahead => self.page(limit).await,
                Place::Here => {
                    self.tail = Some(tail);
                    Ok(Vec::new())
                }
                Place::Behind => Ok(Vec::new()),
            };
        };
        if self.log.rewound().is_some() {
            return Ok(Vec::new());
        }
        let mut next = Some(first);
        let mut events: Vec<RecordedEvent> = Vec::new();
        while let Some(message) = next {
            let Some(Ok(message)) = message else { return Ok(events) };
            let Ok(info) = message.info() else { return Ok(events) };
            let Ok(event) = decode(info.stream_sequence, message.headers.as_ref(), &message.payload) else {
                return Ok(events);
            };
            let (position, chain) = match events.last() {
                Some(last) => (last.position, Some(last.chain.as_slice())),
                None => (self.position, self.chain.as_deref()),
            };
            if event.position > position {
                if event.position > position + 1 || !follows(chain, &event) {
                    return Ok(events);
                }
                events.push(event);
            } else if event.position == position && chain.is_some_and(|chain| chain != event.chain) {
                // The consumer was recreated a little too early, on a stream that holds something else here.
                return Ok(events);
            }
            if events.len() >= limit {
                break;
            }
            next = tail.next().now_or_never();
        }
        self.tail = Some(tail);
        Ok(events)
    }
}

/// Where the end of the log is, seen from a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Ahead,
    Here,
    Behind,
}

fn follows(chain: Option<&[u8]>, event: &RecordedEvent) -> bool {
    let follows = chain.is_some_and(|chain| chain_of(chain, event).as_slice() == event.chain);
    if !follows {
        tracing::warn!(
            position = event.position,
            "the stream does not follow from the log, which is read instead"
        );
    }
    follows
}

/// A tail that begins behind `position`. A function of its own: a tail cannot be shared between threads,
/// so whoever holds one must not be borrowed across a wait.
async fn open_tail(
    bus: &Bus,
    log: &EventLog,
    position: i64,
    chain: Option<&[u8]>,
    log_id: Option<Uuid>,
) -> Result<Result<Ordered, BusError>, LogError> {
    let stream = match bus.existing_stream().await {
        Ok(Some(stream)) => stream,
        Ok(None) => return Ok(Err(BusError::unavailable("the stream does not exist yet"))),
        Err(error) => return Ok(Err(error)),
    };
    let info = stream.cached_info();
    let last = i64::try_from(info.state.last_sequence).unwrap_or(i64::MAX);
    // A consumer that starts behind the stream's end would be handed an older message first.
    if last < position {
        return Ok(Err(BusError::unavailable("the stream is behind the log")));
    }
    // Asked after the stream: a sound log is never behind what the stream held before.
    let head = log.head().await?;
    let other_log = stream::log_id(info).is_some_and(|id| Some(id) != log_id);
    if last > head || other_log {
        return Ok(Err(BusError::unavailable("the stream holds what the log does not")));
    }
    let sequence = u64::try_from(position).unwrap_or_default();
    if sequence > 0 && sequence >= info.state.first_sequence {
        match witness::event_at(&stream, sequence).await {
            Ok(Some((_, held))) if Some(held.as_slice()) != chain => {
                return Ok(Err(BusError::unavailable("the stream holds another event than the log")));
            }
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(stream::messages_from(&stream, position + 1).await)
}
