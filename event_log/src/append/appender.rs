//! The one task of a process that writes to the log. It has two connections: while one batch is written over the one,
//! the next is over the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::StreamExt;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::ahead::{Ahead, Sent};
use super::metrics::AppendMetrics;
use super::queue::{BATCH_UNITS_MAX, Pending, next_batch};
use super::{AppendError, Appended, NewUnit, batch};
use crate::error::is_transient;
use crate::guard::Guard;

const QUEUE_UNITS_MAX: usize = 1024;
/// How long a batch waits for the callers of the last one: alone, and while other processes hold the lock anyway.
const GATHER_ALONE_MAX: Duration = Duration::from_micros(500);
/// Nor is a batch of so many units worth a wait when nobody else writes.
const GATHER_ALONE_UNITS: usize = 32;
const GATHER_MAX: Duration = Duration::from_millis(3);
/// For fewer callers one batch at a time is as fast.
const TWO_WAYS_CALLERS_MIN: usize = 24;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(20);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

/// The way to the appender task. The task ends when the last handle is gone.
#[derive(Debug, Clone)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Pending>,
}

impl Appender {
    /// Starts the task. `head` tells the last position after every commit.
    pub(crate) fn start(options: PgConnectOptions, head: watch::Sender<i64>, guard: Arc<Guard>) -> Self {
        let (queue, pending) = mpsc::channel(QUEUE_UNITS_MAX);
        // Plans made while the table was empty stay bad, and planning each call costs more than running it.
        let options = options.options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("statement_timeout", "30s"),
        ]);
        tokio::spawn(
            Worker {
                options,
                head,
                guard,
                connections: Vec::new(),
                connecting: None,
                connect_from: Instant::now(),
                metrics: AppendMetrics::new(),
                last_own: 0,
                is_alone: true,
                ahead: Ahead::default(),
                enough: 1,
                patient_until: Instant::now(),
                callers: 1,
            }
            .run(pending),
        );
        Self { queue }
    }

    /// Appends a unit. Waits while the queue is full or the database is away.
    pub(crate) async fn append(&self, unit: NewUnit) -> Result<Appended, AppendError> {
        let (answer, outcome) = oneshot::channel();
        self.queue.send(Pending { unit, answer }).await.map_err(|_| AppendError::Stopped)?;
        outcome.await.map_err(|_| AppendError::Stopped)?
    }
}

type Connecting = BoxFuture<'static, Result<PgConnection, sqlx::Error>>;

struct Worker {
    options: PgConnectOptions,
    head: watch::Sender<i64>,
    guard: Arc<Guard>,
    /// Those over which nothing is under way.
    connections: Vec<PgConnection>,
    /// One that is being opened while a batch is under way, and from when on that may be tried.
    connecting: Option<Connecting>,
    connect_from: Instant,
    metrics: AppendMetrics,
    /// The last position that this process wrote.
    last_own: i64,
    /// Whether nobody else wrote between the last two batches.
    is_alone: bool,
    ahead: Ahead,
    /// How many callers there are: those who wait, those whose batch is under way, those that were just answered.
    callers: usize,
    /// For so many units a batch waits, and until then if none is under way.
    enough: usize,
    patient_until: Instant,
}

impl Worker {
    async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        let mut is_open = true;
        loop {
            while waiting.len() < QUEUE_UNITS_MAX
                && let Ok(pending) = queue.try_recv()
            {
                waiting.push_back(pending);
            }
            let is_idle = self.ahead.under_way.is_empty();
            let is_due = waiting.len() >= self.enough || (is_idle && self.patient_until <= Instant::now());
            if !waiting.is_empty() && is_due && self.begin(&mut waiting, &queue).await {
                continue;
            }
            let is_idle = self.ahead.under_way.is_empty();
            if is_idle && waiting.is_empty() && !is_open {
                return;
            }
            tokio::select! {
                biased;
                Some(sent) = self.ahead.under_way.next(), if !is_idle => {
                    let answered = self.settle(sent, &mut waiting);
                    self.expect(waiting.len() + queue.len(), answered);
                }
                pending = queue.recv(), if is_open && waiting.len() < QUEUE_UNITS_MAX => match pending {
                    Some(pending) => waiting.push_back(pending),
                    None => is_open = false,
                },
                result = beside(&mut self.connecting), if self.connecting.is_some() => self.connected(result),
                () = sleep_until(self.patient_until), if is_idle && !waiting.is_empty() => {}
            }
        }
    }

    /// Begins the next batch, or waits for it to end. `false` when that has to wait for what is under way.
    async fn begin(&mut self, waiting: &mut VecDeque<Pending>, queue: &mpsc::Receiver<Pending>) -> bool {
        let is_idle = self.ahead.under_way.is_empty();
        if let Some(tip) = self.ahead.tip()
            && waiting.len() > 1
            && self.guard.shut().is_none()
        {
            let is_free = is_idle || (self.has_two_ways() && self.ahead.under_way.len() < 2);
            if !is_free || !self.ahead.may_be_followed() {
                return false;
            }
            let connection = match self.connections.pop() {
                Some(connection) => connection,
                None if is_idle => match connect(self.options.clone(), self.guard.clone()).await {
                    Ok(connection) => connection,
                    Err(error) => {
                        tracing::warn!(%error, "no connection to append over");
                        self.ahead.forget();
                        return true;
                    }
                },
                // Who waits for what is under way does not wait for a connection too.
                None => {
                    self.connect_beside();
                    return false;
                }
            };
            let units_max = if self.has_two_ways() { self.callers.div_ceil(2) } else { BATCH_UNITS_MAX };
            let (batch, seen) = next_batch(waiting, units_max.min(BATCH_UNITS_MAX), &self.ahead.seen);
            if batch.is_empty() {
                self.connections.push(connection);
                return false;
            }
            self.metrics.queued(waiting.len());
            self.ahead.send(connection, batch, seen, tip);
            return true;
        }
        if !is_idle {
            return false;
        }
        let (batch, _) = next_batch(waiting, BATCH_UNITS_MAX, &self.ahead.seen);
        self.metrics.queued(waiting.len());
        let sent = batch.len();
        let deferred = self.append(batch).await;
        let answered = sent - deferred.len();
        give_back(waiting, deferred);
        self.expect(waiting.len() + queue.len(), answered);
        true
    }

    fn has_two_ways(&self) -> bool {
        self.is_alone && self.callers >= TWO_WAYS_CALLERS_MIN
    }

    /// Opens another connection, unless the last attempt failed a moment ago.
    fn connect_beside(&mut self) {
        if self.connecting.is_none() && self.connect_from <= Instant::now() {
            self.connecting = Some(connect(self.options.clone(), self.guard.clone()).boxed());
        }
    }

    fn connected(&mut self, result: Result<PgConnection, sqlx::Error>) {
        self.connecting = None;
        match result {
            Ok(connection) => self.connections.push(connection),
            Err(error) => {
                tracing::warn!(%error, "one connection has to do to append");
                self.connect_from = Instant::now() + RETRY_DELAY_MAX;
            }
        }
    }

    /// Waits a moment for the callers that were just answered. A batch costs nearly the same however full it is,
    /// so a single early caller should not have one to himself while all others wait for the next.
    ///
    /// Of many callers three eighths are enough: they decide while the batch of the others is stored. To wait for
    /// half of them would be to wait for the very last one. Of a few all but an eighth are waited for. Where other
    /// processes write too, the lock is theirs meanwhile, and full batches in turn are faster for all.
    fn expect(&mut self, waiting: usize, answered: usize) {
        let callers = waiting + self.ahead.units + answered;
        // With two batches under way those of the one before may not be back yet.
        self.callers = if self.has_two_ways() { callers.max(self.callers * 3 / 4) } else { callers };
        let (enough, patience) = if !self.is_alone {
            (self.callers, GATHER_MAX)
        } else if self.ahead.tip().is_some() && self.has_two_ways() {
            (self.callers * 3 / 8, GATHER_ALONE_MAX)
        } else {
            ((self.callers * 7 / 8).min(GATHER_ALONE_UNITS), GATHER_ALONE_MAX)
        };
        self.enough = enough.clamp(1, BATCH_UNITS_MAX);
        self.patient_until = Instant::now() + patience;
    }

    /// Answers the callers of a batch that went ahead and gives their number. A batch that could not be stored so
    /// is the first to be sent again, under the lock.
    fn settle(&mut self, sent: Sent, waiting: &mut VecDeque<Pending>) -> usize {
        let Sent { batch, connection, begun, result } = sent;
        self.ahead.settled(batch.len(), matches!(result, Ok(Some(_))));
        let is_usable = is_usable(&result);
        if is_usable {
            self.connections.push(connection);
        }
        match result {
            Ok(Some(outcomes)) => {
                self.metrics.measure(begun, batch.len());
                let answered = batch.len();
                self.answer(batch, outcomes.into_iter().map(Some));
                return answered;
            }
            Ok(None) => {}
            Err(error) if is_usable => {
                tracing::debug!(%error, units = batch.len(), "the batch did not fit where it was sent to");
            }
            Err(error) => {
                // The answer may have been lost after the commit. Receipts make the same batch harmless.
                tracing::warn!(%error, units = batch.len(), "the batch is sent again until its outcome is known");
            }
        }
        give_back(waiting, batch);
        0
    }

    /// Sends the batch until its outcome is known and answers the callers. Returns what was deferred.
    async fn append(&mut self, batch: Vec<Pending>) -> Vec<Pending> {
        let mut delay = RETRY_DELAY_MIN;
        let outcomes = loop {
            if let Some(rewound) = self.guard.shut() {
                return refuse(batch, &AppendError::Rewound(rewound));
            }
            let units: Vec<&NewUnit> = batch.iter().map(|pending| &pending.unit).collect();
            match self.send(&units).await {
                Ok(outcomes) => break outcomes,
                Err(sqlx::Error::Database(error)) if !is_transient(error.code().as_deref()) => {
                    // The statement failed as a whole and stored nothing. Only the unit at fault is told so.
                    let reason = error.message().to_owned();
                    return self.append_one_by_one(batch, reason).await;
                }
                Err(error) => {
                    // The answer may have been lost after the commit. Receipts make the same batch harmless.
                    tracing::warn!(%error, units = units.len(), "the batch is sent again until its outcome is known");
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(RETRY_DELAY_MAX);
                }
            }
        };
        self.answer(batch, outcomes)
    }

    /// Tells the callers what became of their units. Returns those that were deferred.
    fn answer(
        &mut self,
        batch: Vec<Pending>,
        outcomes: impl IntoIterator<Item = batch::Outcome>,
    ) -> Vec<Pending> {
        let mut deferred = Vec::new();
        let mut last_stored = 0;
        let mut first_stored = i64::MAX;
        let mut newest = None;
        for (pending, outcome) in batch.into_iter().zip(outcomes) {
            match outcome {
                Some(outcome) => {
                    self.metrics.count(&pending.unit, &outcome);
                    if let Appended::Stored { last, .. } | Appended::Duplicate { last, .. } = &outcome {
                        last_stored = last_stored.max(*last);
                    }
                    if let Appended::Stored { first, last } = &outcome {
                        first_stored = first_stored.min(*first);
                        let event = pending.unit.events.last().map(|event| (*last, event.event_id));
                        newest = newest.max(event);
                    }
                    // A caller that no longer waits loses nothing: the outcome is in the receipt.
                    let _ = pending.answer.send(Ok(outcome));
                }
                None => deferred.push(pending),
            }
        }
        if let Some((position, event_id)) = newest {
            self.guard.committed(position, event_id);
            self.is_alone = first_stored == self.last_own + 1;
            self.last_own = position;
            if !self.is_alone {
                // Behind an end that others move on every batch would be sent in vain.
                self.ahead.forget();
            }
        }
        self.head.send_if_modified(|head| {
            let moved = last_stored > *head;
            *head = last_stored.max(*head);
            moved
        });
        deferred
    }

    async fn append_one_by_one(&mut self, batch: Vec<Pending>, reason: String) -> Vec<Pending> {
        if let [_] = batch.as_slice() {
            return refuse(batch, &AppendError::Refused { reason });
        }
        let mut deferred = Vec::new();
        for pending in batch {
            deferred.extend(Box::pin(self.append(vec![pending])).await);
        }
        deferred
    }

    async fn send(&mut self, units: &[&NewUnit]) -> Result<Vec<batch::Outcome>, sqlx::Error> {
        let mut connection = match self.connections.pop() {
            Some(connection) => connection,
            None => connect(self.options.clone(), self.guard.clone()).await?,
        };
        let begun = Instant::now();
        let sent = batch::send(&mut connection, units).await;
        if is_usable(&sent) {
            self.connections.push(connection);
        }
        let (outcomes, tip) = sent?;
        self.ahead.learn(tip);
        self.metrics.measure(begun, units.len());
        Ok(outcomes)
    }
}

/// What becomes of the connection that is being opened. For ever when there is none.
async fn beside(connecting: &mut Option<Connecting>) -> Result<PgConnection, sqlx::Error> {
    match connecting {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}

async fn connect(options: PgConnectOptions, guard: Arc<Guard>) -> Result<PgConnection, sqlx::Error> {
    let mut fresh = options.connect().await?;
    guard.check(&mut fresh).await?;
    Ok(fresh)
}

/// Whether the connection is still good after this answer.
fn is_usable<T>(answer: &Result<T, sqlx::Error>) -> bool {
    match answer {
        Ok(_) => true,
        Err(sqlx::Error::Database(error)) => !is_transient(error.code().as_deref()),
        Err(_) => false,
    }
}

/// Puts units back to where they were taken from.
fn give_back(waiting: &mut VecDeque<Pending>, batch: Vec<Pending>) {
    for pending in batch.into_iter().rev() {
        waiting.push_front(pending);
    }
}

/// Tells the callers why nothing was stored. Nothing is left to be sent.
fn refuse(batch: Vec<Pending>, error: &AppendError) -> Vec<Pending> {
    for pending in batch {
        let _ = pending.answer.send(Err(error.clone()));
    }
    Vec::new()
}
