//! Answers the callers of a batch, and tells everybody else who hears of it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::metrics::AppendMetrics;
use super::pacing::REFUSALS_MAX;
use super::queue::Pending;
use super::{AppendError, Appended};
use crate::guard::Guard;
use crate::rewound::Rewound;
use crate::{Position, Span};

/// Those who hear of a batch besides its callers.
pub(super) struct Told {
    head: watch::Sender<Position>,
    guard: Arc<Guard>,
    metrics: AppendMetrics,
}

impl Told {
    pub(super) fn new(head: watch::Sender<Position>, guard: Arc<Guard>) -> Self {
        Self { head, guard, metrics: AppendMetrics::new() }
    }

    /// The reason for which nothing may be appended now.
    pub(super) fn shut(&self) -> Option<Rewound> {
        self.guard.shut()
    }

    pub(super) fn queued(&self, units: usize) {
        self.metrics.queued(units);
    }

    pub(super) fn measure(&self, begun: Instant, units: usize) {
        self.metrics.measure(begun, units);
    }

    /// Tells the callers their outcomes. Returns the units without an outcome, and the span of the stored ones.
    pub(super) fn answer(
        &self,
        batch: Vec<Pending>,
        outcomes: impl IntoIterator<Item = Option<Appended>>,
    ) -> (Vec<Pending>, Span) {
        let (mut again, mut newest, mut head) = (Vec::new(), None, Position::ZERO);
        let (mut before, mut upto) = (None, Position::ZERO);
        for (pending, outcome) in batch.into_iter().zip(outcomes) {
            let Some(outcome) = outcome else {
                again.push(pending);
                continue;
            };
            self.metrics.count(&pending.unit, &outcome);
            match &outcome {
                Appended::Stored { first, last } => {
                    before = before.or(Some(first.plus(-1)));
                    upto = *last;
                    newest = newest.max(pending.unit.events.last().map(|event| (*last, event.event_id)));
                    head = head.max(*last);
                }
                Appended::Duplicate { last, .. } => head = head.max(*last),
                Appended::Mismatch | Appended::Conflict { .. } | Appended::Taken { .. } => {}
            }
            // A caller that no longer waits loses nothing: the outcome is in the receipt.
            let _ = pending.answer.send(Ok(outcome));
        }
        if let Some((position, event_id)) = newest {
            self.guard.committed(position, event_id);
        }
        self.head.send_if_modified(|known| {
            let moved = head > *known;
            *known = head.max(*known);
            moved
        });
        (again, Span { after: before.unwrap_or(upto), upto })
    }
}

/// The units of a batch that was refused as a whole: each is sent alone from now on. A unit that was refused too often
/// is told so.
pub(super) fn alone(batch: Vec<Pending>, reason: &str) -> Vec<Pending> {
    let (again, hopeless): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .map(|pending| Pending { refusals: pending.refusals + 1, ..pending })
        .partition(|pending| pending.refusals <= REFUSALS_MAX);
    refuse(hopeless, &AppendError::Refused { reason: reason.to_owned() });
    again
}

/// The gate of the log shut: nothing more is sent. What may be stored is not called refused.
pub(super) fn turn_away(batch: Vec<Pending>, rewound: Rewound) {
    let (unsure, unsent): (Vec<_>, Vec<_>) = batch.into_iter().partition(|pending| pending.may_be_stored);
    refuse(unsure, &AppendError::Unknown);
    refuse(unsent, &AppendError::Rewound(rewound));
}

/// Tells the callers why their units have no outcome.
pub(super) fn refuse(batch: Vec<Pending>, error: &AppendError) {
    for pending in batch {
        let _ = pending.answer.send(Err(error.clone()));
    }
}
