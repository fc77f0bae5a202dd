//! When to wait a moment for more. At a low rate nobody waits. At a high one every page costs a transaction or
//! a round trip, and a page of one event costs nearly as much as one of a hundred.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// From this rate on a page is worth waiting for.
const BUSY_EVENTS_PER_SECOND: u64 = 2000;
const WINDOW: Duration = Duration::from_millis(50);

/// Measures the rate of one reader and lets it rest between pages while the rate is high.
#[derive(Debug)]
pub struct Pace {
    rest: Duration,
    since: Instant,
    events: u64,
    is_busy: bool,
}

impl Pace {
    /// A pace that rests for so long.
    pub fn new(rest: Duration) -> Self {
        Self { rest, since: Instant::now(), events: 0, is_busy: false }
    }

    /// Whether events come fast.
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Told after a page how many events it had. `full` when the next page waits already: then nobody rests.
    pub async fn page(&mut self, events: usize, full: bool) {
        self.events += events as u64;
        let window = self.since.elapsed();
        if window >= WINDOW {
            let busy = BUSY_EVENTS_PER_SECOND * u64::try_from(window.as_millis()).unwrap_or(u64::MAX) / 1000;
            self.is_busy = self.events >= busy;
            (self.since, self.events) = (Instant::now(), 0);
        }
        if self.is_busy && !full {
            sleep(self.rest).await;
        }
    }
}
