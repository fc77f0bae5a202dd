//! Batches under way: each is sent as what follows the one before, whose end is known before it is stored.

use std::collections::VecDeque;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesOrdered;
use sqlx::PgConnection;
use tokio::time::Instant;

use super::batch::{self, Tip};
use super::queue::{Pending, Seen};
use super::{Appended, NewUnit};

/// A batch that was sent, with its answer.
pub(super) struct Sent {
    pub(super) batch: Vec<Pending>,
    pub(super) connection: PgConnection,
    pub(super) begun: Instant,
    pub(super) result: Result<Option<Vec<Appended>>, sqlx::Error>,
}

#[derive(Default)]
pub(super) struct Ahead {
    /// In the order in which they were sent, as they are stored.
    pub(super) under_way: FuturesOrdered<BoxFuture<'static, Sent>>,
    /// Of each batch under way.
    pub(super) seen: VecDeque<Seen>,
    /// Of all batches under way.
    pub(super) units: usize,
    /// The end of the log once all that is under way is stored. `None` while others write, and after a failure.
    pub(super) tip: Option<Tip>,
}

impl Ahead {
    /// Sends the batch behind `tip`. It goes out once `under_way` is polled.
    pub(super) fn send(&mut self, mut connection: PgConnection, batch: Vec<Pending>, seen: Seen, tip: Tip) {
        let (end, links) = tip.extend(batch.iter().map(|pending| &pending.unit));
        self.tip = Some(end);
        self.units += batch.len();
        self.seen.push_back(seen);
        let sent = async move {
            let begun = Instant::now();
            let units: Vec<&NewUnit> = batch.iter().map(|pending| &pending.unit).collect();
            let result = batch::send_ahead(&mut connection, &units, &tip, &end, &links).await;
            Sent { batch, connection, begun, result }
        };
        self.under_way.push_back(sent.boxed());
    }

    /// The first batch under way is no longer.
    pub(super) fn settled(&mut self, units: usize) {
        self.units -= units;
        self.seen.pop_front();
    }
}
