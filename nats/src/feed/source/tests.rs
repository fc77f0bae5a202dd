//! A source that reads a tail: it hands out what links, and gives the tail up for the rest.

use super::*;
use crate::BusOptions;
use crate::feed::examples::{history, positions, unreachable_log};
use crate::feed::handover::Handover;

/// A source that has handed out the first event of `this`, after it has read a tail of these events.
async fn read(this: &[Arc<RecordedEvent>], tail: &[Arc<RecordedEvent>]) -> (Vec<Position>, Source) {
    // The connection is never made, and the tail of a relay needs none.
    let bus = Bus::connect("nats://localhost:1", BusOptions::default()).await.unwrap();
    let mut source = Source::new(unreachable_log(), bus, Position::ZERO);
    source.seam.advance(&this[0]);
    let handover = Handover::new();
    let relay = handover.begin();
    let pages = Tail::of_relay(handover.follow().unwrap());
    relay.give(&tail.to_vec());
    let events = source.read_tail(pages, 100).await.unwrap();
    (positions(&events), source)
}

#[tokio::test]
async fn what_links_is_handed_out_and_what_was_handed_out_is_passed_over() {
    let history = history("this", 3);
    let (read, source) = read(&history, &history).await;
    assert_eq!(read, [2, 3].map(Position::new));
    assert!(source.tail.is_some(), "the tail is read on");
}

#[tokio::test]
async fn an_event_behind_a_gap_is_not_handed_out() {
    let history = history("this", 4);
    let (nothing, source) = read(&history, &history[2..]).await;
    assert!(nothing.is_empty(), "{nothing:?}");
    assert!(source.tail.is_none(), "the log is read next");
    let (second, source) = read(&history, &[history[1].clone(), history[3].clone()]).await;
    assert_eq!(second, [Position::new(2)]);
    assert!(source.tail.is_none(), "the log is read next");
}

/// Whoever may publish can compute the chain.
#[tokio::test]
async fn an_event_that_links_and_that_this_log_did_not_write_is_not_handed_out() {
    let history = history("this", 2);
    let mut forged = RecordedEvent { payload: "forged".to_owned(), ..(*history[1]).clone() };
    forged.chain = event_log::chain_of(&history[0].chain, &forged).to_vec();
    let (nothing, source) = read(&history, &[Arc::new(forged)]).await;
    assert!(nothing.is_empty(), "{nothing:?}");
    assert!(source.tail.is_none(), "the log is read next");
}

#[tokio::test]
async fn an_event_of_another_history_is_not_handed_out() {
    let (this, other) = (history("this", 2), history("other", 2));
    for strange in other {
        let (nothing, source) = read(&this, &[strange]).await;
        assert!(nothing.is_empty(), "{nothing:?}");
        assert!(source.tail.is_none(), "the log is read next");
    }
}
