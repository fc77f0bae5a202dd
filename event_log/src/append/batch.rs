//! The call of `append_batch`: units as arrays, outcomes as rows.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{Appended, NewUnit};
use crate::chain::EventDigest;

/// What `append_batch` said of a unit; `None` when it shares something with an earlier one of the batch.
pub(super) type Outcome = Option<Appended>;

const CALL: &str = "SELECT unit, outcome, first_position, last_position, detail FROM append_batch(\
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)";

/// Sends the units in one statement and returns one outcome per unit, in their order.
pub(super) async fn send(
    connection: &mut PgConnection,
    units: &[&NewUnit],
) -> Result<Vec<Outcome>, sqlx::Error> {
    let expected: Vec<_> = numbered(units, |unit| &unit.expected).collect();
    let events: Vec<_> = numbered(units, |unit| &unit.events).collect();
    let claims: Vec<_> = numbered(units, |unit| &unit.claims).collect();
    let snapshots: Vec<_> = numbered(units, |unit| &unit.snapshots).collect();
    let digests: Vec<Vec<u8>> = events
        .iter()
        .map(|(_, event)| {
            let digest = EventDigest {
                aggregate_type: event.stream.aggregate_type,
                aggregate_id: &event.stream.aggregate_id,
                sequence: event.sequence,
                event_type: &event.event_type,
                event_version: &event.event_version,
                event_id: event.event_id,
                payload: &event.payload,
                metadata: &event.metadata,
                owner: event.owner,
            };
            digest.compute().to_vec()
        })
        .collect();
    let rows = sqlx::query(CALL)
        .bind(column(units, |unit| unit.owner))
        .bind(column(units, |unit| unit.command_id))
        .bind(column(units, |unit| unit.fingerprint.as_slice()))
        .bind(column(units, |unit| unit.outcome.as_str()))
        .bind(column(units, |unit| unit.expires_at))
        .bind(column(&expected, |(unit, _)| *unit))
        .bind(column(&expected, |(_, (stream, _))| stream.aggregate_type))
        .bind(column(&expected, |(_, (stream, _))| stream.aggregate_id.as_str()))
        .bind(column(&expected, |(_, (_, version))| *version))
        .bind(column(&events, |(unit, _)| *unit))
        .bind(column(&events, |(_, event)| event.event_id))
        .bind(column(&events, |(_, event)| event.stream.aggregate_type))
        .bind(column(&events, |(_, event)| event.stream.aggregate_id.as_str()))
        .bind(column(&events, |(_, event)| event.sequence))
        .bind(column(&events, |(_, event)| event.event_type.as_str()))
        .bind(column(&events, |(_, event)| event.event_version.as_str()))
        .bind(column(&events, |(_, event)| event.payload.as_str()))
        .bind(column(&events, |(_, event)| &*event.metadata))
        .bind(column(&events, |(_, event)| event.owner))
        .bind(digests)
        .bind(column(&claims, |(unit, _)| *unit))
        .bind(column(&claims, |(_, claim)| claim.kind))
        .bind(column(&claims, |(_, claim)| claim.key_hash.as_slice()))
        .bind(column(&claims, |(_, claim)| claim.owner))
        .bind(column(&claims, |(_, claim)| claim.taken))
        .bind(column(&snapshots, |(unit, _)| *unit))
        .bind(column(&snapshots, |(_, snapshot)| snapshot.stream.aggregate_type))
        .bind(column(&snapshots, |(_, snapshot)| snapshot.stream.aggregate_id.as_str()))
        .bind(column(&snapshots, |(_, snapshot)| snapshot.version))
        .bind(column(&snapshots, |(_, snapshot)| snapshot.schema_tag.as_str()))
        .bind(column(&snapshots, |(_, snapshot)| snapshot.payload.as_str()))
        .fetch_all(connection)
        .await?;
    if rows.len() != units.len() {
        return Err(sqlx::Error::Protocol(format!("{} outcomes for {} units", rows.len(), units.len())));
    }
    rows.iter().map(outcome).collect()
}

fn numbered<'a, T: 'a>(
    units: &'a [&'a NewUnit],
    part: impl Fn(&'a NewUnit) -> &'a Vec<T> + 'a,
) -> impl Iterator<Item = (i32, &'a T)> + 'a {
    (1..).zip(units).flat_map(move |(number, unit)| part(unit).iter().map(move |item| (number, item)))
}

fn column<'a, T, C>(rows: &'a [T], cell: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(cell).collect()
}

fn outcome(row: &PgRow) -> Result<Outcome, sqlx::Error> {
    let detail = || row.try_get::<Option<String>, _>("detail").map(Option::unwrap_or_default);
    Ok(match row.try_get::<&str, _>("outcome")? {
        "appended" => Some(Appended::Stored {
            first: row.try_get("first_position")?,
            last: row.try_get("last_position")?,
        }),
        "duplicate" => Some(Appended::Duplicate {
            first: row.try_get("first_position")?,
            last: row.try_get("last_position")?,
            outcome: detail()?,
        }),
        "mismatch" => Some(Appended::Mismatch),
        "conflict" => Some(Appended::Conflict { stream: detail()? }),
        "taken" => Some(Appended::Taken { kind: detail()? }),
        "deferred" => None,
        other => return Err(sqlx::Error::Protocol(format!("append_batch said {other}"))),
    })
}
