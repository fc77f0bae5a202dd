//! The calls of the SQL functions in `migrations/0003_append.sql`, and their answers.

use sqlx::postgres::{PgDatabaseError, PgRow};
use sqlx::{PgConnection, Row};

use super::rows::Rows;
use super::tip::{Place, Tip};
use super::{Appended, NewUnit};
use crate::error::is_transient;
use crate::{Position, Version};

const APPEND: &str = "SELECT base, last_chain, last_at FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const APPEND_EVENT: &str =
    "SELECT append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const EXPLAIN: &str = "SELECT verdict, first_position, last_position, detail FROM explain_units($1, $2, $3)";

/// The answer of the database to a batch.
#[derive(Debug)]
pub(super) enum Answer {
    /// Every unit is stored. `end` is the end of the log then, where the function told it.
    Stored { units: Vec<Appended>, end: Option<Tip> },
    /// Nothing is stored, for the sake of some units, which have their outcome. The others are `None`: they may be
    /// sent again.
    Explained(Vec<Option<Appended>>),
    /// Nothing is stored: the log does not end where the batch was placed, or somebody else is about to write.
    Displaced,
    /// Nothing is stored, and the same batch would be refused again.
    Refused { reason: String },
}

/// Sends a batch: behind the end of the log wherever that is, or to its place.
///
/// # Errors
/// When the outcome is not known; the connection is not to be used again.
pub(super) async fn send(
    connection: &mut PgConnection,
    units: &[&NewUnit],
    place: Option<&Place>,
) -> Result<Answer, sqlx::Error> {
    let stored = match (single(units), place) {
        (Some(event), None) => append_event(connection, &event).await,
        (_, place) => append(connection, units, place).await,
    };
    let error = match stored {
        Err(sqlx::Error::Database(error)) => error,
        answer => return answer,
    };
    match Misfit::of(error.downcast_ref()) {
        Misfit::Passing => Err(sqlx::Error::Database(error)),
        Misfit::OfUnits => explain(connection, units).await,
        Misfit::OfPlace => Ok(Answer::Displaced),
        Misfit::ForEver => Ok(Answer::Refused { reason: error.message().to_owned() }),
    }
}

/// The meaning of an error of `append`, as its header explains it.
enum Misfit {
    /// The database failed; the outcome may be unknown.
    Passing,
    OfUnits,
    OfPlace,
    ForEver,
}

impl Misfit {
    fn of(error: &PgDatabaseError) -> Self {
        match (error.code(), error.constraint()) {
            ("RX001", _) | ("23505", Some("events_pkey")) => Self::OfPlace,
            ("RX002", _) | ("23505", Some("events_stream_key" | "command_receipts_pkey" | "claims_pkey")) => {
                Self::OfUnits
            }
            (code, _) if is_transient(Some(code)) => Self::Passing,
            _ => Self::ForEver,
        }
    }
}

async fn append(
    connection: &mut PgConnection,
    units: &[&NewUnit],
    place: Option<&Place>,
) -> Result<Answer, sqlx::Error> {
    let rows = Rows::of(units);
    let row = sqlx::query(APPEND)
        .bind(&rows.units)
        .bind(rows.streams_to_look_at())
        .bind(&rows.events)
        .bind(&rows.claims)
        .bind(&rows.snapshots)
        .bind(place.map(|place| place.tip.position))
        .bind(place.map(|place| place.tip.chain))
        .bind(place.map(|place| place.end.recorded_at))
        .bind(place.map(|place| &place.links))
        .fetch_one(connection)
        .await?;
    let Some(base) = row.try_get::<Option<Position>, _>(0)? else { return Ok(Answer::Displaced) };
    let chain =
        row.try_get::<&[u8], _>(1)?.try_into().map_err(|_| protocol("a chain value has another size"))?;
    let last = base.plus(i64::try_from(rows.events.len()).unwrap_or(i64::MAX));
    let stored = rows.units.iter().map(|unit| Appended::Stored {
        first: base.plus(i64::from(unit.first_event)),
        last: base.plus(i64::from(unit.last_event)),
    });
    let end = Some(Tip { position: last, chain, recorded_at: row.try_get(2)? });
    Ok(Answer::Stored { units: stored.collect(), end })
}

/// A batch that is a single unit with a single event.
struct Single<'a> {
    unit: &'a NewUnit,
    version: Version,
}

fn single<'a>(units: &[&'a NewUnit]) -> Option<Single<'a>> {
    let [unit] = units else { return None };
    let ([event], [(_, version)], [], []) = (&*unit.events, &*unit.expected, &*unit.claims, &*unit.snapshots)
    else {
        return None;
    };
    // The function counts by itself, and the digest covers the number.
    (event.sequence == version.next().get()).then_some(Single { unit, version: *version })
}

async fn append_event(connection: &mut PgConnection, single: &Single<'_>) -> Result<Answer, sqlx::Error> {
    let (unit, event, stream) = (single.unit, &single.unit.events[0], single.unit.expected[0].0);
    let position = sqlx::query_scalar(APPEND_EVENT)
        .bind(unit.owner)
        .bind(unit.command_id)
        .bind(&unit.fingerprint)
        .bind(&unit.outcome)
        .bind(unit.expires_at)
        .bind(stream.aggregate_type)
        .bind(stream.aggregate_id)
        .bind(single.version)
        .bind(event.event_id)
        .bind(&event.event_type)
        .bind(&event.event_version)
        .bind(&event.payload)
        .bind(&unit.metadata)
        .bind(event.digest)
        .bind(unit.event_owner)
        .fetch_one(connection)
        .await?;
    Ok(Answer::Stored { units: vec![Appended::Stored { first: position, last: position }], end: None })
}

/// Asks which units are the reason why nothing was stored.
async fn explain(connection: &mut PgConnection, units: &[&NewUnit]) -> Result<Answer, sqlx::Error> {
    let rows = Rows::of(units);
    let verdicts = sqlx::query(EXPLAIN)
        .bind(&rows.units)
        .bind(&rows.streams)
        .bind(&rows.claims)
        .fetch_all(connection)
        .await?;
    if verdicts.len() != units.len() {
        return Err(protocol("there is not one verdict for each unit"));
    }
    Ok(Answer::Explained(verdicts.iter().map(verdict).collect::<Result<_, _>>()?))
}

fn verdict(row: &PgRow) -> Result<Option<Appended>, sqlx::Error> {
    Ok(Some(match row.try_get(0)? {
        "fine" => return Ok(None),
        "duplicate" => Appended::Duplicate { last: row.try_get(2)?, outcome: row.try_get(3)? },
        "mismatch" => Appended::Mismatch,
        "conflict" => Appended::Conflict { stream: row.try_get(3)? },
        "taken" => Appended::Taken { kind: row.try_get(3)? },
        _ => return Err(protocol("explain_units gave a verdict that is not known")),
    }))
}

fn protocol(fault: &str) -> sqlx::Error {
    sqlx::Error::Protocol(fault.to_owned())
}
