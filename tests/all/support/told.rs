//! What clients were told: every answer that the checker holds the log against.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use uuid::Uuid;

/// A command that was acknowledged.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// Whose command it was; the nil id where nobody was logged in.
    pub owner: Uuid,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
    /// The newest position that its author had seen when it was sent for the first time.
    pub seen: i64,
    pub position: i64,
    pub status: u16,
    pub body: Value,
}

/// A page of messages that was to have seen everything up to `after`, and did not say that it had not.
#[derive(Debug, Clone)]
pub struct ReadBack {
    pub chat: String,
    pub after: i64,
    pub messages: Vec<String>,
    /// Whether these are all messages of the chat and not only its newest ones.
    pub is_whole: bool,
}

#[derive(Debug, Default)]
struct Record {
    acknowledged: Vec<Acknowledged>,
    /// Keys of commands that were sent once and refused.
    refused: Vec<(Uuid, String)>,
    reads: Vec<ReadBack>,
    /// How often a key was sent, and what its author had seen at first.
    sent: HashMap<(Uuid, String), (usize, i64)>,
    /// What the clients have seen.
    seen: Vec<Arc<AtomicI64>>,
}

/// Everything that clients were told.
#[derive(Debug, Clone, Default)]
pub struct Told(Arc<Mutex<Record>>);

impl Told {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap()
    }

    /// A place for the newest position that a new client has seen.
    pub fn newcomer(&self) -> Arc<AtomicI64> {
        let seen = Arc::new(AtomicI64::new(0));
        self.record().seen.push(seen.clone());
        seen
    }

    /// A command is about to be sent. Gives what its author had seen when it was sent first.
    pub fn sending(&self, owner: Uuid, key: Option<&str>, seen: i64) -> i64 {
        let Some(key) = key else { return seen };
        let mut record = self.record();
        let (times, first) = record.sent.entry((owner, key.to_owned())).or_insert((0, seen));
        *times += 1;
        *first
    }

    pub fn acknowledge(&self, command: Acknowledged) {
        self.record().acknowledged.push(command);
    }

    /// A command was refused. Where it was sent before, an earlier one may still be under way.
    pub fn refuse(&self, owner: Uuid, key: &str) {
        let mut record = self.record();
        let key = (owner, key.to_owned());
        if record.sent.get(&key).is_some_and(|(times, _)| *times == 1) {
            record.refused.push(key);
        }
    }

    pub fn read(&self, page: ReadBack) {
        self.record().reads.push(page);
    }

    /// What was told beyond `position` was given up by the operator.
    pub fn give_up_after(&self, position: i64) {
        let mut record = self.record();
        record.acknowledged.retain(|command| command.position <= position);
        record.reads.retain(|page| page.after <= position);
        for seen in &record.seen {
            seen.fetch_min(position, Ordering::Relaxed);
        }
        for (_, seen) in record.sent.values_mut() {
            *seen = (*seen).min(position);
        }
    }

    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.record().acknowledged.clone()
    }

    pub fn refused(&self) -> Vec<(Uuid, String)> {
        self.record().refused.clone()
    }

    pub fn reads(&self) -> Vec<ReadBack> {
        self.record().reads.clone()
    }
}
