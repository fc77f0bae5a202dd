//! The connection that events are applied on.

use event_log::{EventLog, LogError};
use sqlx::{ConnectOptions, PgConnection};

/// Opens a connection for one worker alone. It does not wait for the disk: rows and checkpoint are lost or kept
/// together, and lost events are applied again from the log. A worker that was paused or cut off in the middle
/// of a transaction loses it: the row of the checkpoint must not stay locked for those who take over.
pub(super) async fn connect(log: &EventLog) -> Result<PgConnection, LogError> {
    let options = log.pool().connect_options().as_ref().clone();
    let options = options.options([
        ("synchronous_commit", "off"),
        ("jit", "off"),
        // The statements are many and small: their plans are kept.
        ("plan_cache_mode", "auto"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]);
    Ok(options.connect().await?)
}
