//! Short-lived state that processes share: socket tickets and rate windows, in KV buckets that forget: the server removes
//! what is older than the bucket's age, so no clean-up has to.
//! While NATS is away limits fall back to this process, and tickets are refused.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{Config, Store};
use async_nats::jetstream::stream::StorageType;
use chrono::{DateTime, Utc};
use event_log::clock;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Bus, BusError};

/// The session that a ticket stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub user_id: Uuid,
    pub session_id: Uuid,
}

/// Tickets with which a socket is opened: good for one use within their life.
#[derive(Debug, Clone)]
pub struct Tickets {
    bus: Bus,
}

impl Tickets {
    pub const LIFE: Duration = Duration::from_secs(30);

    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }

    async fn bucket(&self) -> Result<Store, BusError> {
        bucket(&self.bus, "ROUTIX_TICKETS", Self::LIFE).await
    }

    /// Keeps a ticket under its hash, never under the ticket itself.
    pub async fn issue(&self, hash: &str, ticket: &Ticket) -> Result<(), BusError> {
        let value = serde_json::to_vec(ticket).map_err(BusError::unavailable)?;
        self.bucket().await?.create(hash, value.into()).await.map_err(BusError::unavailable)?;
        Ok(())
    }

    /// Takes a ticket away. `None` when it is unknown, too old or used.
    pub async fn redeem(&self, hash: &str) -> Result<Option<Ticket>, BusError> {
        let bucket = self.bucket().await?;
        let entry = bucket.entry(hash).await.map_err(BusError::unavailable)?;
        let Some(entry) = entry.filter(|entry| !entry.value.is_empty()) else { return Ok(None) };
        // Of two that redeem at once, one deletes this revision and the other fails.
        if bucket.delete_expect_revision(hash, Some(entry.revision)).await.is_err() {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&entry.value).ok())
    }
}

/// The verdict of a limit on one more request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateVerdict {
    pub allowed: bool,
    pub limit: u32,
    pub remaining: u32,
    pub reset_seconds: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Window {
    count: u32,
    ends_at: DateTime<Utc>,
}

impl Window {
    fn hit(known: Option<Self>, now: DateTime<Utc>, length: Duration) -> Self {
        match known {
            Some(window) if window.ends_at > now => Self { count: window.count.saturating_add(1), ..window },
            _ => Self { count: 1, ends_at: now + length },
        }
    }

    fn verdict(self, limit: u32, now: DateTime<Utc>) -> RateVerdict {
        let left = (self.ends_at - now).to_std().unwrap_or_default();
        RateVerdict {
            allowed: self.count <= limit,
            limit,
            remaining: limit.saturating_sub(self.count),
            reset_seconds: left.as_secs() + u64::from(left.subsec_nanos() > 0),
        }
    }
}

/// Counts requests in fixed windows.
#[derive(Debug, Clone)]
pub struct RateLimiter {
    bus: Bus,
    local: Arc<Mutex<HashMap<String, Window>>>,
}

impl RateLimiter {
    /// Windows of this process are dropped beyond so many keys.
    const LOCAL_KEYS_MAX: usize = 100_000;
    /// Longer than any window.
    pub const LIFE: Duration = Duration::from_mins(15);

    pub fn new(bus: Bus) -> Self {
        Self { bus, local: Arc::default() }
    }

    /// Counts one request of `key` and says whether it is within `limit` per `length`.
    pub async fn hit(&self, key: &str, limit: u32, length: Duration) -> RateVerdict {
        let now = clock::now();
        match self.hit_shared(key, limit, length).await {
            Ok(window) => window.verdict(limit, now),
            Err(error) => {
                tracing::debug!(%error, "the limit is counted in this process only");
                self.hit_local(key, now, length).verdict(limit, now)
            }
        }
    }

    async fn hit_shared(&self, key: &str, limit: u32, length: Duration) -> Result<Window, BusError> {
        const ATTEMPTS_MAX: u32 = 20;
        if !self.bus.is_connected() {
            return Err(BusError::unavailable("not connected"));
        }
        let bucket = bucket(&self.bus, "ROUTIX_RATE_WINDOWS", Self::LIFE).await?;
        let key = hex::encode(key);
        for _ in 0..ATTEMPTS_MAX {
            let entry = bucket.entry(&key).await.map_err(BusError::unavailable)?;
            let known = entry.as_ref().and_then(|entry| serde_json::from_slice::<Window>(&entry.value).ok());
            let window = Window::hit(known, clock::now(), length);
            // Beyond the limit the count no longer matters, so a flood costs one read, not a write.
            if window.count > limit.saturating_add(1) {
                return Ok(window);
            }
            let value = serde_json::to_vec(&window).map_err(BusError::unavailable)?;
            let revision = entry.map_or(0, |entry| entry.revision);
            if bucket.update(&key, value.into(), revision).await.is_ok() {
                return Ok(window);
            }
        }
        Err(BusError::unavailable("the window is contended"))
    }

    fn hit_local(&self, key: &str, now: DateTime<Utc>, length: Duration) -> Window {
        let mut windows = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= Self::LOCAL_KEYS_MAX {
            windows.retain(|_, window| window.ends_at > now);
        }
        let window = Window::hit(windows.get(key).copied(), now, length);
        windows.insert(key.to_owned(), window);
        window
    }
}

async fn bucket(bus: &Bus, name: &str, life: Duration) -> Result<Store, BusError> {
    if let Ok(store) = bus.jetstream.get_key_value(name).await {
        return Ok(store);
    }
    let config = Config {
        bucket: name.to_owned(),
        history: 1,
        max_age: life,
        storage: StorageType::Memory,
        num_replicas: bus.options.replicas,
        ..Config::default()
    };
    bus.jetstream.create_key_value(config).await.map_err(BusError::unavailable)
}
