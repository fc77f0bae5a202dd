//! The seam between the events that a reader has handed out and the event that comes next: by position, by chain value
//! and by log id. Every reader asks it, whatever source an event comes from.

use std::cmp::Ordering;
use std::sync::Arc;

use event_log::{EventLog, LogError, Position, RecordedEvent, chain_of};
use uuid::Uuid;

/// The end of the events that were handed out.
#[derive(Debug)]
pub(crate) struct Seam {
    position: Position,
    /// The chain value at the position, once it is known.
    chain: Option<Vec<u8>>,
    /// The log that is read, once it is known.
    log_id: Option<Uuid>,
}

/// An event of a tail, seen from the seam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is the next one.
    Next,
    /// It was handed out before.
    Old,
    /// Events are missing before it, or it is of another history: the log has the truth.
    Strange,
}

/// The end of the log, seen from the seam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Ahead,
    Here,
    Behind,
}

impl Seam {
    /// A reader that has handed out everything up to `position`.
    pub(crate) fn behind(position: Position) -> Self {
        Self { position, chain: None, log_id: None }
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn chain(&self) -> Option<&[u8]> {
        self.chain.as_deref()
    }

    pub(crate) fn log_id(&self) -> Option<Uuid> {
        self.log_id
    }

    /// Looks where the log ends, and learns its id and the chain value here the first time.
    ///
    /// # Errors
    /// `Replaced` when the log has become another one.
    pub(crate) async fn look(&mut self, log: &EventLog) -> Result<Place, LogError> {
        let (log_id, head) = log.place().await?;
        if *self.log_id.get_or_insert(log_id) != log_id {
            return Err(LogError::Replaced { log_id });
        }
        if self.chain.is_none() {
            self.chain = log.chain_at(self.position).await?;
        }
        Ok(match head.cmp(&self.position) {
            Ordering::Greater => Place::Ahead,
            Ordering::Equal => Place::Here,
            Ordering::Less => Place::Behind,
        })
    }

    /// Reads the next page of the log. What the log did not write is void in it.
    ///
    /// # Errors
    /// `Replaced` when it does not follow from the events that were handed out.
    pub(crate) async fn page(
        &self,
        log: &EventLog,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let events = log.stored_page(self.position, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
        let is_strange = |first: &RecordedEvent| self.chain.is_some() && !self.links(first);
        if events.first().is_some_and(is_strange) {
            return Err(LogError::Replaced { log_id: log.place().await?.0 });
        }
        let authenticator = log.vault().authenticator();
        Ok(events.into_iter().map(|event| Arc::new(authenticator.admit(event))).collect())
    }

    /// Tells how an event of a tail fits. Without a chain value to compare with no tail is believed.
    pub(crate) fn fit(&self, event: &RecordedEvent) -> Fit {
        match event.position.cmp(&self.position) {
            Ordering::Less => Fit::Old,
            Ordering::Equal if self.chain.as_ref() == Some(&event.chain) => Fit::Old,
            Ordering::Greater if event.position == self.position.next() && self.links(event) => Fit::Next,
            Ordering::Equal | Ordering::Greater => Fit::Strange,
        }
    }

    fn links(&self, event: &RecordedEvent) -> bool {
        self.chain.as_ref().is_some_and(|chain| chain_of(chain, event).as_slice() == event.chain)
    }

    /// An event was handed out.
    pub(crate) fn advance(&mut self, event: &RecordedEvent) {
        self.position = event.position;
        self.chain = Some(event.chain.clone());
    }
}
