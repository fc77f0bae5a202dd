//! The composite types of `migrations/0003_append.sql`: the rows that a batch is sent as.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
use sqlx::{Postgres, Type};
use uuid::Uuid;

use super::NewUnit;
use crate::Version;
use crate::authentic::AuthenticationValue;
use crate::cache::StreamKey;
use crate::chain::Chain;

#[derive(sqlx::Encode)]
pub(super) struct UnitRow<'a> {
    owner: Uuid,
    command_id: Uuid,
    fingerprint: &'a [u8],
    outcome: &'a str,
    expires_at: Option<DateTime<Utc>>,
    /// The places of its first and its last event in the batch, from 1.
    pub(super) first_event: i32,
    pub(super) last_event: i32,
}

#[derive(sqlx::Encode)]
pub(super) struct StreamRow {
    /// The place of the unit in the batch, from 1.
    unit: i32,
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    version: Version,
    is_written: bool,
}

#[derive(sqlx::Encode)]
pub(super) struct EventRow<'a> {
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    sequence: i64,
    event_type: &'a str,
    event_version: &'a str,
    payload: &'a str,
    metadata: &'a str,
    event_id: Uuid,
    owner_id: Option<Uuid>,
    digest: Chain,
    authentication: AuthenticationValue,
}

#[derive(sqlx::Encode)]
pub(super) struct ClaimRow<'a> {
    /// The place of the unit in the batch, from 1.
    unit: i32,
    kind: &'static str,
    key_hash: &'a [u8],
    owner: Uuid,
    is_taken: bool,
}

#[derive(sqlx::Encode)]
pub(super) struct SnapshotRow<'a> {
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    version: Version,
    schema_tag: &'a str,
    payload: &'a str,
    event_id: Uuid,
    authentication: AuthenticationValue,
}

/// Names the types in the database. The derive of sqlx does not take a lifetime.
macro_rules! is_composite {
    ($($row:ty => $name:literal, $array:literal;)+) => {$(
        impl Type<Postgres> for $row {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($name)
            }
        }

        impl PgHasArrayType for $row {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($array)
            }
        }
    )+};
}

is_composite! {
    UnitRow<'_> => "new_unit", "_new_unit";
    StreamRow => "expected_stream", "_expected_stream";
    EventRow<'_> => "new_event", "_new_event";
    ClaimRow<'_> => "claim_change", "_claim_change";
    SnapshotRow<'_> => "new_snapshot", "_new_snapshot";
}

/// A batch as rows.
pub(super) struct Rows<'a> {
    pub(super) units: Vec<UnitRow<'a>>,
    pub(super) streams: Vec<StreamRow>,
    pub(super) events: Vec<EventRow<'a>>,
    pub(super) claims: Vec<ClaimRow<'a>>,
    pub(super) snapshots: Vec<SnapshotRow<'a>>,
}

impl<'a> Rows<'a> {
    pub(super) fn of(units: &[&'a NewUnit]) -> Self {
        let mut rows = Self {
            units: Vec::with_capacity(units.len()),
            streams: Vec::with_capacity(units.len()),
            events: Vec::with_capacity(units.len()),
            claims: Vec::new(),
            snapshots: Vec::new(),
        };
        for (unit, place) in units.iter().zip(1..) {
            rows.add(unit, place);
        }
        rows
    }

    fn add(&mut self, unit: &'a NewUnit, place: i32) {
        let key = |stream: usize| -> StreamKey { unit.expected[stream].0 };
        let before = self.events.len();
        self.events.extend(unit.events.iter().map(|event| EventRow {
            aggregate_type: key(event.stream).aggregate_type,
            aggregate_id: key(event.stream).aggregate_id,
            sequence: event.sequence,
            event_type: &event.event_type,
            event_version: &event.event_version,
            payload: &event.payload,
            metadata: &unit.metadata,
            event_id: event.event_id,
            owner_id: unit.event_owner,
            digest: event.digest,
            authentication: event.authentication,
        }));
        self.units.push(UnitRow {
            owner: unit.owner,
            command_id: unit.command_id,
            fingerprint: &unit.fingerprint,
            outcome: &unit.outcome,
            expires_at: unit.expires_at,
            first_event: count(before + 1),
            last_event: count(self.events.len()),
        });
        self.streams.extend(unit.expected.iter().enumerate().map(|(stream, (key, version))| StreamRow {
            unit: place,
            aggregate_type: key.aggregate_type,
            aggregate_id: key.aggregate_id,
            version: *version,
            is_written: unit.events.iter().any(|event| event.stream == stream),
        }));
        self.claims.extend(unit.claims.iter().map(|claim| ClaimRow {
            unit: place,
            kind: claim.kind,
            key_hash: &claim.key_hash,
            owner: claim.owner,
            is_taken: claim.taken,
        }));
        self.snapshots.extend(unit.snapshots.iter().map(|snapshot| SnapshotRow {
            aggregate_type: key(snapshot.stream).aggregate_type,
            aggregate_id: key(snapshot.stream).aggregate_id,
            version: snapshot.version,
            schema_tag: &snapshot.schema_tag,
            payload: &snapshot.payload,
            event_id: snapshot.event_id,
            authentication: snapshot.authentication,
        }));
    }

    /// The streams that no constraint of the database watches: `append` has to look at them.
    pub(super) fn streams_to_look_at(&self) -> Vec<&StreamRow> {
        self.streams.iter().filter(|stream| stream.version > Version::ZERO || !stream.is_written).collect()
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
