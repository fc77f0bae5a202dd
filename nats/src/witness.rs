//! The stream as the witness of the log: it remembers how far the log had come when the log does not. It is believed
//! only in what the log itself published: whatever somebody else put behind that is passed over.

use async_nats::connection::State;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use event_log::{Held, Position, Provenance, RecordedEvent, Witness, WitnessAway};
use futures::future::BoxFuture;

use crate::message::decode_own;
use crate::{Bus, BusError, stream};

/// So many forged messages are passed over; behind more of them the stream is no witness.
const PASSED_OVER_MAX: u64 = 256;

impl Witness for Bus {
    fn last<'a>(&'a self, provenance: &'a Provenance) -> BoxFuture<'a, Result<Option<Held>, WitnessAway>> {
        Box::pin(async {
            // A first connection that is still being made is worth waiting for, a lost one is not.
            if self.client.connection_state() == State::Disconnected {
                return Err(WitnessAway { reason: "not connected".to_owned() });
            }
            self.held(provenance).await.map_err(|error| WitnessAway { reason: error.to_string() })
        })
    }
}

impl Bus {
    /// The last message of the stream that the log published; `None` while there is none.
    pub async fn held(&self, provenance: &Provenance) -> Result<Option<Held>, BusError> {
        match self.existing_stream().await? {
            Some(stream) => held(&stream, provenance).await,
            None => Ok(None),
        }
    }
}

/// The last message of a stream that the log published, when its state was asked for. `None` where all that could be
/// looked at is forged.
pub(crate) async fn held(stream: &Stream, provenance: &Provenance) -> Result<Option<Held>, BusError> {
    let info = stream.cached_info();
    let end = info.state.last_sequence;
    let log_id = stream::log_id(info);
    let lowest = end.saturating_sub(PASSED_OVER_MAX);
    let mut sequence = end;
    while sequence > lowest {
        let event = match message_at(stream, sequence, provenance).await {
            Ok(event) => event.map(|event| (event.event_id, event.chain)),
            Err(BusError::Forged { .. }) => {
                sequence -= 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let (position, end) = (Position::of_sequence(sequence), Position::of_sequence(end));
        return Ok(Some(Held { position, end, event, log_id }));
    }
    let end = Position::of_sequence(end);
    let is_empty = sequence == 0;
    Ok(is_empty.then_some(Held { position: Position::ZERO, end, event: None, log_id }))
}

/// The event of a message; `None` when it aged out or was purged.
///
/// # Errors
/// `Forged` for a message that the log did not publish.
pub(crate) async fn message_at(
    stream: &Stream,
    sequence: u64,
    provenance: &Provenance,
) -> Result<Option<RecordedEvent>, BusError> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => decode_own(provenance, sequence, Some(&message.headers), &message.payload).map(Some),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(BusError::unavailable(error)),
    }
}
