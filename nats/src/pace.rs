//! The rests between pages. At a low rate nobody waits. At a higher one every page costs a transaction or
//! a round trip, and a page of one event costs nearly as much as one of a hundred.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// From this rate on a page is worth waiting for.
const BUSY_EVENTS_PER_SECOND: u64 = 2000;
/// From this rate on it is worth a wait that nobody notices.
const BRISK_EVENTS_PER_SECOND: u64 = 200;
const WINDOW: Duration = Duration::from_millis(50);

/// Measures the rate of one reader and lets it rest between pages while the rate is high.
#[derive(Debug)]
pub struct Pace {
    rests: Rests,
    since: Instant,
    events: u64,
    rate: Rate,
}

/// The rests of a reader between pages.
#[derive(Debug, Clone, Copy)]
pub struct Rests {
    /// From 200 events a second on: a rest that nobody notices.
    pub brisk: Duration,
    /// From 2,000 events a second on.
    pub busy: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rate {
    Low,
    Brisk,
    Busy,
}

impl Rate {
    fn of(events: u64, window: Duration) -> Self {
        let per_second = u128::from(events) * 1000 / window.as_millis().max(1);
        if per_second >= u128::from(BUSY_EVENTS_PER_SECOND) {
            Self::Busy
        } else if per_second >= u128::from(BRISK_EVENTS_PER_SECOND) {
            Self::Brisk
        } else {
            Self::Low
        }
    }
}

impl Pace {
    pub fn new(rests: Rests) -> Self {
        Self { rests, since: Instant::now(), events: 0, rate: Rate::Low }
    }

    /// Tells whether events come fast.
    pub fn is_busy(&self) -> bool {
        self.rate == Rate::Busy
    }

    /// Told after a page how many events it had. `full` when the next page waits already: then nobody rests.
    pub async fn page(&mut self, events: usize, full: bool) {
        self.events += events as u64;
        let window = self.since.elapsed();
        if window >= WINDOW {
            self.rate = Rate::of(self.events, window);
            (self.since, self.events) = (Instant::now(), 0);
        }
        let rest = self.rest();
        if !full && !rest.is_zero() {
            sleep(rest).await;
        }
    }

    fn rest(&self) -> Duration {
        match self.rate {
            Rate::Low => Duration::ZERO,
            Rate::Brisk => self.rests.brisk,
            Rate::Busy => self.rests.busy,
        }
    }
}
