//! The description of a projection: the facts that the runtime has to know before it applies an event.

use event_log::{Interest, RecordedEvent};

/// The description of a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Names the checkpoint and the lease.
    pub name: &'static str,
    /// The aggregates whose events are applied. Other events are passed over unopened.
    pub reads: &'static [&'static str],
    /// Names of events of these aggregates that change nothing in the read model. They are passed over unopened too.
    pub ignored_events: &'static [&'static str],
    /// The tables that a rebuild makes anew. A projection without tables cannot be rebuilt: its rows must outlive a
    /// rebuild.
    pub tables: &'static [&'static str],
    pub poison: PoisonPolicy,
    pub payloads: Payloads,
    pub latency: Latency,
}

/// The answer to an event that can never be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoisonPolicy {
    /// The projection goes no further. This is for money: a balance that lacks an event is worse than an old one.
    Stop,
    /// The event is set aside with every later event of the same aggregate, and the others are applied.
    Park,
}

/// The form in which events are handed to `apply`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// Decrypted and parsed.
    Opened,
    /// Not opened: `payload` is null. Opening is most of the work for a read model that needs only the envelope.
    Closed,
}

/// The patience of those who read a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// Somebody waits for the rows.
    Interactive,
    /// Nobody waits: the projection batches more, and collects longer pages from a lower rate of events on.
    Background,
}

impl Spec {
    /// The part of the log that is applied.
    pub(crate) fn interest(&self) -> Interest<'static> {
        Interest { aggregates: self.reads, without: self.ignored_events }
    }

    pub(super) fn concerns(&self, event: &RecordedEvent) -> bool {
        self.reads.contains(&event.aggregate_type.as_str())
            && !self.ignored_events.contains(&event.event_type.as_str())
    }

    /// The name of the lease that a worker of the projection holds.
    pub(super) fn lease(&self) -> String {
        format!("projection:{}", self.name)
    }
}

/// The name of an event, as `domain` has it in its list of versions. A name that is not in the list does not compile.
pub(crate) const fn event_of(versions: &[(&str, &str)], name: &'static str) -> &'static str {
    let mut at = 0;
    while at < versions.len() {
        if is_same(versions[at].0.as_bytes(), name.as_bytes()) {
            return name;
        }
        at += 1;
    }
    panic!("the aggregate has no event of this name")
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}
