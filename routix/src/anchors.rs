//! Keeps the end of the log, signed, in the folder of anchors, and compares the newest of them with the log.

use std::sync::Arc;
use std::time::Duration;

use event_log::{AnchorFolder, AnchorKey, AnchorStanding, EventLog, LogKeys, clock, leases};
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::Config;

const LEASE: &str = "anchors";
const LEASE_LIFE: Duration = Duration::from_secs(30);
/// The newest anchor is compared so often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The anchors of this process's log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Anchors {
    log: EventLog,
    folder: AnchorFolder,
    key: Arc<AnchorKey>,
    every: Duration,
    holder: Uuid,
    fault: watch::Sender<Option<String>>,
}

impl Anchors {
    /// `None` where no folder is named.
    pub fn of(config: &Config, log: &EventLog, keys: &LogKeys) -> Option<Self> {
        let folder = AnchorFolder::at(config.anchors.as_ref()?);
        let every = Duration::from_secs(config.anchor_seconds.max(1));
        let (key, holder) = (Arc::new(keys.anchor_key()), clock::new_id());
        let fault = watch::Sender::new(None);
        Some(Self { log: log.clone(), folder, key, every, holder, fault })
    }

    pub fn holder(&self) -> Uuid {
        self.holder
    }

    /// Why the newest anchor does not hold.
    pub fn fault(&self) -> watch::Receiver<Option<String>> {
        self.fault.subscribe()
    }

    /// Compares again and again.
    pub async fn watch(self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            ticks.tick().await;
            self.compare().await;
        }
    }

    /// Signs the end of the log again and again, in one process of several.
    pub async fn keep(self) {
        let mut ticks = tokio::time::interval(self.every);
        loop {
            ticks.tick().await;
            self.sign().await;
        }
    }

    /// Signs the end of the log, unless another process does, nothing is new, or the log is not the one that was
    /// anchored: a forger's log gets no signature.
    pub async fn sign(&self) {
        match leases::acquire(self.log.pool(), LEASE, self.holder, LEASE_LIFE.max(self.every * 2)).await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "the end of the log is not anchored"),
        }
        let newest = match self.compare().await {
            Some(AnchorStanding::Empty) => None,
            Some(AnchorStanding::Holds(head)) => Some(head),
            Some(AnchorStanding::Broken(_)) | None => return,
        };
        let head = match self.log.log_head().await {
            Ok(head) => head,
            Err(error) => return tracing::warn!(%error, "the end of the log is not anchored"),
        };
        if newest.is_some_and(|newest| newest.position == head.position) {
            return;
        }
        let (folder, key) = (self.folder.clone(), Arc::clone(&self.key));
        let kept = tokio::task::spawn_blocking(move || folder.keep(&key, &head)).await;
        if let Ok(Err(error)) = kept {
            tracing::error!(%error, folder = %self.folder.path().display(), "an anchor cannot be kept");
        }
    }

    /// `None` while the log cannot be asked.
    async fn compare(&self) -> Option<AnchorStanding> {
        let standing = self.folder.compare(&self.log, &self.key.public()).await.ok()?;
        let fault = match &standing {
            AnchorStanding::Broken(reason) => Some(reason.clone()),
            AnchorStanding::Empty | AnchorStanding::Holds(_) => None,
        };
        self.fault.send_if_modified(|known| {
            let is_news = *known != fault;
            if let Some(reason) = fault.as_deref().filter(|_| is_news) {
                tracing::error!(reason, "the log is not the one that was anchored");
            }
            *known = fault;
            is_news
        });
        Some(standing)
    }
}
