//! Locks by key, a fixed number of them: two keys that share a lock merely wait for each other.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

const STRIPES: u64 = 4096;

#[derive(Debug, Clone)]
pub(crate) struct KeyedLocks(Arc<[Arc<Mutex<()>>]>);

impl KeyedLocks {
    pub(crate) fn new() -> Self {
        Self((0..STRIPES).map(|_| Arc::default()).collect())
    }

    /// Locks all keys, in one order for everybody, so that no two callers wait for each other in a circle.
    pub(crate) async fn lock<K: Hash>(&self, keys: impl IntoIterator<Item = K>) -> Vec<OwnedMutexGuard<()>> {
        let stripes: BTreeSet<u64> = keys
            .into_iter()
            .map(|key| {
                let mut hasher = DefaultHasher::new();
                key.hash(&mut hasher);
                hasher.finish() % STRIPES
            })
            .collect();
        let mut guards = Vec::with_capacity(stripes.len());
        for stripe in stripes {
            let index = usize::try_from(stripe).unwrap_or_default();
            guards.push(Arc::clone(&self.0[index]).lock_owned().await);
        }
        guards
    }
}
