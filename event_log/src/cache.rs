//! States that were loaded or written lately. A cached state may accept a command, because `append` checks
//! it; it may never refuse one.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::Version;

/// Type and id of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StreamKey {
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: Uuid,
}

impl std::fmt::Display for StreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}

#[derive(Clone)]
pub(crate) struct CachedState {
    pub(crate) version: Version,
    state: Arc<dyn Any + Send + Sync>,
}

#[derive(Clone)]
pub(crate) struct StateCache {
    states: Arc<Cache<StreamKey, CachedState>>,
    /// Counts evictions: what was read before one must not be remembered after it.
    evictions: Arc<AtomicU64>,
}

impl StateCache {
    pub(crate) fn new(states_max: usize) -> Self {
        Self { states: Arc::new(Cache::new(states_max)), evictions: Arc::default() }
    }

    pub(crate) fn get<A: Clone + Send + Sync + 'static>(&self, key: &StreamKey) -> Option<(A, Version)> {
        let cached = self.states.get(key)?;
        Some((cached.state.downcast_ref::<A>()?.clone(), cached.version))
    }

    pub(crate) fn put<A: Send + Sync + 'static>(&self, key: StreamKey, state: A, version: Version) {
        self.states.insert(key, CachedState { version, state: Arc::new(state) });
    }

    /// A mark of now, for `put_read`.
    pub(crate) fn mark(&self) -> u64 {
        self.evictions.load(Ordering::SeqCst)
    }

    /// Remembers what was read since `mark`, unless something was evicted meanwhile: the reading may be older
    /// than the reason for the eviction.
    pub(crate) fn put_read<A: Send + Sync + 'static>(
        &self,
        mark: u64,
        key: StreamKey,
        state: A,
        version: Version,
    ) {
        if self.mark() == mark {
            self.put(key, state, version);
        }
    }

    pub(crate) fn evict(&self, key: &StreamKey) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.states.remove(key);
    }

    /// Drops everything: a person was erased, or the log was changed under us.
    pub(crate) fn clear(&self) {
        self.evictions.fetch_add(1, Ordering::SeqCst);
        self.states.clear();
    }
}
