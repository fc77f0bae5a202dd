//! A follower that listens: it takes what links, and goes back to the log for the rest.

use super::examples::{history, positions, unreachable_log};
use super::*;

/// A follower that has read the first event and listens to a feed whose part the test plays.
fn listener(first: &RecordedEvent) -> (broadcast::Sender<Arc<RecordedEvent>>, Follower) {
    let (events, live) = broadcast::channel(WAITING_EVENTS_MAX);
    let (looked, place) = watch::channel((Uuid::nil(), Position::ZERO));
    let silent = tokio::spawn(async move {
        // A feed that dropped its place would have ended.
        let _looked = looked;
        std::future::pending::<()>().await;
    });
    let task = Arc::new(AbortOnDropHandle::new(silent));
    let feed = Feed { log: unreachable_log(), events: events.clone(), place: place.clone(), _task: task };
    let mut seam = Seam::behind(Position::ZERO);
    seam.advance(first);
    (events, Follower { feed, seam, place, live: Some(live) })
}

#[tokio::test]
async fn a_listener_takes_what_links_and_passes_over_what_it_has() {
    let history = history("this", 3);
    let (feed, mut follower) = listener(&history[0]);
    for event in &history {
        feed.send(event.clone()).unwrap();
    }
    let taken = follower.listen(100).await.unwrap();
    assert_eq!(positions(&taken), [2, 3].map(Position::new));
    assert!(follower.live.is_some(), "it goes on listening");
}

/// A feed begins at the end of the log of its own moment. While others append that is behind what a follower has read
/// by then, so the first event that the follower hears may be one that it must not take yet.
#[tokio::test]
async fn a_listener_does_not_take_an_event_behind_a_gap() {
    let history = history("this", 4);
    for heard in [vec![3], vec![2, 4]] {
        let (feed, mut follower) = listener(&history[0]);
        for position in &heard {
            feed.send(history[position - 1].clone()).unwrap();
        }
        let taken = follower.listen(100).await.unwrap();
        assert_eq!(taken.len(), heard.len() - 1, "all but the event behind the gap");
        assert!(follower.live.is_none(), "the log is read next");
    }
}

#[tokio::test]
async fn a_listener_does_not_take_an_event_of_another_history() {
    let (this, other) = (history("this", 2), history("other", 2));
    for strange in other {
        let (feed, mut follower) = listener(&this[0]);
        feed.send(strange).unwrap();
        let taken = follower.listen(100).await.unwrap();
        assert!(taken.is_empty(), "{taken:?}");
        assert!(follower.live.is_none(), "the log is read next");
    }
}
