//! Loads an aggregate: snapshot and tail, else the whole stream, read through postgres-es.

use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use postgres_es::PostgresEventRepository;
use sqlx::PgPool;

use crate::{LogError, Vault};

/// Raised when the form of states changes: older snapshots are ignored and replaced.
const SNAPSHOT_FORM: &str = "1";

/// Every so many events a stream gets a snapshot.
pub(crate) const SNAPSHOT_EVERY_EVENTS: i64 = 100;

pub(crate) fn schema_tag<A: Aggregate>() -> String {
    format!("{}/{SNAPSHOT_FORM}", A::TYPE)
}

/// The state of a stream and the number of its events.
pub(crate) async fn load<A: Aggregate>(pool: &PgPool, vault: &Vault, id: &str) -> Result<(A, i64), LogError> {
    let (state, version) = snapshot::<A>(pool, vault, id).await?.unwrap_or_default();
    advance(pool, vault, id, state, version).await
}

/// Applies what was appended after `version`.
pub(crate) async fn advance<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: &str,
    mut state: A,
    mut version: i64,
) -> Result<(A, i64), LogError> {
    let repository = PostgresEventRepository::new(pool.clone());
    let events = if version == 0 {
        repository.get_events::<A>(id).await
    } else {
        repository.get_last_events::<A>(id, usize::try_from(version).unwrap_or_default()).await
    };
    for event in events.map_err(storage_error)? {
        version = i64::try_from(event.sequence).unwrap_or(i64::MAX);
        state.apply(open::<A>(vault, event).await?);
    }
    Ok((state, version))
}

async fn open<A: Aggregate>(vault: &Vault, event: SerializedEvent) -> Result<A::Event, LogError> {
    let mut payload = event.payload;
    vault.open(&mut payload).await?;
    serde_json::from_value(payload).map_err(|error| LogError::Unreadable {
        what: format!("{}/{} at sequence {}", A::TYPE, event.aggregate_id, event.sequence),
        reason: error.to_string(),
    })
}

/// A snapshot that does not open or parse, or has another form, is as good as none.
async fn snapshot<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: &str,
) -> Result<Option<(A, i64)>, LogError> {
    let row: Option<(i64, serde_json::Value)> = sqlx::query_as(
        "SELECT version, payload FROM snapshots \
         WHERE aggregate_type = $1 AND aggregate_id = $2 AND schema_tag = $3",
    )
    .bind(A::TYPE)
    .bind(id)
    .bind(schema_tag::<A>())
    .fetch_optional(pool)
    .await?;
    let Some((version, mut payload)) = row else { return Ok(None) };
    match vault.open(&mut payload).await {
        Ok(()) => Ok(serde_json::from_value(payload).ok().map(|state| (state, version))),
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
