//! Decides when the next batch goes, and how. Pure: it is told the time and the numbers, and knows no database.
//!
//! A batch costs nearly the same however full it is, so the callers that were just answered are worth a short wait:
//! a single early caller should not have a batch of its own while all others wait for the next. And a batch ahead is
//! written while the one in front reaches the disk, so with enough callers two are under way at a time.

use std::time::Duration;

use tokio::time::Instant;

use super::queue::BATCH_UNITS_MAX;
use crate::{Position, Span};

/// The longest wait for few callers while nobody else writes: about as long as they take to decide. A longer one is a
/// pace that is not theirs.
const GATHER_FEW_MAX: Duration = Duration::from_micros(60);
/// The longest wait for many callers while nobody else writes.
const GATHER_MANY_MAX: Duration = Duration::from_micros(500);
/// A batch of so many units is not worth a wait while nobody else writes.
const GATHER_UNITS_MAX: usize = 32;
/// The longest wait for callers while other processes write: the lock is theirs meanwhile, and full batches in turn
/// are faster for all.
const GATHER_MAX: Duration = Duration::from_millis(3);
/// Fewer callers are served as fast by one batch at a time.
const TWO_WAYS_CALLERS_MIN: usize = 24;
/// A batch is sent behind one that has no answer yet only while the last one that fitted did so a short time ago. Two
/// processes that both are two batches ahead can wait for each other until the database ends that after a second; to
/// be two ahead the other must have stored two batches meanwhile.
const PROOF_AGE_MAX: Duration = Duration::from_millis(5);
/// After each further misfit in a row twice as many batches go at the lock, up to so many.
const REST_BATCHES_MAX: u32 = 64;
/// The pause after a failure of the database, and after one of opening a connection. It doubles with each in a row.
pub(super) const RETRY_DELAY_MIN: Duration = Duration::from_millis(20);
pub(super) const RETRY_DELAY_MAX: Duration = Duration::from_secs(1);
/// The server ends a statement after 30 seconds; an answer that takes longer is lost, with its connection.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(35);
/// Opening a connection may take so long.
pub(super) const OPEN_MAX: Duration = Duration::from_secs(10);
/// The timers of the runtime are late by up to so much.
pub(super) const TIMER_RESOLUTION: Duration = Duration::from_millis(1);
/// A unit that the database refuses although nothing is wrong with it is sent again so often.
pub(super) const REFUSALS_MAX: u8 = 5;

/// The next step of the appender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is to be sent until something happens, or until that time.
    Wait(Option<Instant>),
    /// The next batch is sent at the lock of the log.
    Lead,
    /// The next batch is sent behind the known end of the log.
    Follow { units_max: usize },
}

/// The state of the appender, as far as pacing needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) now: Instant,
    /// Units that wait.
    pub(super) waiting: usize,
    /// Those in front were found fine in a batch that did not fit: they wait for nobody.
    pub(super) is_owed: bool,
    /// Batches under way, and their units.
    pub(super) batches: usize,
    pub(super) units: usize,
    /// True while the end of the log is known, once all that is under way is stored.
    pub(super) knows_end: bool,
}

#[derive(Debug)]
pub(super) struct Pacing {
    /// The last position that this process wrote, and whether nobody else wrote between its last two batches.
    last_own: Position,
    is_alone: bool,
    /// The callers there are: those who wait, those whose batch is under way, those who were just answered.
    callers: usize,
    /// A batch waits for so many units, and until then if none is under way.
    enough: usize,
    patient_until: Instant,
    /// The time at which a batch last fitted, and whether those under way were sent soon after it.
    fitted_at: Option<Instant>,
    is_proven: bool,
    /// So many batches still go at the lock, and so many will after the next misfit.
    rest_batches: u32,
    next_rest_batches: u32,
    /// Nothing is sent before this time; the delay is that of the next failure.
    retry_from: Instant,
    retry_delay: Duration,
}

impl Pacing {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last_own: Position::ZERO,
            is_alone: true,
            callers: 1,
            enough: 1,
            patient_until: now,
            fitted_at: None,
            is_proven: false,
            rest_batches: 0,
            next_rest_batches: 0,
            retry_from: now,
            retry_delay: RETRY_DELAY_MIN,
        }
    }

    /// Tells the next step.
    pub(super) fn next(&self, it: &Situation) -> Step {
        let is_idle = it.batches == 0;
        let is_due = it.is_owed || it.waiting >= self.enough || (is_idle && self.patient_until <= it.now);
        if it.waiting == 0 {
            Step::Wait(None)
        } else if it.now < self.retry_from {
            Step::Wait(Some(self.retry_from))
        } else if !is_due {
            Step::Wait(is_idle.then_some(self.patient_until))
        } else if self.goes_ahead(it) {
            let may_follow = is_idle || (self.has_two_ways() && it.batches < 2 && self.is_proven);
            if may_follow { Step::Follow { units_max: self.units_max() } } else { Step::Wait(None) }
        } else if is_idle {
            Step::Lead
        } else {
            Step::Wait(None)
        }
    }

    /// A single unit is faster at the lock.
    fn goes_ahead(&self, it: &Situation) -> bool {
        it.knows_end && self.rest_batches == 0 && it.waiting > 1
    }

    fn has_two_ways(&self) -> bool {
        self.is_alone && self.callers >= TWO_WAYS_CALLERS_MIN
    }

    /// A batch ahead has half of the callers at most: a bigger one leaves too few for the one behind it.
    fn units_max(&self) -> usize {
        if self.has_two_ways() { self.callers.div_ceil(2).min(BATCH_UNITS_MAX) } else { BATCH_UNITS_MAX }
    }

    /// A batch was sent ahead; `is_first` when none was under way.
    pub(super) fn sent_ahead(&mut self, now: Instant, is_first: bool) {
        if is_first {
            self.is_proven = self.fitted_at.is_some_and(|at| now - at < PROOF_AGE_MAX);
        }
    }

    /// A batch was stored. Tells whether nobody else wrote since the last one.
    pub(super) fn stored(&mut self, now: Instant, was_ahead: bool, stored: Span) -> bool {
        if was_ahead {
            self.fitted_at = Some(now);
            self.next_rest_batches = 0;
        } else {
            self.led();
        }
        self.retry_delay = RETRY_DELAY_MIN;
        self.is_alone = stored.after == self.last_own;
        self.last_own = stored.upto;
        self.is_alone
    }

    /// A batch went at the lock, and the database answered.
    pub(super) fn led(&mut self) {
        self.rest_batches = self.rest_batches.saturating_sub(1);
        self.retry_delay = RETRY_DELAY_MIN;
    }

    /// A batch ahead did not fit. Of those under way that fall together only the first is a misfit: it takes the known
    /// end of the log with it.
    pub(super) fn misfitted(&mut self, knew_end: bool) {
        if !knew_end {
            return;
        }
        self.rest_batches = self.next_rest_batches;
        self.next_rest_batches = (self.next_rest_batches * 2).clamp(1, REST_BATCHES_MAX);
    }

    /// The database failed; the outcome of a batch may be unknown.
    pub(super) fn failed(&mut self, now: Instant) {
        self.retry_from = now + self.retry_delay;
        self.retry_delay = (self.retry_delay * 2).min(RETRY_DELAY_MAX);
    }

    /// A batch ended and so many callers were answered: decides how long the next batch waits for them.
    ///
    /// Of many callers three eighths are enough: they decide while the batch of the others is stored. To wait for half
    /// of them would be to wait for the very last one. Of a few all but an eighth are waited for.
    pub(super) fn answered(&mut self, it: &Situation, answered: usize) {
        let callers = it.waiting + it.units + answered;
        // With two batches under way those of the one in front may not be back yet.
        self.callers = if self.has_two_ways() { callers.max(self.callers * 3 / 4) } else { callers };
        let (enough, patience) = if !self.is_alone {
            (self.callers, GATHER_MAX)
        } else if it.knows_end && self.rest_batches == 0 && self.has_two_ways() {
            (self.callers * 3 / 8, GATHER_MANY_MAX)
        } else {
            ((self.callers * 7 / 8).min(GATHER_UNITS_MAX), GATHER_FEW_MAX)
        };
        self.enough = enough.clamp(1, BATCH_UNITS_MAX);
        self.patient_until = it.now + patience;
    }
}
