//! The short way from the relay of a process to the feed of the same process: what one of them has just read
//! from the log need not come back to the other from the broker.

use std::sync::Arc;

use event_log::RecordedEvent;
use tokio::sync::{broadcast, watch};

/// Pages that may wait for a follower. One that is slower reads the log.
const WAITING_PAGES_MAX: usize = 16;

/// Consecutive events, as they are in the log.
pub(crate) type Page = Vec<Arc<RecordedEvent>>;

/// Where the followers of a process find its relay. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Handover(watch::Sender<Option<broadcast::Sender<Page>>>);

impl Handover {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The relay begins: who follows it now is handed every page, until the end is dropped.
    pub(crate) fn begin(&self) -> HandoverEnd<'_> {
        let (pages, _) = broadcast::channel(WAITING_PAGES_MAX);
        self.0.send_replace(Some(pages.clone()));
        HandoverEnd { handover: self, pages }
    }

    /// What the relay reads from now on. `None` while the relay is another process.
    pub(crate) fn follow(&self) -> Option<broadcast::Receiver<Page>> {
        self.0.borrow().as_ref().map(broadcast::Sender::subscribe)
    }

    /// Waits until this process is the relay.
    pub(crate) async fn has_begun(&self) {
        // It holds a sender itself, so there is no error to be had.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }
}

/// The relay's end.
#[derive(Debug)]
pub(crate) struct HandoverEnd<'a> {
    handover: &'a Handover,
    pages: broadcast::Sender<Page>,
}

impl HandoverEnd<'_> {
    pub(crate) fn give(&self, page: &Page) {
        // Without a follower there is nothing to do: whoever comes begins with the log.
        let _ = self.pages.send(page.clone());
    }
}

impl Drop for HandoverEnd<'_> {
    fn drop(&mut self) {
        // Two relays of one process take turns; the one that ends must not end the other.
        self.handover.0.send_if_modified(|current| {
            let mine = current.as_ref().is_some_and(|pages| pages.same_channel(&self.pages));
            if mine {
                *current = None;
            }
            mine
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::Tail;

    fn page(positions: impl IntoIterator<Item = i64>) -> Page {
        let event = |position| RecordedEvent {
            position,
            aggregate_type: "jar".to_owned(),
            aggregate_id: "1".to_owned(),
            sequence: position,
            event_type: "Filled".to_owned(),
            event_version: "1.0".to_owned(),
            payload: "{}".to_owned(),
            metadata: "{}".to_owned(),
            event_id: uuid::Uuid::nil(),
            owner_id: None,
            recorded_at: chrono::DateTime::UNIX_EPOCH,
            chain: vec![],
        };
        positions.into_iter().map(|position| Arc::new(event(position))).collect()
    }

    #[tokio::test]
    async fn a_follower_is_given_every_page_from_when_it_joins_until_the_relay_ends() {
        let handover = Handover::new();
        assert!(handover.follow().is_none(), "there is no relay yet");
        let relay = handover.begin();
        relay.give(&page(1..=2));
        let mut tail = Tail::of_relay(handover.follow().unwrap());
        assert!(tail.ready().is_none(), "what was given before belongs to the log");
        relay.give(&page(3..=4));
        relay.give(&page(5..=5));
        assert_eq!(tail.next().await.unwrap().position, 3);
        assert_eq!(tail.ready().unwrap().unwrap().position, 4);
        assert_eq!(tail.ready().unwrap().unwrap().position, 5);
        assert!(tail.ready().is_none());
        drop(relay);
        assert!(tail.next().await.is_err(), "the tail has ended");
        assert!(handover.follow().is_none());
    }

    #[tokio::test]
    async fn a_relay_that_ends_leaves_the_handover_to_the_one_that_followed_it() {
        let handover = Handover::new();
        let (old, new) = (handover.begin(), handover.begin());
        drop(old);
        let mut tail = Tail::of_relay(handover.follow().unwrap());
        new.give(&page(1..=1));
        assert_eq!(tail.next().await.unwrap().position, 1);
    }

    #[tokio::test]
    async fn a_follower_that_is_too_slow_is_sent_to_the_log() {
        let handover = Handover::new();
        let relay = handover.begin();
        let mut tail = Tail::of_relay(handover.follow().unwrap());
        for position in 1..=i64::try_from(WAITING_PAGES_MAX).unwrap() + 1 {
            relay.give(&page(position..=position));
        }
        assert!(tail.next().await.is_err());
    }
}
