//! One connection between its requests: since when it waits for one, and the word that it is to go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The period in which a client sends its first request.
const FIRST: u64 = 1;
const BUSY: u64 = 0;

/// A time in which a connection waits for a request; no two of a connection are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(u64);

impl Period {
    /// Tells whether the client has sent no request yet.
    pub fn is_first(self) -> bool {
        self.0 == FIRST
    }
}

/// What the accept loop, the requests and the bytes of a connection know of each other.
#[derive(Debug)]
pub struct Line {
    opened: Instant,
    /// [`BUSY`], or [`FIRST`] and the microseconds from the opening to the beginning of the period.
    waiting: AtomicU64,
    goes: Notify,
}

impl Line {
    pub fn open() -> Self {
        Self { opened: Instant::now(), waiting: AtomicU64::new(FIRST), goes: Notify::new() }
    }

    /// A request is under way.
    pub fn gets_busy(&self) {
        self.waiting.store(BUSY, Ordering::Relaxed);
    }

    /// The last answer is out, and the next request may come.
    pub fn waits(&self) {
        let micros = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX / 2);
        self.waiting.store(micros + FIRST + 1, Ordering::Relaxed);
    }

    pub fn period(&self) -> Option<Period> {
        let period = self.waiting.load(Ordering::Relaxed);
        (period != BUSY).then_some(Period(period))
    }

    /// The time since which the connection waits for a request.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.period().map(|Period(micros)| self.opened + Duration::from_micros(micros - FIRST))
    }

    /// Makes room for somebody else.
    pub fn go(&self) {
        self.goes.notify_one();
    }

    pub async fn told_to_go(&self) {
        self.goes.notified().await;
    }
}
