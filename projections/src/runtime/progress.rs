//! The progress of projections, as every process can see it: it is in the database, wherever the workers run.

use std::time::Duration;

use chrono::{DateTime, Utc};
use event_log::{EventLog, LogError, Position};
use serde::Serialize;
use sqlx::PgPool;

use crate::every::all;

/// A checkpoint that stands still for so long while events wait has a stalled worker.
pub const STALLED_AFTER: Duration = Duration::from_secs(30);

/// A projection whose oldest waiting event is younger is not behind: it is about to apply it.
const FOLLOWS_WITHIN_SECONDS: f64 = 1.0;

/// The state of a projection, told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Following,
    /// Events wait and the checkpoint moves.
    Behind,
    /// Events wait and the checkpoint does not move: the lease is orphaned, the worker hangs, none runs.
    Stalled,
    /// The next event cannot be applied and must not be skipped.
    Stopped,
}

impl State {
    /// Tells that somebody has to look.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Stalled | Self::Stopped)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Behind => "behind",
            Self::Stalled => "stalled",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a projection stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// The event that cannot be applied.
    pub position: Position,
    pub reason: String,
    pub at: DateTime<Utc>,
}

/// The distance of a projection from the end of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    pub projection: String,
    pub position: Position,
    /// Events that it has not seen yet.
    pub behind: i64,
    /// The age of the oldest of them by the database's clock; 0 when there is none.
    pub seconds_behind: f64,
    /// Events that it could not apply.
    pub parked: i64,
    pub state: State,
    pub stop: Option<Stop>,
}

struct Found {
    projection: String,
    position: Position,
    behind: i64,
    seconds_behind: f64,
    seconds_still: Option<f64>,
    parked: i64,
    stop_reason: Option<String>,
    stopped_at: Option<DateTime<Utc>>,
}

impl Found {
    fn state(&self, stalled_after: Duration) -> State {
        let patience = stalled_after.as_secs_f64();
        // A checkpoint that does not exist has never moved.
        let still = self.seconds_still.unwrap_or(f64::INFINITY);
        match self {
            _ if self.stop_reason.is_some() => State::Stopped,
            _ if self.behind == 0 => State::Following,
            _ if self.seconds_behind >= patience && still >= patience => State::Stalled,
            _ if self.seconds_behind >= FOLLOWS_WITHIN_SECONDS => State::Behind,
            _ => State::Following,
        }
    }

    fn progress(self, stalled_after: Duration) -> Progress {
        let state = self.state(stalled_after);
        let stop = self.stop_reason.zip(self.stopped_at);
        Progress {
            projection: self.projection,
            position: self.position,
            behind: self.behind,
            seconds_behind: self.seconds_behind,
            parked: self.parked,
            state,
            stop: stop.map(|(reason, at)| Stop { position: self.position.next(), reason, at }),
        }
    }
}

/// The progress of every projection that there is or that ever ran. A projection that never ran is at the beginning.
pub async fn progress(log: &EventLog, stalled_after: Duration) -> Result<Vec<Progress>, LogError> {
    let names: Vec<&str> = all().iter().map(|projection| projection.spec().name).collect();
    let rows = sqlx::query_as!(
        Found,
        r#"
        WITH log AS (
            SELECT floor_position AS floor, coalesce((SELECT max(position) FROM events), floor_position) AS head
            FROM log_identity),
        stands AS (
            SELECT
                coalesce(known.name, c.projection) AS projection,
                coalesce(c.position, log.floor) AS position,
                log.head,
                c.updated_at,
                c.stop_reason,
                c.stopped_at
            FROM unnest($1::text[]) AS known (name)
            FULL JOIN checkpoints AS c ON c.projection = known.name CROSS JOIN log)
        SELECT
            s.projection AS "projection!",
            s.position AS "position!: Position",
            greatest(s.head - s.position, 0) AS "behind!",
            s.stop_reason AS "stop_reason?",
            s.stopped_at AS "stopped_at?",
            coalesce(greatest(extract(epoch FROM clock_timestamp() - next.recorded_at), 0), 0)::float8
                AS "seconds_behind!",
            extract(epoch FROM clock_timestamp() - s.updated_at)::float8 AS "seconds_still?",
            (SELECT count(*) FROM parked_events AS p WHERE p.projection = s.projection) AS "parked!"
        FROM stands AS s
        LEFT JOIN events AS next ON next.position = s.position + 1
        ORDER BY s.projection
        "#,
        names as _,
    )
    .fetch_all(log.pool())
    .await?;
    Ok(rows.into_iter().map(|row| row.progress(stalled_after)).collect())
}

/// Tells that a worker at `position` has to start again: its checkpoint was set back or is gone, as after a restore, or
/// an operator wants parked events to be tried again.
pub(super) async fn must_start_again(
    pool: &PgPool,
    projection: &str,
    position: Position,
) -> Result<bool, LogError> {
    let must = sqlx::query_scalar!(
        r#"
        SELECT NOT EXISTS (SELECT 1 FROM checkpoints WHERE projection = $1 AND position >= $2)
            OR EXISTS (SELECT 1 FROM parked_events WHERE projection = $1 AND retry_requested_at IS NOT NULL)
            AS "must!"
        "#,
        projection,
        position.get(),
    );
    Ok(must.fetch_one(pool).await?)
}
