//! The end of the log as it grows: from the relay where it is in this process, else from the stream.

use std::collections::VecDeque;
use std::sync::Arc;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Ordered;
use event_log::{EventLog, LogError, Position, Provenance, RecordedEvent};
use futures::{FutureExt, StreamExt};
use tokio::sync::broadcast::{self, error::TryRecvError};

use super::handover::Page;
use super::seam::Seam;
use crate::message::decode_own;
use crate::{Bus, BusError, stream, witness};

/// A source of the events behind a position. It may begin too early or miss events: its reader asks the seam.
pub(crate) enum Tail {
    Relay { pages: broadcast::Receiver<Page>, waiting: VecDeque<Arc<RecordedEvent>> },
    Stream { messages: Box<Ordered>, provenance: Provenance },
}

/// The tail broke: the log has what is missing.
#[derive(Debug)]
pub(crate) struct Broken;

impl Tail {
    pub(crate) fn of_relay(pages: broadcast::Receiver<Page>) -> Self {
        Self::Relay { pages, waiting: VecDeque::new() }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Stream { .. })
    }

    /// Waits for the next event. A caller that stops waiting loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Arc<RecordedEvent>, Broken> {
        match self {
            Self::Relay { pages, waiting } => loop {
                if let Some(event) = waiting.pop_front() {
                    return Ok(event);
                }
                waiting.extend(pages.recv().await.map_err(|_| Broken)?);
            },
            Self::Stream { messages, provenance } => event_of(messages.next().await, provenance),
        }
    }

    /// The next event if there is one already.
    pub(crate) fn ready(&mut self) -> Option<Result<Arc<RecordedEvent>, Broken>> {
        match self {
            Self::Relay { pages, waiting } => {
                if waiting.is_empty() {
                    match pages.try_recv() {
                        Ok(page) => waiting.extend(page),
                        Err(TryRecvError::Empty) => return None,
                        Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return Some(Err(Broken)),
                    }
                }
                waiting.pop_front().map(Ok)
            }
            Self::Stream { messages, provenance } => {
                messages.next().now_or_never().map(|message| event_of(message, provenance))
            }
        }
    }
}

fn event_of<E>(
    message: Option<Result<Message, E>>,
    provenance: &Provenance,
) -> Result<Arc<RecordedEvent>, Broken> {
    let message = message.ok_or(Broken)?.map_err(|_| Broken)?;
    let sequence = message.info().map_err(|_| Broken)?.stream_sequence;
    let event = decode_own(provenance, sequence, message.headers.as_ref(), &message.payload);
    event.map(Arc::new).map_err(|_| Broken)
}

/// The tail of the stream, if the stream agrees with the log at the seam.
pub(crate) async fn of_stream(
    bus: &Bus,
    log: &EventLog,
    seam: &Seam,
) -> Result<Result<Tail, BusError>, LogError> {
    let stream = match bus.existing_stream().await {
        Ok(Some(stream)) => stream,
        Ok(None) => return Ok(Err(BusError::unavailable("the stream does not exist yet"))),
        Err(error) => return Ok(Err(error)),
    };
    let info = stream.cached_info();
    let last = Position::of_sequence(info.state.last_sequence);
    // A consumer that starts behind the stream's end would be handed an older message first.
    if last < seam.position() {
        return Ok(Err(BusError::unavailable("the stream is behind the log")));
    }
    // Asked after the stream: a sound log is never behind what the stream held before.
    let head = log.head().await?;
    let other_log = stream::log_id(info).is_some_and(|id| Some(id) != seam.log_id());
    if last > head || other_log {
        return Ok(Err(BusError::unavailable("the stream holds what the log does not")));
    }
    let provenance = log.provenance().await?;
    let sequence = seam.position().sequence();
    if sequence > 0 && sequence >= info.state.first_sequence {
        match witness::message_at(&stream, sequence, &provenance).await {
            Ok(Some(held)) if Some(held.chain.as_slice()) != seam.chain() => {
                return Ok(Err(BusError::unavailable("the stream holds another event than the log")));
            }
            Ok(_) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    let messages = stream::messages_from(&stream, seam.position().next()).await;
    Ok(messages.map(|messages| Tail::Stream { messages: Box::new(messages), provenance }))
}
