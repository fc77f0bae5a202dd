//! The task of a process that writes to the log. It takes what waits, asks the pacing, sends over a lane, and answers.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::call::Answer;
use super::flight::{Flight, Landed};
use super::lanes::Lanes;
use super::pacing::{Pacing, Situation, Step, TIMER_RESOLUTION};
use super::queue::{BATCH_UNITS_MAX, Pending, QUEUE_UNITS_MAX, Queue};
use super::told::{Told, alone, refuse, turn_away};
use super::{AppendError, Appended, NewUnit};
use crate::Position;
use crate::guard::Guard;

/// The way to the appender task. The task ends when the last handle is gone.
#[derive(Debug, Clone)]
pub(crate) struct Appender {
    queue: mpsc::Sender<Pending>,
}

impl Appender {
    /// Starts the task. `head` tells the last position after every commit.
    pub(crate) fn start(options: PgConnectOptions, head: watch::Sender<Position>, guard: Arc<Guard>) -> Self {
        let (queue, pending) = mpsc::channel(QUEUE_UNITS_MAX);
        let worker = Worker {
            queue: Queue::new(pending),
            pacing: Pacing::new(Instant::now()),
            lanes: Lanes::new(options, guard.clone()),
            flight: Flight::default(),
            told: Told::new(head, guard),
        };
        tokio::spawn(worker.run());
        Self { queue }
    }

    /// Appends a unit. Waits while the queue is full or the database is away.
    pub(crate) async fn append(&self, unit: NewUnit) -> Result<Appended, AppendError> {
        let (answer, outcome) = oneshot::channel();
        self.queue.send(Pending::new(unit, answer)).await.map_err(|_| AppendError::Stopped)?;
        outcome.await.map_err(|_| AppendError::Stopped)?
    }
}

struct Worker {
    queue: Queue,
    pacing: Pacing,
    lanes: Lanes,
    flight: Flight,
    told: Told,
}

impl Worker {
    async fn run(mut self) {
        while !(self.queue.is_over() && self.flight.batches() == 0) {
            self.queue.fill();
            if let Some(rewound) = self.told.shut() {
                turn_away(self.queue.take_all(), rewound);
            }
            let step = self.pacing.next(&self.situation());
            if self.take(step) {
                continue;
            }
            let wake = if let Step::Wait(until) = step { until } else { None };
            tokio::select! {
                biased;
                landed = self.flight.landed() => self.settle(landed),
                () = self.queue.wait() => {}
                () = self.lanes.opened() => {}
                () = pause(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    fn situation(&self) -> Situation {
        Situation {
            now: Instant::now(),
            waiting: self.queue.len(),
            is_owed: self.queue.is_owed(),
            batches: self.flight.batches(),
            units: self.flight.units(),
            knows_end: self.flight.knows_end(),
        }
    }

    /// Sends the next batch. `false` when there is nothing to send, or nothing to send it over: something has to happen
    /// first.
    fn take(&mut self, step: Step) -> bool {
        let (ahead, units_max) = match step {
            Step::Wait(_) => return false,
            Step::Lead => (false, BATCH_UNITS_MAX),
            Step::Follow { units_max } => (true, units_max),
        };
        let Some(connection) = self.lanes.take() else { return false };
        let (batch, seen) = self.queue.next_batch(units_max, self.flight.seen());
        if batch.is_empty() {
            self.lanes.give_back(connection);
            return false;
        }
        self.told.queued(self.queue.len());
        if ahead {
            self.pacing.sent_ahead(Instant::now(), self.flight.batches() == 0);
        }
        self.flight.send(connection, batch, seen, ahead);
        true
    }

    /// Answers the callers of a batch that came back. Units without an outcome are the first to be sent again.
    fn settle(&mut self, Landed { batch, was_ahead, begun, answer, connection }: Landed) {
        if let Some(connection) = connection {
            self.lanes.give_back(connection);
        }
        let units = batch.len();
        let mut again = Vec::new();
        match answer {
            Ok(Answer::Stored { units: stored, end }) => {
                self.told.measure(begun, units);
                let span = self.told.answer(batch, stored.into_iter().map(Some)).1;
                let is_alone = self.pacing.stored(Instant::now(), was_ahead, span);
                if !was_ahead {
                    self.flight.learn(end);
                }
                if !is_alone {
                    // Behind an end that others move every batch ahead would be sent in vain.
                    self.flight.learn(None);
                }
            }
            Ok(Answer::Explained(outcomes)) => {
                self.missed(was_ahead);
                let is_explained = outcomes.iter().any(Option::is_some);
                again = self.told.answer(batch, outcomes).0;
                if is_explained {
                    for pending in &mut again {
                        pending.is_sound = true;
                    }
                } else {
                    again = alone(again, "the log refuses it without a reason");
                }
            }
            Ok(Answer::Displaced) => {
                self.missed(was_ahead);
                again = batch;
            }
            // The statement failed as a whole and stored nothing. Only the unit at fault is told so.
            Ok(Answer::Refused { reason }) if units == 1 => {
                self.missed(was_ahead);
                refuse(batch, &AppendError::Refused { reason });
            }
            Ok(Answer::Refused { reason }) => {
                self.missed(was_ahead);
                again = alone(batch, &reason);
            }
            Err(error) => {
                // The answer may have been lost after the commit. Receipts make the same batch harmless.
                tracing::warn!(%error, units, "the batch is sent again until its outcome is known");
                if was_ahead {
                    self.pacing.misfitted(self.flight.knows_end());
                }
                self.flight.learn(None);
                self.pacing.failed(Instant::now());
                again = batch;
                for pending in &mut again {
                    pending.may_be_stored = true;
                }
            }
        }
        let answered = units - again.len();
        self.queue.give_back(again);
        self.pacing.answered(&self.situation(), answered);
    }

    /// A batch stored nothing.
    fn missed(&mut self, was_ahead: bool) {
        if was_ahead {
            self.pacing.misfitted(self.flight.knows_end());
        } else {
            self.pacing.led();
        }
        self.flight.learn(None);
    }
}

/// Waits until a time. A wait that a timer cannot keep lets other tasks run instead, among them the callers that are
/// waited for.
async fn pause(until: Instant) {
    if until - Instant::now() >= TIMER_RESOLUTION {
        return sleep_until(until).await;
    }
    while Instant::now() < until {
        yield_now().await;
    }
}
