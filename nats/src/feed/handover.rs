//! The short way from the relay of a process to the feed of the same process: what one of them has just read
//! from the log need not come back to the other from the broker.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use event_log::RecordedEvent;
use tokio::sync::{broadcast, watch};

/// Pages that may wait for a follower. One that is slower reads the log.
const WAITING_PAGES_MAX: usize = 16;

/// Consecutive events, as they are in the log.
pub(crate) type Page = Vec<Arc<RecordedEvent>>;

/// The place where the followers of a process find its relay. Cheap to clone.
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

    /// The pages that the relay reads from now on. `None` while the relay is another process.
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
