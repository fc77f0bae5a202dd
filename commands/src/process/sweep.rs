//! The clean-up of tables: receipts past their end, and work that was done a while ago.
//!
//! Every process of the role `cleanup` has a sweeper, and a lease lets one of them pass over the tables at a time. Socket
//! tickets and rate windows are not among these: their buckets forget by themselves (`nats/src/shared_state.rs`).

use std::time::Duration;

use event_log::expired::{self, SweepLimits};
use event_log::{EventLog, LogError, clock, leases};
use uuid::Uuid;

const LEASE: &str = "cleanup";
/// Whoever swept holds the lease until the next time, so there is one sweep in it, however many processes there are.
const EVERY: Duration = Duration::from_hours(1);
/// The pause until another look at a lease that somebody else holds, and after a failure.
const RETRY: Duration = Duration::from_mins(1);

/// Sweeps from time to time.
#[derive(Debug)]
pub struct Sweeper {
    log: EventLog,
    holder: Uuid,
}

impl Sweeper {
    pub fn new(log: EventLog) -> Self {
        Self { log, holder: clock::new_id() }
    }

    /// The holder of its lease.
    pub fn holder(&self) -> Uuid {
        self.holder
    }

    /// Runs until it is dropped. A sweep that is left in the middle is no harm: the next one does the rest.
    pub async fn run(self) {
        loop {
            let pause = match self.sweep_in_turn().await {
                Ok(true) => EVERY,
                Ok(false) => RETRY,
                Err(error) => {
                    tracing::warn!(%error, "the tables could not be cleaned up");
                    RETRY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// `false` when it is somebody else's turn.
    async fn sweep_in_turn(&self) -> Result<bool, LogError> {
        let pool = self.log.pool();
        if leases::acquire(pool, LEASE, self.holder, EVERY).await?.is_none() {
            return Ok(false);
        }
        let now = expired::now(pool).await?;
        for swept in expired::sweep(pool, now, SweepLimits::default()).await? {
            if swept.rows > 0 {
                tracing::info!(
                    table = swept.expired.table(),
                    rows = swept.rows,
                    "rows past their end are removed"
                );
            }
        }
        Ok(true)
    }
}
