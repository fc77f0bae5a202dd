//! States that were loaded or written lately. A cached state may accept a command, because `append` checks
//! it; it may never refuse one.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

/// Type and id of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct StreamKey {
    pub(crate) aggregate_type: &'static str,
    pub(crate) aggregate_id: String,
}

impl std::fmt::Display for StreamKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}

#[derive(Clone)]
pub(crate) struct CachedState {
    pub(crate) version: i64,
    state: Arc<dyn Any + Send + Sync>,
}

#[derive(Clone)]
pub(crate) struct StateCache(Cache<StreamKey, CachedState>);

impl StateCache {
    pub(crate) fn new(states_max: u64) -> Self {
        const IDLE_LIFE: Duration = Duration::from_mins(10);
        Self(Cache::builder().max_capacity(states_max).time_to_idle(IDLE_LIFE).build())
    }

    pub(crate) fn get<A: Clone + Send + Sync + 'static>(&self, key: &StreamKey) -> Option<(A, i64)> {
        let cached = self.0.get(key)?;
        Some((cached.state.downcast_ref::<A>()?.clone(), cached.version))
    }

    pub(crate) fn put<A: Send + Sync + 'static>(&self, key: StreamKey, state: A, version: i64) {
        self.0.insert(key, CachedState { version, state: Arc::new(state) });
    }

    pub(crate) fn evict(&self, key: &StreamKey) {
        self.0.invalidate(key);
    }

    /// Drops everything: a person was erased, or the log was changed under us.
    pub(crate) fn clear(&self) {
        self.0.invalidate_all();
    }
}
