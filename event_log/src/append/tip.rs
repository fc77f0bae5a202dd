//! The end of the log as this process knows it, and the chain behind it.

use chrono::{DateTime, Utc};

use super::NewUnit;
use crate::chain::{self, Chain};

/// The last event of the log. It may be an event that is still on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Tip {
    pub(super) position: i64,
    pub(super) chain: Chain,
    pub(super) recorded_at: DateTime<Utc>,
}

/// The place of a batch behind a tip, with the chain values of its events.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) tip: Tip,
    /// The end of the log once the batch is stored.
    pub(super) end: Tip,
    pub(super) links: Vec<Chain>,
}

impl Tip {
    /// Places units behind this tip. Their events are recorded at `now`, or at the tip's time where that is later.
    pub(super) fn place<'a>(&self, units: impl Iterator<Item = &'a NewUnit>, now: DateTime<Utc>) -> Place {
        let mut end = Self { recorded_at: now.max(self.recorded_at), ..*self };
        let recorded_at = end.recorded_at.timestamp_micros();
        let mut links = Vec::new();
        for event in units.flat_map(|unit| &unit.events) {
            end.position += 1;
            end.chain = chain::link(&end.chain, end.position, recorded_at, &event.digest);
            links.push(end.chain);
        }
        Place { tip: *self, end, links }
    }
}
