//! What all persons of a round share: where the servers are, how far the schedule is, which answers are
//! outstanding.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Numbers of commands, for the report.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub commands: usize,
    pub sendings: usize,
    pub acknowledged: usize,
    pub refused: usize,
    /// Sendings that were repeated because no answer came, or one that was none.
    pub repeated: usize,
    /// Keys that were used again on purpose after their answer.
    pub again: usize,
}

#[derive(Debug)]
pub struct Load {
    addresses: Mutex<[String; 2]>,
    outstanding: [AtomicUsize; 2],
    counts: Mutex<Counts>,
    answered: watch::Sender<usize>,
}

/// A command without an answer yet, at one of the servers.
pub struct Outstanding<'a>(&'a AtomicUsize);

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Load {
    pub fn new(addresses: [String; 2]) -> Self {
        Self {
            addresses: Mutex::new(addresses),
            outstanding: [AtomicUsize::new(0), AtomicUsize::new(0)],
            counts: Mutex::default(),
            answered: watch::Sender::new(0),
        }
    }

    pub fn address(&self, server: usize) -> String {
        self.addresses.lock().unwrap()[server].clone()
    }

    pub fn moved(&self, server: usize, address: &str) {
        self.addresses.lock().unwrap()[server] = address.to_owned();
    }

    pub fn sending(&self, server: usize) -> Outstanding<'_> {
        self.outstanding[server].fetch_add(1, Ordering::SeqCst);
        Outstanding(&self.outstanding[server])
    }

    /// Commands whose answer is outstanding at a server.
    pub fn outstanding(&self, server: usize) -> usize {
        self.outstanding[server].load(Ordering::SeqCst)
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap());
    }

    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// One more command has its answer.
    pub fn answered(&self) {
        self.answered.send_modify(|answered| *answered += 1);
    }

    /// Waits until so many commands have their answer.
    pub async fn until(&self, answers: usize) {
        let reached = self.answered.subscribe().wait_for(|answered| *answered >= answers).await.is_ok();
        assert!(reached, "the schedule has not ended");
    }
}
