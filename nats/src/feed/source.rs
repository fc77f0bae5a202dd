//! The source of a feed: the log first, then its tail, without acknowledgements. An event that does not fit, or a
//! broken tail, sends it back to the log.
//!
//! The log is the truth, so a tail is only believed where it agrees: the stream's is opened when it holds the same
//! event as the log at the position to start from and is not ahead of it, and each event must fit the seam. The source
//! refuses to run ahead of a log that was restored.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use event_log::{EventLog, LogError, Position, RecordedEvent};

use super::seam::{Fit, Place, Seam};
use super::tail::{self, Tail};
use crate::{Bus, BusError};

/// The longest silence of a tail until it is compared with the log: bounds the delay while the relay or NATS is away.
const IDLE_CHECK: Duration = Duration::from_millis(400);
/// The pause between reads of the log while there is no tail.
const POLL_WITHOUT_TAIL: Duration = Duration::from_millis(100);

/// A reader of all events after a position, in order, without gaps.
pub(super) struct Source {
    log: EventLog,
    bus: Bus,
    seam: Seam,
    tail: Option<Tail>,
}

impl Source {
    /// Starts behind `position`.
    pub(super) fn new(log: EventLog, bus: Bus, position: Position) -> Self {
        Self { log, bus, seam: Seam::behind(position), tail: None }
    }

    /// Goes on behind `position`, also of another log than before.
    pub(super) fn rewind(&mut self, position: Position) {
        self.seam = Seam::behind(position);
        self.tail = None;
    }

    /// The next events, at least one and at most `limit`. Waits for as long as there are none.
    ///
    /// # Errors
    /// When the log cannot be read, and `Replaced` when it has become another log: `rewind` goes on there.
    /// Trouble with NATS is none: the log is read instead.
    pub(super) async fn next(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        loop {
            let events = match self.tail.take() {
                Some(tail) => self.read_tail(tail, limit).await?,
                None => self.read_log(limit).await?,
            };
            if let Some(last) = events.last() {
                self.seam.advance(last);
                return Ok(events);
            }
        }
    }

    async fn read_log(&mut self, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        if self.seam.log_id().is_none() {
            self.seam.look(&self.log).await?;
        }
        // Before the log is read, so that nothing falls between the two.
        let relayed = self.bus.handover.follow();
        let events = self.seam.page(&self.log, limit).await?;
        if !events.is_empty() {
            return Ok(events);
        }
        let tail = match self.seam.look(&self.log).await? {
            // Nothing that the stream holds may be handed out before the log holds it again.
            Place::Behind => Err(BusError::unavailable("the log is behind the events that were read of it")),
            Place::Here => match relayed {
                Some(pages) => Ok(Tail::of_relay(pages)),
                None => tail::of_stream(&self.bus, &self.log, &self.seam).await?,
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

    /// How an event of a tail fits. One that this log did not write, though it links, is read from the log, which voids
    /// it.
    fn fit(&self, event: &RecordedEvent) -> Fit {
        match self.seam.fit(event) {
            Fit::Next if !self.log.vault().authenticator().is_authentic(event) => Fit::Strange,
            fit => fit,
        }
    }

    /// Events of the tail. None when it is silent, misses something or broke: then the log is read.
    async fn read_tail(&mut self, mut tail: Tail, limit: usize) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let first = tokio::select! {
            first = tokio::time::timeout(IDLE_CHECK, tail.next()) => first,
            // The way over the stream is no longer the shortest.
            () = self.bus.handover.has_begun(), if tail.is_stream() => return Ok(Vec::new()),
        };
        let Ok(first) = first else {
            if self.seam.look(&self.log).await? == Place::Here {
                self.tail = Some(tail);
            }
            return Ok(Vec::new());
        };
        if self.log.rewound().is_some() {
            return Ok(Vec::new());
        }
        let mut next = Some(first);
        let mut events: Vec<Arc<RecordedEvent>> = Vec::new();
        while let Some(Ok(event)) = next {
            match self.fit(&event) {
                Fit::Next => {
                    self.seam.advance(&event);
                    events.push(event);
                }
                Fit::Old => {}
                Fit::Strange => {
                    tracing::warn!(position = %event.position, "the tail does not fit the log, which is read");
                    return Ok(events);
                }
            }
            next = if events.len() < limit { tail.ready() } else { None };
        }
        if !matches!(next, Some(Err(_))) {
            self.tail = Some(tail);
        }
        Ok(events)
    }
}
