//! The units that wait to be appended, and the next batch of them.

use std::collections::{HashSet, VecDeque};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{AppendError, Appended, NewUnit};
use crate::cache::StreamKey;

pub(super) const QUEUE_UNITS_MAX: usize = 1024;
/// Limits of a batch: beyond them a longer one no longer pays.
pub(super) const BATCH_UNITS_MAX: usize = 256;
pub(super) const BATCH_BYTES_MAX: usize = 1 << 20;

pub(super) struct Pending {
    pub(super) unit: NewUnit,
    pub(super) answer: oneshot::Sender<Result<Appended, AppendError>>,
    /// The database refused it so often without saying that it is at fault. From the first time on it is sent alone.
    pub(super) refusals: u8,
    /// It was found fine when others of its batch were not: it goes with such units only, without newcomers that could
    /// spoil its batch again.
    pub(super) is_sound: bool,
    /// An answer was lost, so it may be stored already.
    pub(super) may_be_stored: bool,
}

impl Pending {
    pub(super) fn new(unit: NewUnit, answer: oneshot::Sender<Result<Appended, AppendError>>) -> Self {
        Self { unit, answer, refusals: 0, is_sound: false, may_be_stored: false }
    }
}

/// The units that wait, in the order in which they came.
pub(super) struct Queue {
    incoming: mpsc::Receiver<Pending>,
    waiting: VecDeque<Pending>,
    is_open: bool,
}

impl Queue {
    pub(super) fn new(incoming: mpsc::Receiver<Pending>) -> Self {
        Self { incoming, waiting: VecDeque::new(), is_open: true }
    }

    /// The number of units that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.incoming.len()
    }

    /// The next batch is one of sound units: it has all the units that it will have.
    pub(super) fn is_owed(&self) -> bool {
        self.waiting.front().is_some_and(|pending| pending.is_sound)
    }

    /// Nothing waits, and nothing comes any more.
    pub(super) fn is_over(&self) -> bool {
        !self.is_open && self.waiting.is_empty()
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < QUEUE_UNITS_MAX
    }

    /// Takes in all that has come.
    pub(super) fn fill(&mut self) {
        while self.has_room()
            && let Ok(pending) = self.incoming.try_recv()
        {
            self.waiting.push_back(pending);
        }
    }

    /// Waits for the next unit. Never ends while there is no room, nor once nothing comes any more.
    pub(super) async fn wait(&mut self) {
        if !self.is_open || !self.has_room() {
            return std::future::pending().await;
        }
        match self.incoming.recv().await {
            Some(pending) => self.waiting.push_back(pending),
            None => self.is_open = false,
        }
    }

    pub(super) fn next_batch(
        &mut self,
        units_max: usize,
        under_way: &VecDeque<Seen>,
    ) -> (Vec<Pending>, Seen) {
        next_batch(&mut self.waiting, units_max, under_way)
    }

    /// Puts units back to where they were taken from.
    pub(super) fn give_back(&mut self, batch: Vec<Pending>) {
        for pending in batch.into_iter().rev() {
            self.waiting.push_front(pending);
        }
    }

    pub(super) fn take_all(&mut self) -> Vec<Pending> {
        self.waiting.drain(..).collect()
    }
}

/// Takes the next batch from the front: within the limits, all sound or none marked so, no aggregate, command id or
/// claim twice, none that a batch under way has. The units that have to wait stay in their order. Tells the keys of the
/// batch.
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
        let is_suspect = pending.refusals > 0;
        let is_of_its_kind = batch.first().is_none_or(|first: &Pending| first.is_sound == pending.is_sound);
        let fits = batch.is_empty() || (!is_suspect && is_of_its_kind && bytes + size <= BATCH_BYTES_MAX);
        let waits = under_way.iter().any(|others| others.has(&pending.unit));
        // Its keys count even when it waits, so that units of one stream keep their order.
        let shares = seen.add(&pending.unit);
        if fits && !shares && !waits {
            bytes += size;
            batch.push(pending);
            if is_suspect {
                break;
            }
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

/// The keys that the units of a batch write or wait for.
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
