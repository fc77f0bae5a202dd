//! Loads an aggregate: snapshot and tail, else the whole stream.

use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError};
use postgres_es::PostgresEventRepository;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;

use crate::upcast::Stored;
use crate::{LogError, Vault, Version};

/// Every so many events a stream gets a snapshot.
pub(crate) const SNAPSHOT_EVERY_EVENTS: i64 = 100;

/// The state of a stream and the number of its events.
pub(crate) async fn load<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: Uuid,
) -> Result<(A, Version), LogError> {
    match snapshot::<A>(pool, vault, id).await? {
        Some((state, version)) => advance(pool, vault, id, state, version).await,
        None => replay(pool, vault, id).await,
    }
}

/// The whole stream, read through postgres-es.
async fn replay<A: Aggregate>(pool: &PgPool, vault: &Vault, id: Uuid) -> Result<(A, Version), LogError> {
    let repository = PostgresEventRepository::new(pool.clone());
    let (mut state, mut version) = (A::default(), Version::ZERO);
    for event in repository.get_events::<A>(&id.to_string()).await.map_err(storage_error)? {
        let sequence = i64::try_from(event.sequence).unwrap_or(i64::MAX);
        version = Version::new(sequence);
        let stored = Stored {
            aggregate_type: A::TYPE,
            aggregate_id: &event.aggregate_id,
            sequence,
            event_type: &event.event_type,
            event_version: &event.event_version,
        };
        state.apply(read::<A>(vault, &stored, &event.payload.to_string()).await?);
    }
    Ok((state, version))
}

/// Applies what was appended after `version`. Not through postgres-es: it writes the number into the text of
/// the query, so that each one is planned anew.
pub(crate) async fn advance<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: Uuid,
    mut state: A,
    mut version: Version,
) -> Result<(A, Version), LogError> {
    let aggregate_id = id.to_string();
    let tail = sqlx::query!(
        r#"
        SELECT sequence, event_type, event_version, payload::text AS "payload!" FROM events
        WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 ORDER BY sequence
        "#,
        A::TYPE,
        aggregate_id,
        version.get()
    )
    .fetch_all(pool)
    .await?;
    for event in tail {
        version = Version::new(event.sequence);
        let stored = Stored {
            aggregate_type: A::TYPE,
            aggregate_id: &aggregate_id,
            sequence: event.sequence,
            event_type: &event.event_type,
            event_version: &event.event_version,
        };
        state.apply(read::<A>(vault, &stored, &event.payload).await?);
    }
    Ok((state, version))
}

async fn read<A: Aggregate>(vault: &Vault, stored: &Stored<'_>, payload: &str) -> Result<A::Event, LogError> {
    parse(&vault.read(stored, payload).await?).map_err(|error| stored.unreadable(&error.to_string()))
}

fn parse<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text)
}

/// A snapshot that does not open or parse, or has another form, is as good as none.
async fn snapshot<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: Uuid,
) -> Result<Option<(A, Version)>, LogError> {
    let row = sqlx::query!(
        r#"
        SELECT version AS "version: Version", payload::text AS "payload!" FROM snapshots
        WHERE aggregate_type = $1 AND aggregate_id = $2 AND schema_tag = $3
        "#,
        A::TYPE,
        id.to_string(),
        vault.schema_tag(A::TYPE)
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    match vault.open(&row.payload).await {
        Ok(payload) => Ok(parse(&payload).ok().map(|state| (state, row.version))),
        Err(LogError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn storage_error(error: PersistenceError) -> LogError {
    match error {
        PersistenceError::ConnectionError(source) | PersistenceError::UnknownError(source) => {
            match source.downcast::<sqlx::Error>() {
                Ok(error) => LogError::from(*error),
                Err(source) => LogError::Unavailable(sqlx::Error::Protocol(source.to_string())),
            }
        }
        PersistenceError::OptimisticLockError => {
            LogError::Unavailable(sqlx::Error::Protocol("a read was refused".to_owned()))
        }
        PersistenceError::DeserializationError(source) => {
            LogError::Unreadable { what: "a stored event".to_owned(), reason: source.to_string() }
        }
    }
}
