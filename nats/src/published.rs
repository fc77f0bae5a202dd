//! Reads what the stream still holds, message by message: to put it back into a log that lost it, and to
//! compare it with the log.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Ordered;
use event_log::{LogReader, Position, Provenance, RecordedEvent};
use futures::StreamExt;

use crate::message::decode_own;
use crate::stream::StreamError;
use crate::{Bus, BusError, decode, stream};

/// A message that the stream says it has may take so long.
const PATIENCE: Duration = Duration::from_secs(5);
const PAGE_EVENTS: i64 = 500;

/// The messages from a position on, up to the end as it was when reading began.
pub struct Published {
    messages: Option<Ordered>,
    page_events: i64,
    /// Only messages that this log published are read, where it is given.
    provenance: Option<Provenance>,
    /// The first message that somebody else published: nothing is read from there on.
    pub forged: Option<Position>,
    /// The last position of the stream.
    pub last: Position,
}

impl std::fmt::Debug for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Published").field("last", &self.last).finish_non_exhaustive()
    }
}

/// The result of a comparison of the stream with the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamReport {
    /// Messages that were compared, the first and the last of them.
    pub compared: u64,
    pub first: Position,
    pub last: Position,
    /// The first thing that was wrong, if any.
    pub fault: Option<String>,
}

impl Bus {
    /// Reads what the stream holds behind `after`. `None` when there is no stream.
    pub async fn published(&self, after: Position) -> Result<Option<Published>, BusError> {
        let Some(stream) = self.existing_stream().await? else { return Ok(None) };
        let state = stream.cached_info().state.clone();
        let last = Position::of_sequence(state.last_sequence);
        let messages = if state.messages == 0 || last <= after {
            None
        } else {
            Some(stream::messages_from(&stream, after.next()).await?)
        };
        Ok(Some(Published { messages, page_events: PAGE_EVENTS, provenance: None, forged: None, last }))
    }

    /// Compares every message that the stream holds with the event at its position: id, chain and payload.
    ///
    /// # Errors
    /// When either side cannot be read. A difference is none: it is the report's fault.
    pub async fn compare_with(&self, log: &LogReader) -> Result<Option<StreamReport>, StreamError> {
        self.compare_in_pages(log, PAGE_EVENTS).await
    }

    /// Like `compare_with`, by pages of so many messages.
    pub async fn compare_in_pages(
        &self,
        log: &LogReader,
        page_events: i64,
    ) -> Result<Option<StreamReport>, StreamError> {
        let Some(published) = self.published(Position::ZERO).await? else { return Ok(None) };
        let mut published = published.in_pages(page_events);
        let mut report = StreamReport { last: published.last, ..StreamReport::default() };
        let head = log.head().await?;
        if published.last > head {
            report.fault = Some(format!("the stream is at {}, the log at {head}", published.last));
            return Ok(Some(report));
        }
        loop {
            let messages = match published.next_page().await {
                Ok(messages) => messages,
                Err(BusError::Malformed { sequence, header }) => {
                    report.fault = Some(format!("message {sequence} has no usable {header}"));
                    return Ok(Some(report));
                }
                Err(error) => return Err(error.into()),
            };
            let Some(first) = messages.first() else { return Ok(Some(report)) };
            let events = log.page(first.position.previous(), page_events).await?;
            if report.compared == 0 {
                report.first = first.position;
            }
            for message in &messages {
                let event = events.iter().find(|event| event.position == message.position);
                if let Some(fault) = difference(message, event) {
                    report.fault = Some(fault);
                    return Ok(Some(report));
                }
                report.compared += 1;
            }
        }
    }
}

fn difference(message: &RecordedEvent, event: Option<&RecordedEvent>) -> Option<String> {
    let at = message.position;
    let Some(event) = event else {
        return Some(format!("message {at} is of an event that is not in the log"));
    };
    let what = if event.event_id != message.event_id {
        "event id"
    } else if event.chain != message.chain {
        "chain value"
    } else if event.payload != message.payload {
        "payload"
    } else if event != message {
        "description"
    } else {
        return None;
    };
    Some(format!("message {at} has another {what} than the event"))
}

impl Published {
    /// Reads by pages of so many positions.
    #[must_use]
    pub fn in_pages(self, page_events: i64) -> Self {
        Self { page_events, ..self }
    }

    /// Reads what this log published, up to the first message of somebody else.
    #[must_use]
    pub fn of_own(self, provenance: Provenance) -> Self {
        Self { provenance: Some(provenance), ..self }
    }

    fn decode(&self, sequence: u64, message: &Message) -> Result<RecordedEvent, BusError> {
        let (headers, payload) = (message.headers.as_ref(), &message.payload);
        match &self.provenance {
            Some(provenance) => decode_own(provenance, sequence, headers, payload),
            None => decode(sequence, headers, payload),
        }
    }

    /// The next messages, in order; none at the end.
    pub async fn next_page(&mut self) -> Result<Vec<RecordedEvent>, BusError> {
        let mut page: Vec<RecordedEvent> = Vec::new();
        let Some(mut messages) = self.messages.take() else { return Ok(page) };
        loop {
            // Whatever is left may have been deleted: then no further message comes.
            let Ok(next) = tokio::time::timeout(PATIENCE, messages.next()).await else { return Ok(page) };
            let message = next.ok_or_else(|| BusError::unavailable("the stream ended"))?;
            let message = message.map_err(BusError::unavailable)?;
            let info = message.info().map_err(BusError::unavailable)?;
            let at_end = info.pending == 0 || Position::of_sequence(info.stream_sequence) >= self.last;
            match self.decode(info.stream_sequence, &message) {
                Ok(event) => page.push(event),
                Err(BusError::Forged { sequence }) => {
                    self.forged = Some(Position::of_sequence(sequence));
                    return Ok(page);
                }
                Err(error) => return Err(error),
            }
            if at_end {
                return Ok(page);
            }
            let (Some(first), Some(last)) = (page.first(), page.last()) else { continue };
            if last.position.since(first.position) + 1 >= self.page_events {
                self.messages = Some(messages);
                return Ok(page);
            }
        }
    }
}
