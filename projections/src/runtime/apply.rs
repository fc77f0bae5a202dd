//! Small things that the `apply` of several read models needs.

use event_log::OpenedEvent;
use sqlx::postgres::PgQueryResult;
use uuid::Uuid;

use super::error::ApplyError;

/// The id of the aggregate that the event belongs to.
pub(crate) fn subject(event: &OpenedEvent) -> Result<Uuid, ApplyError> {
    let id = &event.recorded.aggregate_id;
    id.parse().map_err(|_| ApplyError::poison("the aggregate's id is not a UUID"))
}

/// Accepts a statement that had to change exactly one row.
pub(crate) fn one_row(done: &PgQueryResult, what: &'static str) -> Result<(), ApplyError> {
    match done.rows_affected() {
        1 => Ok(()),
        rows => Err(ApplyError::poison(format!("{what}: {rows} rows instead of one"))),
    }
}

/// A width or height as the database holds it.
pub(crate) fn pixels(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
