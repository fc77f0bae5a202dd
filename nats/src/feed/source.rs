//! Follows the log from a position: the log first, then its tail, without acknowledgements. A position that is
//! not the next one, or a broken tail, sends it back to the log.
//!
//! The log is the truth, so the tail is only believed where it agrees: the stream's is opened when it holds the
//! same event as the log at the position to start from and is not ahead of it, and each event must follow from
//! the one before by its chain value. Refuses to run ahead of a log that was restored.

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, LogError, RecordedEvent, chain_of};
use uuid::Uuid;

use crate::tail::{self, Tail};
use crate::{Bus, BusError};

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
    tail: Option<Tail>,
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
    pub async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
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

    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        if self.log_id.is_none() {
            self.look().await?;
            self.chain = self.log.chain_at(self.position).await?;
        }
        // Before the log is read, so that nothing falls between the two.
        let relayed = self.bus.handover.follow();
        let events = self.page(limit).await?;
        if !events.is_empty() {
            return Ok(events);
        }
        let tail = match self.look().await? {
            // Nothing that the stream holds may be handed out before the log holds it again.
            Place::Behind => Err(BusError::unavailable("the log is behind what was read of it")),
            Place::Here => match relayed {
                Some(pages) => Ok(Tail::of_relay(pages)),
                None => self.tail_of_stream().await?,
            },
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
    async fn page(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let events = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        match (events.first(), &self.chain) {
            (Some(first), Some(chain)) if chain_of(chain, first).as_slice() != first.chain => {
                Err(LogError::Replaced { log_id: self.log.place().await?.0 })
            }
            _ => Ok(events.into_iter().map(Arc::new).collect()),
        }
    }

    async fn tail_of_stream(&mut self) -> Result<Result<Tail, BusError>, LogError> {
        tail::of_stream(&self.bus, &self.log, self.position, self.chain.as_deref(), self.log_id).await
    }

    /// Events from the tail; from the log when the tail is behind it, missed something or broke.
    async fn follow_tail(
        &mut self,
        mut tail: Tail,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let first = tokio::select! {
            first = tokio::time::timeout(IDLE_CHECK, tail.next()) => first,
            // The way over the stream is no longer the shortest.
            () = self.bus.handover.has_begun(), if tail.is_stream() => return Ok(Vec::new()),
        };
        let Ok(first) = first else {
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
        let mut events: Vec<Arc<RecordedEvent>> = Vec::new();
        while let Some(event) = next {
            let Ok(event) = event else { return Ok(events) };
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
            next = tail.ready();
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
            "the tail does not follow from the log, which is read instead"
        );
    }
    follows
}
