//! The relay: publishes the log to the stream, in order, each event once.
//!
//! It keeps no state of its own: where it goes on is the stream's last sequence. Every publish names the
//! sequence that must come before it, so the broker itself refuses a gap, a duplicate or a second relay. For the
//! same reason the acknowledgements of a page's first and last message stand for all of them.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SEQUENCE;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use event_log::leases::{self, Lease};
use event_log::{EventLog, Position, Provenance, RecordedEvent, Rewound, chain_of, clock};
use futures::{FutureExt, StreamExt};
use metrics::counter;
use tokio::sync::watch;
use uuid::Uuid;

use crate::feed::handover::{HandoverEnd, Page};
use crate::message::{headers_of, subject_of};
use crate::stream::StreamError;
use crate::{Bus, BusError, Pace, Rests, witness};

const LEASE: &str = "relay";
const LEASE_LIFE: Duration = Duration::from_secs(5);
/// The relay sleeps so long when nobody wakes it.
const POLL: Duration = Duration::from_millis(250);
/// The broker lets ten times as many messages wait to be stored.
const PAGE_EVENTS: i64 = 1000;
const RETRY_DELAY: Duration = Duration::from_millis(200);
/// The relay waits so long for a page to fill while events come fast.
const RESTS: Rests = Rests { brisk: Duration::from_millis(2), busy: Duration::from_millis(8) };

/// The state of the relay, for health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayState {
    Starting,
    /// Another process is the relay.
    StandingBy,
    /// Everything up to this position was acknowledged by the stream.
    Relaying {
        position: Position,
    },
    /// JetStream or the log is away.
    Waiting,
    /// The stream holds events that the log does not: the operator decides.
    LogRewound {
        stream: Position,
        log: Position,
    },
}

/// The relay of one process. Several may run; one is active.
#[derive(Debug)]
pub struct Relay {
    log: EventLog,
    bus: Bus,
    holder: Uuid,
    state: watch::Sender<RelayState>,
    lease_life: Duration,
    page_events: i64,
}

/// The end of the stream: the last position and the chain value there, where the log still has it.
struct Reached {
    position: Position,
    chain: Option<Vec<u8>>,
}

impl Relay {
    pub fn new(log: EventLog, bus: Bus) -> Self {
        let state = watch::Sender::new(RelayState::Starting);
        Self { log, bus, holder: clock::new_id(), state, lease_life: LEASE_LIFE, page_events: PAGE_EVENTS }
    }

    /// Nobody takes over from this relay for so long when it is silent.
    #[must_use]
    pub fn lease_life(self, lease_life: Duration) -> Self {
        Self { lease_life, ..self }
    }

    /// At most so many events are published behind one acknowledgement.
    #[must_use]
    pub fn page_events(self, page_events: i64) -> Self {
        Self { page_events, ..self }
    }

    /// In whose name the lease is held.
    pub fn holder(&self) -> Uuid {
        self.holder
    }

    pub fn state(&self) -> watch::Receiver<RelayState> {
        self.state.subscribe()
    }

    /// Runs until the task is dropped.
    pub async fn run(self) {
        loop {
            match leases::acquire(self.log.pool(), LEASE, self.holder, self.lease_life).await {
                Ok(Some(lease)) => {
                    if let Err(error) = self.relay(&lease).await {
                        tracing::warn!(%error, "the relay starts again");
                        self.state.send_replace(RelayState::Waiting);
                    }
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                Ok(None) => {
                    self.state.send_replace(RelayState::StandingBy);
                    tokio::time::sleep(self.lease_life / 5).await;
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
        let (log_id, _) = self.log.place().await?;
        let provenance = self.log.vault().authenticator().of_log(log_id);
        let Some(held) = witness::held(&stream, &provenance).await? else {
            return self.replace(&stream).await;
        };
        if let Some(rewound) = self.log.compare(&held).await? {
            self.stop(rewound);
            return Ok(());
        }
        if held.end > held.position {
            return self.replace(&stream).await;
        }
        let chain = self.log.chain_at(held.position).await?;
        let mut reached = Reached { position: held.position, chain };
        let mut hints = self.bus.appended_hints().await?;
        let mut renewed = tokio::time::Instant::now();
        let mut pace = Pace::new(RESTS);
        let handover = self.bus.handover.begin();
        loop {
            if renewed.elapsed() > self.lease_life / 3 {
                if leases::acquire(self.log.pool(), LEASE, lease.holder, self.lease_life).await?.is_none() {
                    return Ok(());
                }
                renewed = tokio::time::Instant::now();
            }
            let before = reached.position;
            if !self.publish_page(&stream, &provenance, &mut reached, &handover).await? {
                return self.replace(&stream).await;
            }
            if reached.position > before {
                let published = usize::try_from(reached.position.since(before)).unwrap_or_default();
                counter!("routix_relay_published_total").increment(published as u64);
                pace.page(published, reached.position.since(before) == self.page_events).await;
                continue;
            }
            self.state.send_if_modified(|state| {
                let now = RelayState::Relaying { position: before };
                std::mem::replace(state, now) != now
            });
            // A hint that comes while we publish is still in the subscription, so none is missed.
            match tokio::time::timeout(POLL, hints.next()).await {
                Ok(Some(_)) => {
                    swallow(&mut hints);
                    continue;
                }
                Ok(None) => return Ok(()),
                Err(_) => {}
            }
            let (id, head) = self.log.place().await?;
            // The log was restored or replaced: it is compared again before anything is published.
            if head < before || id != log_id {
                return Ok(());
            }
            // A wiped or recreated stream shows here, not only when the next event is refused.
            if head == before && last_sequence(&mut stream).await? != before {
                return Ok(());
            }
        }
    }

    fn stop(&self, Rewound { stream, log }: Rewound) {
        let now = RelayState::LogRewound { stream, log };
        let is_news = self.state.send_if_modified(|state| std::mem::replace(state, now) != now);
        if is_news {
            tracing::error!(%stream, %log, "the stream holds what the log does not: the relay stops");
        }
    }

    /// Somebody else wrote to the stream, and no place in it can be taken twice: it begins anew with what it held, as
    /// the log has it.
    async fn replace(&self, stream: &Stream) -> Result<(), StreamError> {
        tracing::error!("the stream holds what this log did not publish: it is replaced");
        let first = Position::of_sequence(stream.cached_info().state.first_sequence.max(1));
        self.bus.start_stream_anew_at(&self.log, first).await?;
        Ok(())
    }

    /// Publishes the next page behind what was reached and waits until the stream has it. `false` when the first place
    /// of the page holds what this log did not publish.
    async fn publish_page(
        &self,
        stream: &Stream,
        provenance: &Provenance,
        reached: &mut Reached,
        handover: &HandoverEnd<'_>,
    ) -> Result<bool, StreamError> {
        let page = self.log.stored_page(reached.position, self.page_events).await?;
        let page: Page = page.into_iter().map(Arc::new).collect();
        let Some((last, before)) = page.split_last() else { return Ok(true) };
        if let Some(chain) = &reached.chain
            && chain_of(chain, &page[0]).as_slice() != page[0].chain
        {
            return Err(BusError::unavailable("the log is not the one that was published").into());
        }
        handover.give(&page);
        let authenticator = self.log.vault().authenticator();
        let admitted = |event: &RecordedEvent| authenticator.admit(event.clone());
        // The acknowledgement of the last message stands for all behind the first: each names the one before it. The
        // first of several may find its place taken, and the others would go on behind a stranger.
        let first = match before.split_first() {
            Some((first, between)) => {
                let first_ack = self.send(&admitted(first), provenance).await?;
                for event in between {
                    let event = admitted(event);
                    let (subject, headers) = (subject_of(&event), expecting(&event, provenance));
                    let publish =
                        self.bus.client.publish_with_headers(subject, headers, event.payload.into());
                    publish.await.map_err(BusError::unavailable)?;
                }
                Some((first.position, first_ack))
            }
            None => None,
        };
        let last_ack = self.send(&admitted(last), provenance).await?;
        if let Some((position, ack)) = first
            && let Err(error) = acknowledged(position, ack).await
        {
            return self.is_own(stream, position, provenance, error).await;
        }
        if let Err(error) = acknowledged(last.position, last_ack).await {
            return self.is_own(stream, page[0].position, provenance, error).await;
        }
        *reached = Reached { position: last.position, chain: Some(last.chain.clone()) };
        Ok(true)
    }

    async fn send(
        &self,
        event: &RecordedEvent,
        provenance: &Provenance,
    ) -> Result<PublishAckFuture, BusError> {
        let message = PublishMessage::build()
            .headers(expecting(event, provenance))
            .payload(event.payload.clone().into());
        self.bus.jetstream.send_publish(subject_of(event), message).await.map_err(BusError::unavailable)
    }

    /// A place was refused. Another relay may have published this event, or this relay whose acknowledgement was lost:
    /// then the error passes by itself. `false` when a stranger has the place.
    async fn is_own(
        &self,
        stream: &Stream,
        position: Position,
        provenance: &Provenance,
        refused: BusError,
    ) -> Result<bool, StreamError> {
        match witness::message_at(stream, position.sequence(), provenance).await {
            Err(BusError::Forged { .. }) => Ok(false),
            Ok(_) | Err(_) => Err(refused.into()),
        }
    }
}

async fn acknowledged(position: Position, ack: PublishAckFuture) -> Result<(), BusError> {
    let ack = ack.await.map_err(BusError::unavailable)?;
    if Position::of_sequence(ack.sequence) == position {
        return Ok(());
    }
    Err(BusError::Malformed { sequence: ack.sequence, header: "sequence" })
}

/// The headers of an event that the broker takes only in its place.
fn expecting(event: &RecordedEvent, provenance: &Provenance) -> HeaderMap {
    let mut headers = headers_of(event, provenance);
    headers.insert(NATS_EXPECTED_LAST_SEQUENCE, event.position.previous().to_string());
    headers
}

async fn last_sequence(stream: &mut Stream) -> Result<Position, BusError> {
    let info = stream.info().await.map_err(BusError::unavailable)?;
    Ok(Position::of_sequence(info.state.last_sequence))
}

/// Hints that queued up say no more than the first one.
fn swallow(hints: &mut async_nats::Subscriber) {
    while let Some(Some(_)) = hints.next().now_or_never() {}
}
