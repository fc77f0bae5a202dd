//! The one task of a process that writes to the log, over a connection of its own.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::{AppendError, Appended, NewUnit, batch};
use crate::cache::StreamKey;
use crate::error::is_transient;
use crate::guard::Guard;

/// Limits of a batch: beyond them a longer one no longer pays.
pub(super) const BATCH_UNITS_MAX: usize = 256;
pub(super) const BATCH_BYTES_MAX: usize = 1 << 20;
const QUEUE_UNITS_MAX: usize = 1024;
/// How long a batch waits for the callers of the last one: alone, and while other processes hold the lock anyway.
const GATHER_ALONE_MAX: Duration = Duration::from_micros(500);
/// Nor is a batch of so many units worth a wait when nobody else writes.
const GATHER_ALONE_UNITS: usize = 32;
const GATHER_MAX: Duration = Duration::from_millis(3);
const RETRY_DELAY_MIN: Duration = Duration::from_millis(20);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);

pub(super) struct Pending {
    pub(super) unit: NewUnit,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
}

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
                connection: None,
                metrics: AppendMetrics::new(),
                last_own: 0,
                is_alone: true,
                tip: None,
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

struct Worker {
    options: PgConnectOptions,
    head: watch::Sender<i64>,
    guard: Arc<Guard>,
    connection: Option<PgConnection>,
    metrics: AppendMetrics,
    /// The last position that this process wrote.
    last_own: i64,
    /// Whether nobody else wrote between the last two batches.
    is_alone: bool,
    /// What the last batch left at the end of the log, while nobody else writes.
    tip: Option<batch::Tip>,
}

/// What the appender counts.
struct AppendMetrics {
    batch_units: Histogram,
    batch_seconds: Histogram,
    queue: Gauge,
    events: Counter,
    repeated: Counter,
    conflicts: Counter,
}

impl AppendMetrics {
    fn new() -> Self {
        Self {
            batch_units: histogram!("routix_append_batch_units"),
            batch_seconds: histogram!("routix_append_batch_seconds"),
            queue: gauge!("routix_append_queue_depth"),
            events: counter!("routix_events_appended_total"),
            repeated: counter!("routix_commands_repeated_total"),
            conflicts: counter!("routix_append_conflicts_total"),
        }
    }

    fn count(&self, unit: &NewUnit, outcome: &Appended) {
        match outcome {
            Appended::Stored { .. } => self.events.increment(unit.events.len() as u64),
            Appended::Duplicate { .. } => self.repeated.increment(1),
            Appended::Conflict { .. } => self.conflicts.increment(1),
            Appended::Mismatch | Appended::Taken { .. } => {}
        }
    }
}

impl Worker {
    async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut waiting: VecDeque<Pending> = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match queue.recv().await {
                    Some(pending) => waiting.push_back(pending),
                    None => return,
                }
            }
            while waiting.len() < QUEUE_UNITS_MAX {
                match queue.try_recv() {
                    Ok(pending) => waiting.push_back(pending),
                    Err(_) => break,
                }
            }
            let batch = next_batch(&mut waiting);
            let sent = batch.len();
            #[allow(clippy::cast_precision_loss, reason = "the queue is bounded")]
            self.metrics.queue.set(waiting.len() as f64);
            let deferred = self.append(batch).await;
            let answered = sent - deferred.len();
            for pending in deferred.into_iter().rev() {
                waiting.push_front(pending);
            }
            self.gather(&mut queue, &mut waiting, answered).await;
        }
    }

    /// Waits a moment for the callers that were just answered. A batch costs nearly the same however full it is,
    /// so a single early caller should not have one to himself while all others wait for the next.
    ///
    /// The last eighth of a few callers is not waited for: it decides while the others' batch is stored. With 32
    /// callers three quarters, and all of them, gave a sixth less; with 512 twice the units at least gave nothing.
    /// Where other processes write too, the lock is theirs meanwhile, and full batches in turn are faster for all.
    async fn gather(
        &self,
        queue: &mut mpsc::Receiver<Pending>,
        waiting: &mut VecDeque<Pending>,
        answered: usize,
    ) {
        let callers = waiting.len() + queue.len() + answered;
        let (enough, patience) = if self.is_alone {
            ((callers * 7 / 8).min(GATHER_ALONE_UNITS), GATHER_ALONE_MAX)
        } else {
            (callers, GATHER_MAX)
        };
        let deadline = Instant::now() + patience;
        while waiting.len() < enough.min(BATCH_UNITS_MAX) {
            match timeout_at(deadline, queue.recv()).await {
                Ok(Some(pending)) => waiting.push_back(pending),
                Ok(None) | Err(_) => return,
            }
        }
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
                    self.connection = None;
                    tokio::time::sleep(delay).await;
                    delay = (delay * 2).min(RETRY_DELAY_MAX);
                }
            }
        };
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
                // Links behind an end that others move on would be worked out for nothing.
                self.tip = None;
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
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => {
                let mut fresh = self.options.connect().await?;
                self.guard.check(&mut fresh).await?;
                empty.insert(fresh)
            }
        };
        let begun = Instant::now();
        let outcomes = batch::send(connection, units, &mut self.tip).await?;
        self.metrics.batch_seconds.record(begun.elapsed());
        #[allow(clippy::cast_precision_loss, reason = "a batch is bounded")]
        self.metrics.batch_units.record(units.len() as f64);
        Ok(outcomes)
    }
}

/// Tells the callers why nothing was stored. Nothing is left to be sent.
fn refuse(batch: Vec<Pending>, error: &AppendError) -> Vec<Pending> {
    for pending in batch {
        let _ = pending.answer.send(Err(error.clone()));
    }
    Vec::new()
}

/// Takes the next batch from the front: within the limits, no aggregate, command id or claim twice. The
/// units that have to wait stay in their order.
pub(super) fn next_batch(waiting: &mut VecDeque<Pending>) -> Vec<Pending> {
    let mut batch = Vec::with_capacity(waiting.len().min(BATCH_UNITS_MAX));
    let mut bytes = 0;
    let mut seen = Seen::default();
    let mut left = VecDeque::new();
    while let Some(pending) = waiting.pop_front() {
        let size = pending.unit.bytes();
        let fits = batch.len() < BATCH_UNITS_MAX && (batch.is_empty() || bytes + size <= BATCH_BYTES_MAX);
        // Its keys count even when it waits, so that units of one stream keep their order.
        let shares = seen.add(&pending.unit);
        if fits && !shares {
            bytes += size;
            batch.push(pending);
        } else {
            left.push_back(pending);
        }
        if batch.len() == BATCH_UNITS_MAX {
            break;
        }
    }
    left.append(waiting);
    *waiting = left;
    batch
}

/// What units of a batch wrote or waited for.
#[derive(Default)]
struct Seen {
    streams: HashSet<StreamKey>,
    commands: HashSet<(Uuid, Uuid)>,
    claims: HashSet<Vec<u8>>,
}

impl Seen {
    /// Adds a unit, and tells whether it shares something with an earlier one. What it has twice itself does
    /// not count: a unit may release and take the same claim, and a stream named twice is refused later.
    fn add(&mut self, unit: &NewUnit) -> bool {
        let command = (unit.owner, unit.command_id);
        let shares = self.commands.contains(&command)
            || unit.expected.iter().any(|(stream, _)| self.streams.contains(stream))
            || unit.claims.iter().any(|claim| self.claims.contains(&claim.key_hash));
        self.commands.insert(command);
        self.streams.extend(unit.expected.iter().map(|(stream, _)| *stream));
        self.claims.extend(unit.claims.iter().map(|claim| claim.key_hash.clone()));
        shares
    }
}
