//! The calls of the SQL functions in `migrations/0003_append.sql`, and their answers.

use sqlx::PgConnection;
use sqlx::postgres::PgDatabaseError;

use super::rows::Rows;
use super::tip::{Place, Tip};
use super::{Appended, NewUnit};
use crate::authentic::AuthenticationValue;
use crate::chain::Chain;
use crate::error::is_transient;
use crate::{Position, Version, barrier};

/// The answer of the database to a batch.
#[derive(Debug)]
pub(super) enum Answer {
    /// Every unit is stored. `end` is the end of the log then, where the function told it.
    Stored { units: Vec<Appended>, end: Option<Tip> },
    /// Nothing is stored, for the sake of units that have their outcome, where one was found. The others are `None`: they may be
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
    match Misfit::of(error.downcast_ref(), place.is_some()) {
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
    fn of(error: &PgDatabaseError, is_ahead: bool) -> Self {
        match (error.code(), error.constraint()) {
            ("RX001", _) | ("23505", Some("events_pkey")) => Self::OfPlace,
            ("RX002", _) | ("23505", Some("events_stream_key" | "command_receipts_pkey" | "claims_pkey")) => {
                Self::OfUnits
            }
            // A batch ahead that was rolled back to end a deadlock goes at the lock.
            (code, _) if is_ahead && code.starts_with("40") => Self::OfPlace,
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
    let row = sqlx::query!(
        r#"
        SELECT base AS "base: Position", last_chain AS "last_chain: Chain", last_at
        FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        &rows.units as _,
        rows.streams_to_look_at() as _,
        &rows.events as _,
        &rows.claims as _,
        &rows.snapshots as _,
        place.map(|place| place.tip.position) as _,
        place.map(|place| place.tip.chain) as _,
        place.map(|place| place.end.recorded_at) as _,
        place.map(|place| &place.links) as _,
    );
    let row = row.fetch_one(connection).await?;
    let Some(base) = row.base else { return Ok(Answer::Displaced) };
    let (Some(chain), Some(recorded_at)) = (row.last_chain, row.last_at) else {
        return Err(protocol("append gave a base without an end"));
    };
    let last = base.plus(i64::try_from(rows.events.len()).unwrap_or(i64::MAX));
    let stored = rows.units.iter().map(|unit| Appended::Stored {
        first: base.plus(i64::from(unit.first_event)),
        last: base.plus(i64::from(unit.last_event)),
    });
    let end = Some(Tip { position: last, chain, recorded_at });
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
    let position = sqlx::query_scalar!(
        r#"
        SELECT append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            AS "position!: Position"
        "#,
        unit.owner,
        unit.command_id,
        unit.fingerprint,
        unit.outcome,
        unit.expires_at,
        stream.aggregate_type,
        stream.aggregate_id,
        single.version.get(),
        event.event_id,
        event.event_type,
        event.event_version,
        event.payload,
        unit.metadata,
        event.digest as Chain,
        event.authentication as AuthenticationValue,
        unit.event_owner,
    );
    let position = position.fetch_one(connection).await?;
    Ok(Answer::Stored { units: vec![Appended::Stored { first: position, last: position }], end: None })
}

/// Asks which units are the reason why nothing was stored.
async fn explain(connection: &mut PgConnection, units: &[&NewUnit]) -> Result<Answer, sqlx::Error> {
    let rows = Rows::of(units);
    let verdicts = sqlx::query_as!(
        Verdict,
        r#"
        SELECT
            verdict AS "verdict!",
            last_position AS "last: Position",
            detail
        FROM explain_units($1, $2, $3)
        "#,
        &rows.units as _,
        &rows.streams as _,
        &rows.claims as _,
    );
    let verdicts = verdicts.fetch_all(&mut *connection).await?;
    if verdicts.iter().any(|verdict| verdict.verdict == "duplicate") {
        // The first answer was lost perhaps, with the wait for the standbys.
        barrier::wait(connection).await?;
    }
    if verdicts.len() != units.len() {
        return Err(protocol("there is not one verdict for each unit"));
    }
    Ok(Answer::Explained(verdicts.into_iter().map(Verdict::outcome).collect::<Result<_, _>>()?))
}

/// The verdict of `explain_units` on a unit.
struct Verdict {
    verdict: String,
    last: Option<Position>,
    detail: Option<String>,
}

impl Verdict {
    fn outcome(self) -> Result<Option<Appended>, sqlx::Error> {
        Ok(Some(match (self.verdict.as_str(), self.last, self.detail) {
            ("fine", ..) => return Ok(None),
            ("duplicate", Some(last), Some(outcome)) => Appended::Duplicate { last, outcome },
            ("mismatch", ..) => Appended::Mismatch,
            ("conflict", _, Some(stream)) => Appended::Conflict { stream },
            ("taken", _, Some(kind)) => Appended::Taken { kind },
            _ => return Err(protocol("explain_units gave a verdict that is not known")),
        }))
    }
}

fn protocol(fault: &str) -> sqlx::Error {
    sqlx::Error::Protocol(fault.to_owned())
}
