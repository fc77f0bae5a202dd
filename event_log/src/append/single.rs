//! The call of `append_event`: the batch that is a single unit with a single event, as plain values.

use sqlx::PgConnection;

use super::{Appended, NewUnit};

const CALL: &str = "SELECT append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Sends the unit. `None` when it is not of that kind, or could not be stored as it is: nothing has changed
/// then, and `append_units` tells why.
pub(super) async fn send(
    connection: &mut PgConnection,
    unit: &NewUnit,
) -> Result<Option<Appended>, sqlx::Error> {
    let ([event], [(stream, version)], [], []) =
        (&*unit.events, &*unit.expected, &*unit.claims, &*unit.snapshots)
    else {
        return Ok(None);
    };
    // The function counts by itself, and the digest covers the number.
    if event.sequence != version + 1 {
        return Ok(None);
    }
    let position: Option<i64> = sqlx::query_scalar(CALL)
        .bind(unit.owner)
        .bind(unit.command_id)
        .bind(&unit.fingerprint)
        .bind(&unit.outcome)
        .bind(unit.expires_at)
        .bind(stream.aggregate_type)
        .bind(stream.aggregate_id)
        .bind(version)
        .bind(event.event_id)
        .bind(&event.event_type)
        .bind(&event.event_version)
        .bind(&event.payload)
        .bind(&unit.metadata)
        .bind(event.digest)
        .bind(unit.event_owner)
        .fetch_one(connection)
        .await?;
    Ok(position.map(|position| Appended::Stored { first: position, last: position }))
}
