//! The handover, without a broker.

use event_log::Position;

use super::*;
use crate::feed::tail::Tail;

fn page(positions: impl IntoIterator<Item = i64>) -> Page {
    let event = |position: Position| RecordedEvent {
        position,
        aggregate_type: "jar".to_owned(),
        aggregate_id: "1".to_owned(),
        sequence: position.get(),
        event_type: "Filled".to_owned(),
        event_version: "1.0".to_owned(),
        payload: "{}".to_owned(),
        metadata: "{}".to_owned(),
        event_id: uuid::Uuid::nil(),
        owner_id: None,
        recorded_at: chrono::DateTime::UNIX_EPOCH,
        chain: vec![],
        authentication: vec![],
    };
    positions.into_iter().map(|position| Arc::new(event(Position::new(position)))).collect()
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
