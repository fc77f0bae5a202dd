//! The stream of all events: made when it is missing, starting where its followers need it.

use std::collections::HashMap;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::{DeleteStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, StorageType, Stream};
use event_log::{EventLog, LogError, Position, checkpoints};
use uuid::Uuid;

use crate::message::{STREAM, SUBJECTS};
use crate::{Bus, BusError};

/// The key under which the stream's own metadata names the log that it carries.
const LOG_ID: &str = "routix-log-id";

impl Bus {
    /// The stream; `None` while it does not exist.
    pub(crate) async fn existing_stream(&self) -> Result<Option<Stream>, BusError> {
        match self.jetstream.get_stream(STREAM).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(inner) if inner.code() == 404 => Ok(None),
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
        let first = checkpoints::lowest(log.pool()).await?.next();
        self.create_stream(log, first).await
    }

    async fn create_stream(&self, log: &EventLog, first: Position) -> Result<Stream, StreamError> {
        let identity = log.identity().await?;
        let (log_id, first) = (identity.log_id, first.max(identity.floor_position.next()));
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec![SUBJECTS.to_owned()],
            storage: StorageType::File,
            discard: DiscardPolicy::Old,
            max_age: self.options.retention,
            num_replicas: self.options.replicas,
            allow_direct: true,
            // Nobody takes a message out again, whatever login it has.
            deny_delete: true,
            deny_purge: true,
            first_sequence: Some(first.sequence()).filter(|first| *first > 1),
            metadata: HashMap::from([(LOG_ID.to_owned(), log_id.to_string())]),
            ..Config::default()
        };
        tracing::info!(first_sequence = %first, %log_id, "the stream is created");
        match self.jetstream.create_stream(config).await {
            Ok(stream) => Ok(stream),
            // Another relay may have made it at the same moment.
            Err(error) => {
                let made = self.existing_stream().await?;
                Ok(made.ok_or_else(|| BusError::unavailable(error))?)
            }
        }
    }

    /// Deletes the stream with everything in it and makes a new one for the log as it is now. Returns its
    /// first sequence.
    pub async fn start_stream_anew(&self, log: &EventLog) -> Result<Position, StreamError> {
        let first = checkpoints::lowest(log.pool()).await?.next();
        self.start_stream_anew_at(log, first).await
    }

    /// The same for a stream that begins at a position, or behind the last checkpoint where that is earlier.
    pub(crate) async fn start_stream_anew_at(
        &self,
        log: &EventLog,
        first: Position,
    ) -> Result<Position, StreamError> {
        let first = first.min(checkpoints::lowest(log.pool()).await?.next());
        if let Err(error) = self.jetstream.delete_stream(STREAM).await {
            match error.kind() {
                DeleteStreamErrorKind::JetStream(inner) if inner.code() == 404 => {}
                _ => return Err(BusError::unavailable(error).into()),
            }
        }
        let stream = self.create_stream(log, first).await?;
        let state = &stream.cached_info().state;
        // Before its first message a stream tells only what would be its last sequence.
        Ok(Position::of_sequence(state.first_sequence.max(state.last_sequence + 1)))
    }
}

/// The log that a stream carries, where it was made by a version that wrote this down.
pub(crate) fn log_id(info: &Info) -> Option<Uuid> {
    info.config.metadata.get(LOG_ID)?.parse().ok()
}

/// The messages of a stream from a position on.
pub(crate) async fn messages_from(stream: &Stream, position: Position) -> Result<Ordered, BusError> {
    let start_sequence = position.sequence();
    let config = OrderedConfig {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ..OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(BusError::unavailable)?;
    consumer.messages().await.map_err(BusError::unavailable)
}

/// Either side of the relay can be away.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Log(#[from] LogError),
}
