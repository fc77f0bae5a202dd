//! The worker of one projection: takes the lease, follows the log, applies, until it is dropped.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use event_log::leases::{self, Lease};
use event_log::{EventLog, LogError, OpenedEvent, Position, checkpoints, clock};
use metrics::counter;
use nats::{Bus, Feed, Pace, Rests};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::batch::Batch;
use super::connect::connect;
use super::halt::Halt;
use super::progress;
use super::projection::Projection;
use super::spec::Latency;

const PAGE_EVENTS_MAX: usize = 500;
/// The time that a worker waits for a page to fill while events come fast. Up to then pages are as long as the relay
/// makes them, and a rest would only come on top of its own.
const REST: Duration = Duration::from_millis(25);
/// A checkpoint is behind the events that were passed over for so long at most.
const FLUSH_AFTER: Duration = Duration::from_millis(10);
/// The same while events come fast: a checkpoint is a transaction, and nothing was applied.
const FLUSH_AFTER_WHEN_BUSY: Duration = Duration::from_millis(50);
const LEASE_LIFE: Duration = Duration::from_secs(3);
const LEASE_RENEWAL: Duration = Duration::from_millis(750);
const STAND_BY: Duration = Duration::from_millis(600);
const RETRY_DELAY_MIN: Duration = Duration::from_millis(50);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);
/// The rest of a stopped projection before it tries the same event again.
const STOPPED_DELAY: Duration = Duration::from_secs(10);

/// The occupation of a worker, for health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerStatus {
    Starting,
    /// Another worker holds the lease.
    StandingBy,
    /// Everything up to this position is applied.
    Following {
        position: Position,
    },
    /// Something is away; the worker tries again by itself.
    Waiting {
        reason: String,
    },
    /// The event at this position cannot be applied, and nothing behind it is.
    Stopped {
        position: Position,
        reason: String,
    },
}

/// The worker of one projection in one process. Several may run; one is active.
pub struct Worker {
    log: EventLog,
    bus: Bus,
    feed: Feed,
    projection: Arc<dyn Projection>,
    holder: Uuid,
    status: watch::Sender<WorkerStatus>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker").field("projection", &self.projection.spec().name).finish_non_exhaustive()
    }
}

/// Why a turn as the holder of the lease ended.
enum Ended {
    NotHolder,
    /// The lease is somebody else's, the read model was emptied, or parked events are to be tried again.
    StartAgain,
}

impl Worker {
    /// A worker that follows what the others of its process follow too.
    pub fn new(log: EventLog, bus: Bus, feed: Feed, projection: Arc<dyn Projection>) -> Self {
        let status = watch::Sender::new(WorkerStatus::Starting);
        Self { log, bus, feed, projection, holder: clock::new_id(), status }
    }

    /// In whose name the lease is held.
    pub fn holder(&self) -> Uuid {
        self.holder
    }

    pub fn status(&self) -> watch::Receiver<WorkerStatus> {
        self.status.subscribe()
    }

    /// Runs until the task is dropped.
    pub async fn run(self) {
        let projection = self.projection.spec().name;
        let mut retry_delay = RETRY_DELAY_MIN;
        loop {
            let pause = match self.turn(&mut retry_delay).await {
                Ok(Ended::NotHolder) => {
                    self.status.send_replace(WorkerStatus::StandingBy);
                    STAND_BY
                }
                Ok(Ended::StartAgain) => RETRY_DELAY_MIN,
                Err(Halt::Lost) => {
                    tracing::warn!(projection, "somebody else moves the checkpoint");
                    STAND_BY
                }
                Err(Halt::Stopped { position, reason }) => {
                    tracing::error!(projection, %position, reason, "the projection is stopped");
                    self.status.send_replace(WorkerStatus::Stopped { position, reason });
                    STOPPED_DELAY
                }
                Err(Halt::Failed(error)) => {
                    tracing::warn!(projection, error = &error as &dyn std::error::Error, "trying again");
                    self.status.send_replace(WorkerStatus::Waiting { reason: error.to_string() });
                    retry_delay = (retry_delay * 2).min(RETRY_DELAY_MAX);
                    retry_delay
                }
            };
            sleep(jittered(pause)).await;
        }
    }

    /// Takes the lease if it is free and works for as long as it lasts.
    async fn turn(&self, retry_delay: &mut Duration) -> Result<Ended, Halt> {
        let name = self.projection.spec().name;
        let Some(lease) = self.lease().await? else { return Ok(Ended::NotHolder) };
        let Some(position) = checkpoints::take_over(self.log.pool(), name, lease.epoch).await? else {
            return Ok(Ended::NotHolder);
        };
        // A projection that is stopped is so until it gets past the event.
        if !matches!(*self.status.borrow(), WorkerStatus::Stopped { .. }) {
            self.status.send_replace(WorkerStatus::Following { position });
        }
        let ended = tokio::select! {
            ended = self.keep(&lease) => Ok(ended),
            halt = self.follow(&lease, position, retry_delay) => Err(halt),
        };
        if let Err(Halt::Stopped { reason, .. }) = &ended
            && let Err(error) = checkpoints::stop(self.log.pool(), name, lease.epoch, reason).await
        {
            tracing::warn!(projection = name, %error, "the stop was not noted; it will be at the next attempt");
        }
        // A lease that cannot be given back ends by itself.
        if let Err(error) = leases::release(self.log.pool(), &lease).await {
            tracing::debug!(projection = name, %error, "the lease was not given back");
        }
        ended
    }

    async fn lease(&self) -> Result<Option<Lease>, LogError> {
        let name = self.projection.spec().lease();
        leases::acquire(self.log.pool(), &name, self.holder, LEASE_LIFE).await
    }

    /// Renews the lease until it is lost or there is reason to start again.
    async fn keep(&self, lease: &Lease) -> Ended {
        let mut held_until = Instant::now() + LEASE_LIFE;
        loop {
            sleep(LEASE_RENEWAL).await;
            let asked = Instant::now();
            match self.lease().await {
                Ok(Some(renewed)) if renewed.epoch == lease.epoch => held_until = asked + LEASE_LIFE,
                Ok(_) => return Ended::StartAgain,
                Err(error) => tracing::debug!(lease = lease.name, %error, "the lease was not renewed"),
            }
            if Instant::now() >= held_until {
                return Ended::StartAgain;
            }
            // The checkpoint is never behind what the status says, unless somebody set it back.
            let WorkerStatus::Following { position } = *self.status.borrow() else { continue };
            match progress::must_start_again(self.log.pool(), self.projection.spec().name, position).await {
                Ok(true) => return Ended::StartAgain,
                Ok(false) => {}
                Err(error) => tracing::debug!(lease = lease.name, %error, "the checkpoint was not read"),
            }
        }
    }

    async fn follow(&self, lease: &Lease, position: Position, retry_delay: &mut Duration) -> Halt {
        match self.try_follow(lease, position, retry_delay).await {
            Ok(never) => match never {},
            Err(halt) => halt,
        }
    }

    async fn try_follow(
        &self,
        lease: &Lease,
        position: Position,
        retry_delay: &mut Duration,
    ) -> Result<std::convert::Infallible, Halt> {
        let mut connection = connect(&self.log).await?;
        let mut batch = Batch {
            projection: self.projection.as_ref(),
            name: self.projection.spec().name,
            log: &self.log,
            connection: &mut connection,
            epoch: lease.epoch,
            position,
            passed: position,
            parked: HashSet::new(),
        };
        batch.retry_parked().await?;
        let mut follower = self.feed.follow(position);
        let brisk = match self.projection.spec().latency {
            Latency::Interactive => Duration::ZERO,
            Latency::Background => REST,
        };
        let mut pace = Pace::new(Rests { brisk, busy: REST });
        let mut flush_at = Instant::now();
        loop {
            let next = follower.next(PAGE_EVENTS_MAX);
            let page = if batch.has_passed() {
                let page =
                    if Instant::now() < flush_at { timeout_at(flush_at, next).await.ok() } else { None };
                let Some(page) = page else {
                    batch.flush().await?;
                    self.status.send_replace(WorkerStatus::Following { position: batch.position });
                    continue;
                };
                page?
            } else {
                flush_at = Instant::now() + if pace.is_busy() { FLUSH_AFTER_WHEN_BUSY } else { FLUSH_AFTER };
                next.await?
            };
            let events = page.len();
            let applied = batch.apply(page).await?;
            *retry_delay = RETRY_DELAY_MIN;
            self.status.send_replace(WorkerStatus::Following { position: batch.position });
            if !applied.is_empty() {
                counter!("routix_projection_applied_total", "projection" => self.projection.spec().name)
                    .increment(applied.len() as u64);
                let applied: Vec<&OpenedEvent> = applied.iter().collect();
                self.projection.after_commit(&self.bus, &applied).await;
            }
            pace.page(events, events == PAGE_EVENTS_MAX).await;
        }
    }
}

/// Up to a quarter more, so that workers do not all try at the same moment.
fn jittered(pause: Duration) -> Duration {
    pause + pause * u32::from(clock::new_id().as_bytes()[15]) / 1024
}
