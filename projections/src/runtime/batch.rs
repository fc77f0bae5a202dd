//! Applies a page of events and moves the checkpoint, in one transaction.
//!
//! The checkpoint's row is written first: it is the fence, and it lets two workers that both believe to hold
//! the lease take turns instead of meeting in the tables.

use std::collections::HashSet;
use std::sync::Arc;

use event_log::{Epoch, EventLog, LogError, OpenedEvent, Position, RecordedEvent, Span, checkpoints};
use sqlx::{Connection, PgConnection, Postgres, Transaction};

use super::{ApplyError, PoisonPolicy, Projection, parked, span};

/// Why a page was not applied to its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// Somebody else moves this checkpoint now.
    Lost,
    Stopped {
        position: Position,
        reason: String,
    },
    Failed(LogError),
}

impl From<LogError> for Halt {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// An event of the page that the projection cares for, or why it cannot be opened.
pub(super) type Opened = Result<OpenedEvent, Unopened>;

pub(super) struct Unopened {
    position: Position,
    reason: String,
}

pub(super) type AggregateKey = (String, String);

/// What a worker holds while it holds the lease.
pub(super) struct Batch<'a> {
    pub(super) projection: &'a dyn Projection,
    /// Names the checkpoint: that of a rebuild is not the projection's.
    pub(super) name: &'a str,
    pub(super) log: &'a EventLog,
    pub(super) connection: &'a mut PgConnection,
    pub(super) epoch: Epoch,
    /// The checkpoint.
    pub(super) position: Position,
    /// Up to here nothing more concerns the projection. The checkpoint says so a little later, not for every
    /// page: most pages concern few projections.
    pub(super) passed: Position,
    /// Aggregates of which an event is parked.
    pub(super) parked: HashSet<AggregateKey>,
}

impl Batch<'_> {
    /// Applies a page that follows the checkpoint, and gives back the events that had an effect.
    pub(super) async fn apply(&mut self, page: Vec<Arc<RecordedEvent>>) -> Result<Vec<OpenedEvent>, Halt> {
        let Some(last) = page.last().map(|event| event.position) else { return Ok(vec![]) };
        let (aggregates, without) = (self.projection.aggregates(), self.projection.passes_over());
        let wanted = page.into_iter().filter(|event| {
            aggregates.contains(&event.aggregate_type.as_str())
                && !without.contains(&event.event_type.as_str())
        });
        let wanted: Vec<Arc<RecordedEvent>> = wanted.collect();
        let spans = span::of_page(self.name, &wanted);
        let applied = match open_all(self.log, wanted, self.projection.reads_payloads()).await {
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

    /// Whether the checkpoint is behind what was passed.
    pub(super) fn has_passed(&self) -> bool {
        self.passed > self.position
    }

    /// Moves the checkpoint to what was passed.
    pub(super) async fn settle(&mut self) -> Result<(), Halt> {
        if self.has_passed() {
            let span = Span { after: self.position, upto: self.passed };
            if !checkpoints::advance_in_tx(self.connection, self.name, span, self.epoch).await? {
                return Err(Halt::Lost);
            }
            self.position = self.passed;
        }
        Ok(())
    }

    /// The whole page at once. `false` when it holds an event that cannot be applied; nothing is written then.
    async fn apply_together(&mut self, events: &[OpenedEvent], last: Position) -> Result<bool, Halt> {
        let mut tx = self.connection.begin().await?;
        let (name, span) = (self.name, Span { after: self.position, upto: last });
        if !checkpoints::advance_in_tx(&mut tx, name, span, self.epoch).await? {
            return Err(Halt::Lost);
        }
        match self.projection.apply_page(&mut tx, events).await {
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

    /// Each event in a savepoint of its own, to find the one that cannot be applied and keep the others.
    async fn apply_singly(&mut self, opened: Vec<Opened>, last: Position) -> Result<Vec<OpenedEvent>, Halt> {
        let mut tx = self.connection.begin().await?;
        let name = self.name;
        if !checkpoints::advance_in_tx(
            &mut tx,
            name,
            Span { after: self.position, upto: self.position },
            self.epoch,
        )
        .await?
        {
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
            if self.parked.contains(&key_of(&event.recorded)) {
                parked::park_in_tx(&mut tx, name, &event.recorded, "an earlier event is parked").await?;
                continue;
            }
            match apply_in_savepoint(self.projection, &mut tx, &event).await {
                Ok(()) => applied.push(event),
                Err(ApplyError::Transient(error)) => return Err(error.into()),
                Err(ApplyError::Poison { reason }) => match self.projection.poison() {
                    PoisonPolicy::Stop => {
                        stopped = Some((event.recorded.position, reason));
                        break;
                    }
                    PoisonPolicy::Park => {
                        parked::park_in_tx(&mut tx, name, &event.recorded, &reason).await?;
                        self.parked.insert(key_of(&event.recorded));
                    }
                },
            }
        }
        let reached = stopped.as_ref().map_or(last, |(position, _)| position.previous());
        if !checkpoints::advance_in_tx(
            &mut tx,
            name,
            Span { after: self.position, upto: reached },
            self.epoch,
        )
        .await?
        {
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
        !self.parked.is_empty() && self.parked.contains(&key_of(&event.recorded))
    }
}

/// Opens events. One that cannot be opened is the fault of the log or of the key, and is told apart from the
/// database being away.
pub(super) async fn open_all(
    log: &EventLog,
    events: Vec<impl Into<Arc<RecordedEvent>>>,
    payloads: bool,
) -> Result<Vec<Opened>, LogError> {
    let mut opened = Vec::with_capacity(events.len());
    for event in events {
        let event: Arc<RecordedEvent> = event.into();
        let position = event.position;
        let event = if payloads { log.open(event).await } else { Ok(EventLog::unopened(event)) };
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

pub(super) fn key_of(event: &RecordedEvent) -> AggregateKey {
    (event.aggregate_type.clone(), event.aggregate_id.clone())
}

/// Applies one event, or leaves no trace of it in the transaction.
pub(super) async fn apply_in_savepoint(
    projection: &dyn Projection,
    tx: &mut Transaction<'_, Postgres>,
    event: &OpenedEvent,
) -> Result<(), ApplyError> {
    let mut savepoint = tx.begin().await?;
    match projection.apply(&mut savepoint, event).await {
        Ok(()) => Ok(savepoint.commit().await?),
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    }
}
