//! Batches under way: each is sent as what follows the one before, whose end is known before it is stored.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

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

/// A batch is sent behind one that has no answer yet only while what was sent before fitted so short a time ago: two
/// processes that both are two batches ahead can wait for each other, until the database ends that after a second.
/// To be two ahead the other must have stored two batches meanwhile.
const PROOF_AGE_MAX: Duration = Duration::from_millis(5);
/// After each further failure in a row twice as many batches go under the lock, up to so many.
const REST_BATCHES_MAX: u32 = 64;

#[derive(Default)]
pub(super) struct Ahead {
    /// In the order in which they were sent, as they are stored.
    pub(super) under_way: FuturesOrdered<BoxFuture<'static, Sent>>,
    /// Of each batch under way.
    pub(super) seen: VecDeque<Seen>,
    /// Of all batches under way.
    pub(super) units: usize,
    /// The end of the log once all that is under way is stored. `None` while others write, and after a failure.
    tip: Option<Tip>,
    /// When the last batch fitted, and whether those under way were sent soon after one.
    fitted_at: Option<Instant>,
    is_proven: bool,
    /// So many batches still go under the lock, and so many will after the next failure.
    rest_batches: u32,
    next_rest_batches: u32,
}

impl Ahead {
    /// What the next batch would follow, if it may go ahead.
    pub(super) fn tip(&self) -> Option<Tip> {
        self.tip.filter(|_| self.rest_batches == 0)
    }

    /// Whether a batch may be sent behind those under way.
    pub(super) fn may_be_followed(&self) -> bool {
        self.under_way.is_empty() || self.is_proven
    }

    /// A batch was stored under the lock, and the function told the end of the log if it did.
    pub(super) fn learn(&mut self, tip: Option<Tip>) {
        self.tip = tip;
        self.rest_batches = self.rest_batches.saturating_sub(1);
    }

    /// Others move the end of the log.
    pub(super) fn forget(&mut self) {
        self.tip = None;
    }

    /// Sends the batch behind `tip`. It goes out once `under_way` is polled.
    pub(super) fn send(&mut self, mut connection: PgConnection, batch: Vec<Pending>, seen: Seen, tip: Tip) {
        let (end, links) = tip.extend(batch.iter().map(|pending| &pending.unit));
        if self.under_way.is_empty() {
            self.is_proven = self.fitted_at.is_some_and(|at| at.elapsed() < PROOF_AGE_MAX);
        }
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

    /// The first batch under way is no longer: it fitted, or nothing behind it does either.
    pub(super) fn settled(&mut self, units: usize, fitted: bool) {
        self.units -= units;
        self.seen.pop_front();
        if fitted {
            self.fitted_at = Some(Instant::now());
            self.next_rest_batches = 0;
        } else if self.tip.take().is_some() {
            self.rest_batches = self.next_rest_batches;
            self.next_rest_batches = (self.next_rest_batches * 2).clamp(1, REST_BATCHES_MAX);
        }
    }
}
