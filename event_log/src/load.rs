//! Loads an aggregate: snapshot and tail, else the whole stream. Nothing is believed that this log did not write.
//!
//! Not through postgres-es, which gives neither the id of an event nor the exact text that its authentication value
//! covers.

use cqrs_es::Aggregate;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use uuid::Uuid;

use crate::authentic::{Forged, SnapshotDigest};
use crate::chain::EventDigest;
use crate::seal::Place;
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
    let (state, version) = snapshot::<A>(pool, vault, id).await?.unwrap_or((A::default(), Version::ZERO));
    advance(pool, vault, id, state, version).await
}

/// Applies what was appended after `version`.
///
/// # Errors
/// `Forged` at an event that this log did not write: no decision may rest on a stream that somebody else wrote to.
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
        SELECT sequence, event_type, event_version, payload::text AS "payload!", metadata::text AS "metadata!",
               event_id, owner_id, authentication
        FROM events
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
        let digest = EventDigest {
            aggregate_type: A::TYPE,
            aggregate_id: &aggregate_id,
            sequence: event.sequence,
            event_type: &event.event_type,
            event_version: &event.event_version,
            event_id: event.event_id,
            payload: &event.payload,
            metadata: &event.metadata,
            owner: event.owner_id,
        };
        if !vault.authenticator().has_value(&digest.compute(), &event.authentication) {
            let stream = format!("{}/{aggregate_id}", A::TYPE);
            vault.authenticator().alarm(Forged::Event, &format!("{stream} at sequence {version}"));
            return Err(LogError::Forged { stream });
        }
        let stored = Stored {
            aggregate_type: A::TYPE,
            aggregate_id: &aggregate_id,
            sequence: event.sequence,
            event_type: &event.event_type,
            event_version: &event.event_version,
            owner: event.owner_id,
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

/// A snapshot that does not open or parse, has another form, or was not made by this log, is as good as none.
async fn snapshot<A: Aggregate>(
    pool: &PgPool,
    vault: &Vault,
    id: Uuid,
) -> Result<Option<(A, Version)>, LogError> {
    let (aggregate_id, schema_tag) = (id.to_string(), vault.schema_tag(A::TYPE));
    let row = sqlx::query!(
        r#"
        SELECT s.version AS "version: Version", s.payload::text AS "payload!", s.event_id, s.authentication
        FROM snapshots AS s
        JOIN events AS e ON e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id
            AND e.sequence = s.version AND e.event_id = s.event_id
        WHERE s.aggregate_type = $1 AND s.aggregate_id = $2 AND s.schema_tag = $3
        "#,
        A::TYPE,
        aggregate_id,
        schema_tag
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let digest = SnapshotDigest {
        aggregate_type: A::TYPE,
        aggregate_id: &aggregate_id,
        version: row.version,
        schema_tag: &schema_tag,
        event_id: row.event_id,
        payload: &row.payload,
    };
    if !vault.authenticator().is_snapshot(&digest, &row.authentication) {
        vault.authenticator().alarm(Forged::Snapshot, &format!("{}/{aggregate_id}", A::TYPE));
        return Ok(None);
    }
    let place =
        Place::Snapshot { aggregate_type: A::TYPE, aggregate_id: &aggregate_id, version: row.version };
    match vault.open(&row.payload, place).await {
        Ok(payload) => Ok(parse(&payload).ok().map(|state| (state, row.version))),
        Err(LogError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
