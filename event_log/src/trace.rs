//! Traces: the spans that this crate opens, and the reasons not to.
//!
//! What takes time opens a span of `tracing` under the target [`TARGET`]. Where nobody wants them, such a span is
//! a comparison and nothing of it is computed. One that goes on with what began elsewhere, in a request of
//! another process or in an event, names it in a field `traceparent` (W3C Trace Context); who collects the spans
//! makes that its parent.

use chrono::{DateTime, TimeDelta, Utc};
use tracing::{Level, span_enabled};

use crate::clock;

/// The target of spans that belong to a trace, and of nothing else.
pub const TARGET: &str = "routix_trace";

/// Older events are not traced: a reader that catches up with years of events would bury the traces of today.
const AGE_MAX: TimeDelta = TimeDelta::minutes(15);

/// Tells whether anybody wants the spans. Asked before something is computed for one.
pub fn is_wanted() -> bool {
    span_enabled!(target: TARGET, Level::INFO)
}

/// Tells whether an event of that time is still traced. By the clock of this machine, on which nothing but spans
/// depends.
pub fn is_recent(recorded_at: DateTime<Utc>) -> bool {
    clock::now() - recorded_at <= AGE_MAX
}
