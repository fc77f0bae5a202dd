//! Applies a page of events and moves the checkpoint, in one transaction.
//!
//! The checkpoint's row is written first: it is the fence, and it lets two workers that both believe to hold
//! the lease take turns instead of meeting in the tables.

use std::collections::HashSet;
use std::sync::Arc;

use event_log::{Epoch, EventLog, LogError, OpenedEvent, Position, RecordedEvent, Span, checkpoints};
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::error::ApplyError;
use super::halt::Halt;
use super::parked::{self, AggregateKey};
use super::projection::Projection;
use super::span;
use super::spec::{Payloads, PoisonPolicy};

/// An event that the projection reads, or the reason why it cannot be opened.
pub(super) type Opened = Result<OpenedEvent, Unopened>;

pub(super) struct Unopened {
    position: Position,
    reason: String,
}

/// The state of a worker for as long as it holds the lease.
pub(super) struct Batch<'a> {
    pub(super) projection: &'a dyn Projection,
    /// Names the checkpoint: that of a rebuild is not the projection's.
    pub(super) name: &'a str,
    pub(super) log: &'a EventLog,
    pub(super) connection: &'a mut PgConnection,
    pub(super) epoch: Epoch,
    /// The checkpoint.
    pub(super) position: Position,
    /// The events up to here are applied or do not concern the projection. The checkpoint follows a little later, not
    /// at every page: most pages concern few projections.
    pub(super) passed: Position,
    /// The aggregates that have a parked event.
    pub(super) parked: HashSet<AggregateKey>,
}

impl Batch<'_> {
    /// Applies a page that follows the checkpoint, and gives back the events that had an effect.
    pub(super) async fn apply(&mut self, page: Vec<Arc<RecordedEvent>>) -> Result<Vec<OpenedEvent>, Halt> {
        let Some(last) = page.last().map(|event| event.position) else { return Ok(vec![]) };
        let spec = self.projection.spec();
        let wanted: Vec<Arc<RecordedEvent>> = page.into_iter().filter(|event| spec.concerns(event)).collect();
        let spans = span::of_page(self.name, &wanted);
        let applied = match open_all(self.log, wanted, spec.payloads).await {
            Ok(opened) => self.apply_opened(opened, last).await,
            Err(error) => Err(error.into()),
        };
        span::tell_failures(&spans, &applied);
        applied
    }

    /// Applies the events up to `last` that the projection cares for, and gives back those that had an effect.
    pub(super) async fn apply_opened(
        &mut self,
        opened: Vec<Opened>,
        last: Position,
    ) -> Result<Vec<OpenedEvent>, Halt> {
        if opened.is_empty() {
            self.passed = last;
            return Ok(vec![]);
        }
        if opened.iter().all(|event| event.as_ref().is_ok_and(|event| !self.is_parked(event))) {
            let events: Vec<OpenedEvent> = opened.into_iter().flatten().collect();
            if self.apply_together(&events, last).await? {
                return Ok(events);
            }
            return self.apply_singly(events.into_iter().map(Ok).collect(), last).await;
        }
        self.apply_singly(opened, last).await
    }

    /// Tells that the checkpoint is behind the passed events.
    pub(super) fn has_passed(&self) -> bool {
        self.passed > self.position
    }

    /// Moves the checkpoint over the passed events.
    pub(super) async fn flush(&mut self) -> Result<(), Halt> {
        if self.has_passed() {
            let span = Span { after: self.position, upto: self.passed };
            if !checkpoints::advance_in_tx(self.connection, self.name, span, self.epoch).await? {
                return Err(Halt::Lost);
            }
            self.position = self.passed;
        }
        Ok(())
    }

    /// Applies the whole page at once. `false` when it holds an event that cannot be applied; nothing is written then.
    async fn apply_together(&mut self, events: &[OpenedEvent], last: Position) -> Result<bool, Halt> {
        let mut tx = self.connection.begin().await?;
        let (name, span) = (self.name, Span { after: self.position, upto: last });
        if !checkpoints::advance_in_tx(&mut tx, name, span, self.epoch).await? {
            return Err(Halt::Lost);
        }
        match self.projection.apply(&mut tx, events).await {
            Ok(()) => {}
            Err(ApplyError::Transient(error)) => return Err(error.into()),
            Err(ApplyError::Poison { .. }) => {
                tx.rollback().await?;
                return Ok(false);
            }
        }
        tx.commit().await?;
        self.position = last;
        Ok(true)
    }

    /// Applies each event in a savepoint of its own, to find the poison event and keep the others.
    async fn apply_singly(&mut self, opened: Vec<Opened>, last: Position) -> Result<Vec<OpenedEvent>, Halt> {
        let mut tx = self.connection.begin().await?;
        let name = self.name;
        let here = Span { after: self.position, upto: self.position };
        if !checkpoints::advance_in_tx(&mut tx, name, here, self.epoch).await? {
            return Err(Halt::Lost);
        }
        let mut applied = Vec::new();
        let mut stopped = None;
        for event in opened {
            let event = match event {
                Ok(event) => event,
                // The key does not fit or the log is damaged: no policy makes that right.
                Err(Unopened { position, reason }) => {
                    stopped = Some((position, reason));
                    break;
                }
            };
            if self.parked.contains(&AggregateKey::of(&event.recorded)) {
                parked::park_in_tx(&mut tx, name, &event.recorded, "an earlier event is parked").await?;
                continue;
            }
            match apply_in_savepoint(self.projection, &mut tx, &event).await {
                Ok(()) => applied.push(event),
                Err(ApplyError::Transient(error)) => return Err(error.into()),
                Err(ApplyError::Poison { reason }) => match self.projection.spec().poison {
                    PoisonPolicy::Stop => {
                        stopped = Some((event.recorded.position, reason));
                        break;
                    }
                    PoisonPolicy::Park => {
                        parked::park_in_tx(&mut tx, name, &event.recorded, &reason).await?;
                        self.parked.insert(AggregateKey::of(&event.recorded));
                    }
                },
            }
        }
        let reached = stopped.as_ref().map_or(last, |(position, _)| position.previous());
        let span = Span { after: self.position, upto: reached };
        if !checkpoints::advance_in_tx(&mut tx, name, span, self.epoch).await? {
            return Err(Halt::Lost);
        }
        tx.commit().await?;
        self.position = reached;
        match stopped {
            Some((position, reason)) => Err(Halt::Stopped { position, reason }),
            None => Ok(applied),
        }
    }

    fn is_parked(&self, event: &OpenedEvent) -> bool {
        !self.parked.is_empty() && self.parked.contains(&AggregateKey::of(&event.recorded))
    }
}

/// Opens events. An event that cannot be opened is the fault of the log or of the key, and is told apart from the
/// database being away.
pub(super) async fn open_all(
    log: &EventLog,
    events: Vec<impl Into<Arc<RecordedEvent>>>,
    payloads: Payloads,
) -> Result<Vec<Opened>, LogError> {
    let mut opened = Vec::with_capacity(events.len());
    for event in events {
        let event: Arc<RecordedEvent> = event.into();
        let position = event.position;
        let event = match payloads {
            Payloads::Opened => log.open(event).await,
            Payloads::Closed => Ok(EventLog::unopened(event)),
        };
        opened.push(match event {
            Ok(event) => Ok(event),
            Err(error) => match ApplyError::from(error) {
                ApplyError::Transient(error) => return Err(error),
                ApplyError::Poison { reason } => Err(Unopened { position, reason }),
            },
        });
    }
    Ok(opened)
}

/// Applies one event, or leaves no trace of it in the transaction.
pub(super) async fn apply_in_savepoint(
    projection: &dyn Projection,
    tx: &mut Transaction<'_, Postgres>,
    event: &OpenedEvent,
) -> Result<(), ApplyError> {
    let mut savepoint = tx.begin().await?;
    match projection.apply(&mut savepoint, std::slice::from_ref(event)).await {
        Ok(()) => Ok(savepoint.commit().await?),
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    }
}
