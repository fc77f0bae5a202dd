//! Batches under way, in the order in which they were sent, as they are stored.

use std::collections::VecDeque;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesOrdered, StreamExt};
use sqlx::PgConnection;
use tokio::time::{Instant, timeout};

use super::NewUnit;
use super::call::{self, Answer};
use super::pacing::ANSWER_MAX;
use super::queue::{Pending, Seen};
use super::tip::Tip;
use crate::clock;

/// A batch that came back.
pub(super) struct Landed {
    pub(super) batch: Vec<Pending>,
    pub(super) was_ahead: bool,
    pub(super) begun: Instant,
    pub(super) answer: Result<Answer, sqlx::Error>,
    /// `None` when it is not to be used again.
    pub(super) connection: Option<PgConnection>,
}

#[derive(Default)]
pub(super) struct Flight {
    under_way: FuturesOrdered<BoxFuture<'static, Landed>>,
    /// The keys of each batch under way.
    seen: VecDeque<Seen>,
    units: usize,
    /// The end of the log once everything under way is stored. `None` while it is not known.
    tip: Option<Tip>,
}

impl Flight {
    pub(super) fn batches(&self) -> usize {
        self.under_way.len()
    }

    pub(super) fn units(&self) -> usize {
        self.units
    }

    pub(super) fn seen(&self) -> &VecDeque<Seen> {
        &self.seen
    }

    pub(super) fn knows_end(&self) -> bool {
        self.tip.is_some()
    }

    /// The end of the log is known from a batch at the lock, or not known.
    pub(super) fn learn(&mut self, tip: Option<Tip>) {
        self.tip = tip;
    }

    /// Sends a batch: ahead, behind everything that is under way, or else at the lock. It goes out once `landed` is
    /// polled.
    pub(super) fn send(
        &mut self,
        mut connection: PgConnection,
        batch: Vec<Pending>,
        seen: Seen,
        ahead: bool,
    ) {
        let tip = self.tip.take().filter(|_| ahead);
        let place = tip.map(|tip| tip.place(batch.iter().map(|pending| &pending.unit), clock::now()));
        self.tip = place.as_ref().map(|place| place.end);
        self.units += batch.len();
        self.seen.push_back(seen);
        let sent = async move {
            let begun = Instant::now();
            let units: Vec<&NewUnit> = batch.iter().map(|pending| &pending.unit).collect();
            let sent = call::send(&mut connection, &units, place.as_ref());
            let answer = timeout(ANSWER_MAX, sent).await.unwrap_or_else(|_| Err(no_answer()));
            let connection = answer.is_ok().then_some(connection);
            Landed { was_ahead: place.is_some(), batch, begun, answer, connection }
        };
        self.under_way.push_back(sent.boxed());
    }

    /// The next batch that comes back. Never ends while none is under way.
    pub(super) async fn landed(&mut self) -> Landed {
        let Some(landed) = self.under_way.next().await else { return std::future::pending().await };
        self.units -= landed.batch.len();
        self.seen.pop_front();
        landed
    }
}

fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}
