//! The counters of the appender.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tokio::time::Instant;

use super::{Appended, NewUnit};

pub(super) struct AppendMetrics {
    batch_units: Histogram,
    batch_seconds: Histogram,
    queue: Gauge,
    events: Counter,
    repeated: Counter,
    conflicts: Counter,
}

impl AppendMetrics {
    pub(super) fn new() -> Self {
        Self {
            batch_units: histogram!("routix_append_batch_units"),
            batch_seconds: histogram!("routix_append_batch_seconds"),
            queue: gauge!("routix_append_queue_depth"),
            events: counter!("routix_events_appended_total"),
            repeated: counter!("routix_commands_repeated_total"),
            conflicts: counter!("routix_append_conflicts_total"),
        }
    }

    pub(super) fn count(&self, unit: &NewUnit, outcome: &Appended) {
        match outcome {
            Appended::Stored { .. } => self.events.increment(unit.events.len() as u64),
            Appended::Duplicate { .. } => self.repeated.increment(1),
            Appended::Conflict { .. } => self.conflicts.increment(1),
            Appended::Mismatch | Appended::Taken { .. } => {}
        }
    }

    pub(super) fn queued(&self, units: usize) {
        #[allow(clippy::cast_precision_loss, reason = "the queue is bounded")]
        self.queue.set(units as f64);
    }

    pub(super) fn measure(&self, begun: Instant, units: usize) {
        self.batch_seconds.record(begun.elapsed());
        #[allow(clippy::cast_precision_loss, reason = "a batch is bounded")]
        self.batch_units.record(units as f64);
    }
}
