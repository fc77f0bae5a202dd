//! The stream of all events: made when it is missing, starting where its followers need it.

use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType, Stream};
use event_log::{EventLog, LogError, checkpoints};

use crate::message::{STREAM, SUBJECTS};
use crate::{Bus, BusError};

impl Bus {
    /// The stream; `None` while it does not exist.
    pub(crate) async fn existing_stream(&self) -> Result<Option<Stream>, BusError> {
        match self.jetstream.get_stream(STREAM).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                async_nats::jetstream::context::GetStreamErrorKind::JetStream(inner)
                    if inner.code() == 404 =>
                {
                    Ok(None)
                }
                _ => Err(BusError::unavailable(error)),
            },
        }
    }

    /// The stream. A new one starts behind the lowest checkpoint, so that no follower misses anything and
    /// nothing is published that all have seen.
    pub(crate) async fn stream(&self, log: &EventLog) -> Result<Stream, StreamError> {
        if let Some(stream) = self.existing_stream().await? {
            return Ok(stream);
        }
        let first = checkpoints::lowest(log.pool()).await? + 1;
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec![SUBJECTS.to_owned()],
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            max_age: self.options.retention,
            num_replicas: self.options.replicas,
            allow_direct: true,
            first_sequence: u64::try_from(first).ok().filter(|first| *first > 1),
            ..Config::default()
        };
        tracing::info!(first_sequence = first, "the stream is created");
        Ok(self.jetstream.create_stream(config).await.map_err(BusError::unavailable)?)
    }
}

/// Either side of the relay can be away.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Log(#[from] LogError),
}
