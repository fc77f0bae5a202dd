//! What waits to be appended, and the next batch of it.

use std::collections::{HashSet, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::{AppendError, Appended, NewUnit};
use crate::cache::StreamKey;

/// Limits of a batch: beyond them a longer one no longer pays.
pub(super) const BATCH_UNITS_MAX: usize = 256;
pub(super) const BATCH_BYTES_MAX: usize = 1 << 20;

pub(super) struct Pending {
    pub(super) unit: NewUnit,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// Takes the next batch from the front: within the limits, no aggregate, command id or claim twice, none that a
/// batch under way has. The units that have to wait stay in their order. Tells what the units of the batch have.
pub(super) fn next_batch(
    waiting: &mut VecDeque<Pending>,
    units_max: usize,
    under_way: &VecDeque<Seen>,
) -> (Vec<Pending>, Seen) {
    let mut batch = Vec::with_capacity(waiting.len().min(units_max));
    let mut bytes = 0;
    let mut seen = Seen::default();
    let mut left = VecDeque::new();
    while let Some(pending) = waiting.pop_front() {
        let size = pending.unit.bytes();
        let fits = batch.is_empty() || bytes + size <= BATCH_BYTES_MAX;
        let waits = under_way.iter().any(|others| others.has(&pending.unit));
        // Its keys count even when it waits, so that units of one stream keep their order.
        let shares = seen.add(&pending.unit);
        if fits && !shares && !waits {
            bytes += size;
            batch.push(pending);
        } else {
            left.push_back(pending);
        }
        if batch.len() == units_max {
            break;
        }
    }
    if !left.is_empty() {
        // To those behind what was left it is not under way: it would wait for itself.
        seen = Seen::default();
        for pending in &batch {
            seen.add(&pending.unit);
        }
    }
    left.append(waiting);
    *waiting = left;
    (batch, seen)
}

/// What units of a batch write or wait for.
#[derive(Default)]
pub(super) struct Seen {
    streams: HashSet<StreamKey>,
    commands: HashSet<(Uuid, Uuid)>,
    claims: HashSet<Vec<u8>>,
}

impl Seen {
    fn has(&self, unit: &NewUnit) -> bool {
        self.commands.contains(&(unit.owner, unit.command_id))
            || unit.expected.iter().any(|(stream, _)| self.streams.contains(stream))
            || unit.claims.iter().any(|claim| self.claims.contains(&claim.key_hash))
    }

    /// Adds a unit, and tells whether it shares something with an earlier one. What it has twice itself does
    /// not count: a unit may release and take the same claim, and a stream named twice is refused later.
    fn add(&mut self, unit: &NewUnit) -> bool {
        let shares = self.has(unit);
        self.commands.insert((unit.owner, unit.command_id));
        self.streams.extend(unit.expected.iter().map(|(stream, _)| *stream));
        self.claims.extend(unit.claims.iter().map(|claim| claim.key_hash.clone()));
        shares
    }
}
