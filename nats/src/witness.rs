//! The stream as the witness of the log: it remembers how far the log had come when the log does not.

use async_nats::connection::State;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use event_log::{Held, Position, Witness, WitnessAway};
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{Bus, BusError, decode, stream};

impl Witness for Bus {
    fn last(&self) -> BoxFuture<'_, Result<Option<Held>, WitnessAway>> {
        Box::pin(async {
            // A first connection that is still being made is worth waiting for, a lost one is not.
            if self.client.connection_state() == State::Disconnected {
                return Err(WitnessAway { reason: "not connected".to_owned() });
            }
            self.held().await.map_err(|error| WitnessAway { reason: error.to_string() })
        })
    }
}

impl Bus {
    /// The last message of the stream; `None` while there is no stream.
    pub async fn held(&self) -> Result<Option<Held>, BusError> {
        match self.existing_stream().await? {
            Some(stream) => Ok(Some(held(&stream).await?)),
            None => Ok(None),
        }
    }
}

/// The last message of a stream when its state was asked for.
pub(crate) async fn held(stream: &Stream) -> Result<Held, BusError> {
    let info = stream.cached_info();
    let last = info.state.last_sequence;
    Ok(Held {
        position: Position::of_sequence(last),
        event: if last == 0 { None } else { event_at(stream, last).await? },
        log_id: stream::log_id(info),
    })
}

/// Event id and chain value of a message; `None` when it aged out or was purged. What is no event of ours has
/// an id that no event has.
pub(crate) async fn event_at(stream: &Stream, sequence: u64) -> Result<Option<(Uuid, Vec<u8>)>, BusError> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Some(
            decode(sequence, Some(&message.headers), &message.payload)
                .map_or_else(|_| (Uuid::nil(), Vec::new()), |event| (event.event_id, event.chain)),
        )),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(BusError::unavailable(error)),
    }
}
