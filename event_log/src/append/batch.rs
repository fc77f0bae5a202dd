//! A batch sent to the log: units as arrays of `append_units`, and what became of each.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres, Row};

use super::{Appended, NewEvent, NewUnit, single};
use crate::chain::{self, Chain};
use crate::clock;

/// What became of a unit; `None` when it shares something with an earlier one of the batch.
pub(super) type Outcome = Option<Appended>;

const COLUMNS: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31";

static UNITS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT base, outcomes, firsts, lasts, details, last_position, last_chain, last_at \
         FROM append_units({COLUMNS}, NULL, NULL, NULL, NULL)"
    )
});
static AHEAD: LazyLock<String> =
    LazyLock::new(|| format!("SELECT append_ahead({COLUMNS}, $32, $33, $34, $35)"));

/// The last event of the log, as this process knows it.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Tip {
    position: i64,
    chain: Chain,
    recorded_at: DateTime<Utc>,
}

impl Tip {
    /// The end of the log once these units are behind this one, and the chain up to there.
    pub(super) fn extend<'a>(&self, units: impl Iterator<Item = &'a NewUnit>) -> (Self, Vec<Chain>) {
        let mut end = Self { recorded_at: clock::now().max(self.recorded_at), ..*self };
        let recorded_at = end.recorded_at.timestamp_micros();
        let link = |event: &NewEvent| {
            end.position += 1;
            end.chain = chain::link(&end.chain, end.position, recorded_at, &event.digest);
            end.chain
        };
        let links = units.flat_map(|unit| &unit.events).map(link).collect();
        (end, links)
    }

    fn of(row: &PgRow) -> Result<Option<Self>, sqlx::Error> {
        let Some(position) = row.try_get(5)? else { return Ok(None) };
        let chain: &[u8] = row.try_get(6)?;
        let chain =
            chain.try_into().map_err(|_| sqlx::Error::Protocol("a chain value is not one".to_owned()))?;
        Ok(Some(Self { position, chain, recorded_at: row.try_get(7)? }))
    }
}

/// The units of a batch, numbered as the function wants them.
struct Numbers {
    /// Of each unit, the places of its first and last event in the batch, from 1.
    firsts: Vec<i32>,
    lasts: Vec<i32>,
    /// Of each stream, event and claim, its unit, from 1.
    stream_units: Vec<i32>,
    event_units: Vec<i32>,
    claim_units: Vec<i32>,
    /// Of each event and snapshot, its stream, from 1.
    event_streams: Vec<i32>,
    snapshot_streams: Vec<i32>,
}

impl Numbers {
    fn of(units: &[&NewUnit]) -> Self {
        let mut numbers = Self {
            firsts: Vec::with_capacity(units.len()),
            lasts: Vec::with_capacity(units.len()),
            stream_units: Vec::with_capacity(units.len()),
            event_units: Vec::with_capacity(units.len()),
            claim_units: Vec::new(),
            event_streams: Vec::with_capacity(units.len()),
            snapshot_streams: Vec::new(),
        };
        for (unit, number) in units.iter().zip(1..) {
            let streams_before = numbers.stream_units.len();
            let stream = |index: usize| count(streams_before + index + 1);
            numbers.firsts.push(count(numbers.event_units.len() + 1));
            numbers.event_streams.extend(unit.events.iter().map(|event| stream(event.stream)));
            numbers.snapshot_streams.extend(unit.snapshots.iter().map(|snapshot| stream(snapshot.stream)));
            numbers.event_units.extend(unit.events.iter().map(|_| number));
            numbers.lasts.push(count(numbers.event_units.len()));
            numbers.stream_units.extend(unit.expected.iter().map(|_| number));
            numbers.claim_units.extend(unit.claims.iter().map(|_| number));
        }
        numbers
    }

    /// Where the units are if all were stored behind `base`.
    fn stored(&self, base: i64) -> impl Iterator<Item = Appended> {
        let spans = self.firsts.iter().zip(&self.lasts);
        spans.map(move |(first, last)| Appended::Stored {
            first: base + i64::from(*first),
            last: base + i64::from(*last),
        })
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Sends the units and returns one outcome per unit, in their order, and the end of the log if the function told it.
pub(super) async fn send(
    connection: &mut PgConnection,
    units: &[&NewUnit],
) -> Result<(Vec<Outcome>, Option<Tip>), sqlx::Error> {
    if let [unit] = units
        && let Some(stored) = single::send(connection, unit).await?
    {
        return Ok((vec![Some(stored)], None));
    }
    let numbers = Numbers::of(units);
    let row = bind(&UNITS, units, &numbers).fetch_one(connection).await?;
    let tip = Tip::of(&row)?;
    let outcomes = match row.try_get::<Option<i64>, _>(0)? {
        Some(base) => numbers.stored(base).map(Some).collect(),
        None => outcomes(&row, units.len())?,
    };
    Ok((outcomes, tip))
}

/// Sends the units as what follows `tip`, which may still be under way. `None` when somebody else is about to write;
/// what else is not as expected is an error. Neither leaves anything behind.
pub(super) async fn send_ahead(
    connection: &mut PgConnection,
    units: &[&NewUnit],
    tip: &Tip,
    end: &Tip,
    links: &[Chain],
) -> Result<Option<Vec<Appended>>, sqlx::Error> {
    let numbers = Numbers::of(units);
    let row = bind(&AHEAD, units, &numbers)
        .bind(tip.position)
        .bind(tip.chain)
        .bind(end.recorded_at)
        .bind(links)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get::<bool, _>(0)?.then(|| numbers.stored(tip.position).collect()))
}

fn bind<'q>(call: &'q str, units: &[&'q NewUnit], numbers: &'q Numbers) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(call)
        .bind(of_units(units, |unit| unit.owner))
        .bind(of_units(units, |unit| unit.command_id))
        .bind(of_units(units, |unit| unit.fingerprint.as_slice()))
        .bind(of_units(units, |unit| unit.outcome.as_str()))
        .bind(of_units(units, |unit| unit.expires_at))
        .bind(of_units(units, |unit| unit.metadata.as_str()))
        .bind(of_units(units, |unit| unit.event_owner))
        .bind(&numbers.firsts)
        .bind(&numbers.lasts)
        .bind(&numbers.stream_units)
        .bind(of_parts(units, |unit| &unit.expected, |(stream, _)| stream.aggregate_type))
        .bind(of_parts(units, |unit| &unit.expected, |(stream, _)| stream.aggregate_id))
        .bind(of_parts(units, |unit| &unit.expected, |(_, version)| *version))
        .bind(&numbers.event_units)
        .bind(&numbers.event_streams)
        .bind(of_parts(units, |unit| &unit.events, |event| event.sequence))
        .bind(of_parts(units, |unit| &unit.events, |event| event.event_id))
        .bind(of_parts(units, |unit| &unit.events, |event| event.event_type.as_str()))
        .bind(of_parts(units, |unit| &unit.events, |event| event.event_version.as_str()))
        .bind(of_parts(units, |unit| &unit.events, |event| event.payload.as_str()))
        .bind(of_parts(units, |unit| &unit.events, |event| event.digest))
        .bind(&numbers.claim_units)
        .bind(of_parts(units, |unit| &unit.claims, |claim| claim.kind))
        .bind(of_parts(units, |unit| &unit.claims, |claim| claim.key_hash.as_slice()))
        .bind(of_parts(units, |unit| &unit.claims, |claim| claim.owner))
        .bind(of_parts(units, |unit| &unit.claims, |claim| claim.taken))
        .bind(&numbers.snapshot_streams)
        .bind(of_parts(units, |unit| &unit.snapshots, |snapshot| snapshot.version))
        .bind(of_parts(units, |unit| &unit.snapshots, |snapshot| snapshot.schema_tag.as_str()))
        .bind(of_parts(units, |unit| &unit.snapshots, |snapshot| snapshot.payload.as_str()))
        .bind(units.iter().any(|unit| unit.expects_unwritten()))
}

fn of_units<'a, C>(units: &[&'a NewUnit], cell: impl Fn(&'a NewUnit) -> C) -> Vec<C> {
    units.iter().map(|unit| cell(unit)).collect()
}

fn of_parts<'a, T: 'a, C>(
    units: &[&'a NewUnit],
    parts: impl Fn(&'a NewUnit) -> &'a Vec<T>,
    cell: impl Fn(&'a T) -> C,
) -> Vec<C> {
    let mut column = Vec::with_capacity(units.len());
    for unit in units {
        column.extend(parts(unit).iter().map(&cell));
    }
    column
}

/// What became of each unit of a batch that could not be stored as it was.
fn outcomes(row: &PgRow, units: usize) -> Result<Vec<Outcome>, sqlx::Error> {
    let outcomes: Vec<String> = row.try_get(1)?;
    let firsts: Vec<Option<i64>> = row.try_get(2)?;
    let lasts: Vec<Option<i64>> = row.try_get(3)?;
    let details: Vec<Option<String>> = row.try_get(4)?;
    if [outcomes.len(), firsts.len(), lasts.len(), details.len()] != [units; 4] {
        return Err(sqlx::Error::Protocol(format!("{} outcomes for {units} units", outcomes.len())));
    }
    let rows = outcomes.iter().zip(firsts).zip(lasts).zip(details);
    rows.map(|(((outcome, first), last), detail)| {
        let position = |position: Option<i64>| {
            position.ok_or_else(|| sqlx::Error::Protocol("a stored unit has no position".to_owned()))
        };
        let detail = detail.unwrap_or_default();
        Ok(match outcome.as_str() {
            "appended" => Some(Appended::Stored { first: position(first)?, last: position(last)? }),
            "duplicate" => {
                Some(Appended::Duplicate { first: position(first)?, last: position(last)?, outcome: detail })
            }
            "mismatch" => Some(Appended::Mismatch),
            "conflict" => Some(Appended::Conflict { stream: detail }),
            "taken" => Some(Appended::Taken { kind: detail }),
            "deferred" => None,
            other => return Err(sqlx::Error::Protocol(format!("append_units said {other}"))),
        })
    })
    .collect()
}
