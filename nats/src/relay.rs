//! The relay: publishes the log to the stream, in order, each event once.
//!
//! It keeps no state of its own: where it goes on is the stream's last sequence. Every publish names the
//! sequence that must come before it, so the broker itself refuses a gap, a duplicate or a second relay.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use event_log::leases::{self, Lease};
use event_log::{EventLog, clock};
use futures::StreamExt;
use futures::future::join_all;
use tokio::sync::watch;
use uuid::Uuid;

use crate::message::{headers_of, subject_of};
use crate::stream::StreamError;
use crate::{Bus, BusError, decode};

const LEASE: &str = "relay";
const LEASE_LIFE: Duration = Duration::from_secs(5);
/// How long the relay sleeps when nobody wakes it.
const POLL: Duration = Duration::from_millis(250);
/// Not more than the connection lets go unacknowledged, see `bus`.
const PAGE_EVENTS: i64 = 1000;
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// What the relay is doing, for health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    Starting,
    /// Another process is the relay.
    StandingBy,
    /// Everything up to this position was acknowledged by the stream.
    Relaying {
        position: i64,
    },
    /// JetStream or the log is away.
    Waiting,
    /// The stream holds events that the log does not: the operator decides.
    LogRewound {
        stream: i64,
        log: i64,
    },
}

/// The relay of one process. Several may run; one is active.
#[derive(Debug)]
pub struct Relay {
    log: EventLog,
    bus: Bus,
    holder: Uuid,
    state: watch::Sender<RelayState>,
}

impl Relay {
    pub fn new(log: EventLog, bus: Bus) -> Self {
        Self { log, bus, holder: clock::new_id(), state: watch::Sender::new(RelayState::Starting) }
    }

    pub fn state(&self) -> watch::Receiver<RelayState> {
        self.state.subscribe()
    }

    /// Runs until the task is dropped.
    pub async fn run(self) {
        loop {
            match leases::acquire(self.log.pool(), LEASE, self.holder, LEASE_LIFE).await {
                Ok(Some(lease)) => {
                    if let Err(error) = self.relay(&lease).await {
                        tracing::warn!(%error, "the relay starts again");
                        self.state.send_replace(RelayState::Waiting);
                    }
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                Ok(None) => {
                    self.state.send_replace(RelayState::StandingBy);
                    tokio::time::sleep(LEASE_LIFE / 5).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the relay cannot ask for its lease");
                    self.state.send_replace(RelayState::Waiting);
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    async fn relay(&self, lease: &Lease) -> Result<(), StreamError> {
        let mut stream = self.bus.stream(&self.log).await?;
        let mut last = last_sequence(&mut stream).await?;
        if let Some(log) = self.rewound(&stream, last).await? {
            self.state.send_replace(RelayState::LogRewound { stream: last, log });
            tracing::error!(
                stream = last,
                log,
                "the stream holds events that the log does not: the relay stops"
            );
            return Ok(());
        }
        let mut hints = self.bus.appended_hints().await?;
        let mut renewed = tokio::time::Instant::now();
        loop {
            if renewed.elapsed() > LEASE_LIFE / 3 {
                if leases::acquire(self.log.pool(), LEASE, lease.holder, LEASE_LIFE).await?.is_none() {
                    return Ok(());
                }
                renewed = tokio::time::Instant::now();
            }
            let published = self.publish_page(last).await?;
            if published == last {
                self.state.send_if_modified(|state| {
                    let now = RelayState::Relaying { position: last };
                    std::mem::replace(state, now) != now
                });
                // A hint that comes while we publish is still in the subscription, so none is missed.
                let _ = tokio::time::timeout(POLL, hints.next()).await;
                // A wiped or recreated stream shows here, not only when the next event is refused.
                if hints_are_quiet(&mut hints) && self.log.head().await? == last {
                    let now = last_sequence(&mut stream).await?;
                    if now != last {
                        return Ok(());
                    }
                }
            }
            last = published;
        }
    }

    /// Publishes the next page behind `last` and collects all acknowledgements. Returns the new last one.
    async fn publish_page(&self, last: i64) -> Result<i64, StreamError> {
        let page = self.log.page(last, PAGE_EVENTS).await?;
        let mut acks = Vec::with_capacity(page.len());
        let mut failed = None;
        for event in &page {
            let before = u64::try_from(event.position - 1).unwrap_or_default();
            let message = PublishMessage::build()
                .headers(headers_of(event))
                .payload(event.payload.clone().into())
                .expected_last_sequence(before);
            match self.bus.jetstream.send_publish(subject_of(event), message).await {
                Ok(ack) => acks.push(async { (event.position, ack.await) }),
                Err(error) => {
                    failed = Some(BusError::unavailable(error));
                    break;
                }
            }
        }
        // The window is drained even after an error: only then can the stream be asked where it stands.
        let mut reached = last;
        for (position, ack) in join_all(acks).await {
            match ack {
                Ok(ack) if i64::try_from(ack.sequence) == Ok(position) => reached = reached.max(position),
                Ok(ack) => {
                    failed = Some(BusError::Malformed { sequence: ack.sequence, header: "sequence" });
                }
                Err(error) => failed = failed.or(Some(BusError::unavailable(error))),
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(reached),
        }
    }

    /// The log's head, if the stream is ahead of it or holds another event at its last sequence.
    async fn rewound(&self, stream: &Stream, last: i64) -> Result<Option<i64>, StreamError> {
        let head = self.log.head().await?;
        if last > head {
            return Ok(Some(head));
        }
        let Ok(sequence) = u64::try_from(last) else { return Ok(None) };
        // The last message may have aged out or never existed: then there is nothing to compare.
        let Ok(message) = stream.get_raw_message(sequence).await else { return Ok(None) };
        let published = decode(sequence, Some(&message.headers), &message.payload)?;
        let stored = self.log.page(last - 1, 1).await?;
        let same = stored
            .first()
            .is_some_and(|event| event.event_id == published.event_id && event.chain == published.chain);
        Ok((!same).then_some(head))
    }
}

async fn last_sequence(stream: &mut Stream) -> Result<i64, BusError> {
    let info = stream.info().await.map_err(BusError::unavailable)?;
    Ok(i64::try_from(info.state.last_sequence).unwrap_or(i64::MAX))
}

/// Whether no hint is waiting: the log is idle and there is time to look at the stream.
fn hints_are_quiet(hints: &mut async_nats::Subscriber) -> bool {
    use futures::FutureExt;
    hints.next().now_or_never().is_none()
}
