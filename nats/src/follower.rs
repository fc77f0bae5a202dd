//! Follows the log from a position: the log first, then the stream for the tail, without acknowledgements.
//! A position that is not the next one, or a broken consumer, sends it back to the log.

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use event_log::{EventLog, LogError, RecordedEvent};
use futures::{FutureExt, StreamExt};

use crate::{Bus, BusError, decode};

/// How often an idle tail is compared with the log: bounds the delay while the relay or NATS is away.
const IDLE_CHECK: Duration = Duration::from_millis(400);
/// How often the log is read while there is no tail.
const POLL_WITHOUT_TAIL: Duration = Duration::from_millis(100);

/// A reader of all events after a position, in order, without gaps.
pub struct Follower {
    log: EventLog,
    bus: Bus,
    position: i64,
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
        Self { log, bus, position, tail: None }
    }

    /// The position of the last event that was handed out.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Hands out events again from behind `position`.
    pub fn rewind(&mut self, position: i64) {
        self.position = position;
        self.tail = None;
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read. Trouble with NATS is none: the log is read instead.
    pub async fn next(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        loop {
            let events = match self.tail.take() {
                Some(tail) => self.follow_tail(tail, limit).await?,
                None => self.read_log(limit).await?,
            };
            if let Some(last) = events.last() {
                self.position = last.position;
                return Ok(events);
            }
        }
    }

    async fn read_log(&mut self, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        let events = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        if events.is_empty() {
            match open_tail(&self.bus, self.position).await {
                Ok(tail) => self.tail = Some(tail),
                Err(error) => {
                    tracing::debug!(%error, "no tail yet, the log is polled");
                    tokio::time::sleep(POLL_WITHOUT_TAIL).await;
                }
            }
        }
        Ok(events)
    }

    /// Events from the tail; from the log when the tail is behind it, missed something or broke.
    async fn follow_tail(&mut self, mut tail: Ordered, limit: usize) -> Result<Vec<RecordedEvent>, LogError> {
        let Ok(first) = tokio::time::timeout(IDLE_CHECK, tail.next()).await else {
            let missed = self.log.page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            if missed.is_empty() {
                self.tail = Some(tail);
            }
            return Ok(missed);
        };
        let mut next = Some(first);
        let mut events = Vec::new();
        while let Some(message) = next {
            let Some(Ok(message)) = message else { return Ok(events) };
            let Ok(info) = message.info() else { return Ok(events) };
            let expected = self.position + 1 + i64::try_from(events.len()).unwrap_or_default();
            match decode(info.stream_sequence, message.headers.as_ref(), &message.payload) {
                Ok(event) if event.position == expected => events.push(event),
                // Already seen: the consumer was recreated a little too early.
                Ok(event) if event.position < expected => {}
                _ => return Ok(events),
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

/// A tail that begins behind `position`. A function of its own: a tail cannot be shared between threads,
/// so whoever holds one must not be borrowed across a wait.
async fn open_tail(bus: &Bus, position: i64) -> Result<Ordered, BusError> {
    let stream =
        bus.existing_stream().await?.ok_or_else(|| BusError::unavailable("the stream does not exist yet"))?;
    let next = u64::try_from(position + 1).unwrap_or(1);
    let known = stream.cached_info().state.clone();
    // A consumer that starts behind the stream's end would be handed an older message first.
    if known.last_sequence + 1 < next {
        return Err(BusError::unavailable("the stream is behind the log"));
    }
    let consumer = stream
        .create_consumer(OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: next },
            ..OrderedConfig::default()
        })
        .await
        .map_err(BusError::unavailable)?;
    consumer.messages().await.map_err(BusError::unavailable)
}
