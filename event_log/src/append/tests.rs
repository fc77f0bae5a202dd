//! Batching rules.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::queue::{BATCH_BYTES_MAX, BATCH_UNITS_MAX, Pending, Queue, next_batch};
use super::told::turn_away;
use super::{AppendError, NewClaim, NewEvent, NewUnit};
use crate::cache::StreamKey;
use crate::rewound::Rewound;
use crate::{Position, Version, clock};

const HALF: usize = BATCH_BYTES_MAX / 2;

fn stream(name: &str) -> StreamKey {
    StreamKey { aggregate_type: "jar", aggregate_id: clock::derived_id(Uuid::nil(), name) }
}

/// A unit that writes one event of no size to each of some streams.
fn unit(command: u128, streams: &[&str]) -> NewUnit {
    NewUnit {
        owner: Uuid::nil(),
        command_id: Uuid::from_u128(command),
        fingerprint: vec![],
        outcome: "null".to_owned(),
        expires_at: None,
        metadata: "{}".to_owned(),
        event_owner: None,
        expected: streams.iter().map(|name| (stream(name), Version::ZERO)).collect(),
        events: vec![],
        claims: vec![],
        snapshots: vec![],
    }
}

fn sized(command: u128, name: &str, bytes: usize) -> NewUnit {
    let event = NewEvent {
        event_id: Uuid::nil(),
        stream: 0,
        sequence: 1,
        event_type: "Filled".to_owned(),
        event_version: "1.0".to_owned(),
        payload: "x".repeat(bytes - "{}".len()),
        digest: [0; 32],
        authentication: [0; 34],
    };
    NewUnit { events: vec![event], ..unit(command, &[name]) }
}

fn claiming(command: u128, name: &str, key: u8, taken: bool) -> NewUnit {
    let claim = NewClaim { kind: "label", key_hash: vec![key], owner: Uuid::nil(), taken };
    NewUnit { claims: vec![claim], ..unit(command, &[name]) }
}

/// Takes batch after batch until none is left, as lists of command ids.
fn batches(units: impl IntoIterator<Item = NewUnit>) -> Vec<Vec<u128>> {
    let mut waiting: VecDeque<Pending> =
        units.into_iter().map(|unit| Pending::new(unit, oneshot::channel().0)).collect();
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let (batch, _) = next_batch(&mut waiting, BATCH_UNITS_MAX, &VecDeque::new());
        assert!(!batch.is_empty(), "a batch without a unit would wait for ever");
        batches.push(batch.iter().map(|pending| pending.unit.command_id.as_u128()).collect());
    }
    batches
}

#[test]
fn units_of_different_streams_are_one_batch_in_the_order_in_which_they_came() {
    assert_eq!(batches([unit(1, &["a"]), unit(2, &["b"]), unit(3, &["c", "d"])]), [[1, 2, 3]]);
}

#[test]
fn a_second_unit_of_a_stream_waits_for_the_next_batch_and_others_pass_it() {
    let units = [unit(1, &["a"]), unit(2, &["a"]), unit(3, &["b"])];
    assert_eq!(batches(units), [vec![1, 3], vec![2]]);
}

#[test]
fn units_of_one_stream_keep_their_order() {
    let units = [unit(1, &["a"]), unit(2, &["a"]), unit(3, &["a"])];
    assert_eq!(batches(units), [[1], [2], [3]]);
}

#[test]
fn nobody_passes_a_waiting_unit_on_any_of_its_streams() {
    // 2 waits for 1 on a; 3 must not pass it on b.
    let units = [unit(1, &["a"]), unit(2, &["a", "b"]), unit(3, &["b"]), unit(4, &["c"])];
    assert_eq!(batches(units), [vec![1, 4], vec![2], vec![3]]);
}

#[test]
fn a_command_id_occurs_once_in_a_batch_for_each_owner() {
    assert_eq!(batches([unit(1, &["a"]), unit(1, &["b"])]), [[1], [1]]);
    let other = NewUnit { owner: Uuid::from_u128(9), ..unit(1, &["b"]) };
    assert_eq!(batches([unit(1, &["a"]), other]), [[1, 1]]);
}

#[test]
fn a_claim_occurs_once_in_a_batch_whether_taken_or_released() {
    let units = [
        claiming(1, "a", 7, false),
        claiming(2, "b", 7, true),
        claiming(3, "c", 8, true),
        claiming(4, "d", 7, true),
    ];
    assert_eq!(batches(units), [vec![1, 3], vec![2], vec![4]]);
}

#[test]
fn a_batch_has_a_limit_of_units() {
    let units: Vec<_> = (0..=BATCH_UNITS_MAX).map(|n| unit(n as u128, &[&n.to_string()])).collect();
    let sizes: Vec<usize> = batches(units).iter().map(Vec::len).collect();
    assert_eq!(sizes, [BATCH_UNITS_MAX, 1]);
}

#[test]
fn a_batch_has_a_limit_of_bytes_that_can_be_reached_exactly() {
    let fits = [sized(1, "a", HALF), sized(2, "b", HALF)];
    assert_eq!(batches(fits), [[1, 2]]);
    let exceeds = [sized(1, "a", HALF), sized(2, "b", HALF + 1)];
    assert_eq!(batches(exceeds), [[1], [2]]);
}

#[test]
fn a_smaller_unit_fills_the_room_that_a_bigger_one_left() {
    let units = [sized(1, "a", HALF), sized(2, "b", HALF + 1), sized(3, "c", HALF)];
    assert_eq!(batches(units), [vec![1, 3], vec![2]]);
}

#[test]
fn a_unit_above_the_limit_of_bytes_goes_alone() {
    let units = [sized(1, "a", 2 * BATCH_BYTES_MAX), sized(2, "b", HALF)];
    assert_eq!(batches(units), [[1], [2]]);
}

#[test]
fn a_unit_waits_for_a_batch_under_way_that_has_its_stream_its_command_or_its_claim() {
    let pending = |unit| Pending::new(unit, oneshot::channel().0);
    let ids = |batch: &[Pending]| batch.iter().map(|one| one.unit.command_id.as_u128()).collect::<Vec<_>>();
    let mut waiting = VecDeque::from([pending(claiming(1, "a", 7, true))]);
    let (first, seen) = next_batch(&mut waiting, BATCH_UNITS_MAX, &VecDeque::new());
    assert_eq!(ids(&first), [1]);
    let late =
        [unit(2, &["b"]), unit(3, &["a", "c"]), unit(1, &["d"]), claiming(4, "e", 7, true), unit(5, &["c"])];
    waiting.extend(late.map(pending));
    let (second, seen) = next_batch(&mut waiting, BATCH_UNITS_MAX, &VecDeque::from([seen]));
    assert_eq!(ids(&second), [2], "5 must not pass 3 on c");
    let (third, _) = next_batch(&mut waiting, BATCH_UNITS_MAX, &VecDeque::from([seen]));
    assert_eq!(ids(&third), [3, 1, 4], "what was left waits for none that left it, and 5 for 3");
    assert_eq!(waiting.len(), 1);
}

#[test]
fn units_that_are_owed_a_batch_have_it_without_newcomers() {
    let pending = |unit| Pending::new(unit, oneshot::channel().0);
    let (sender, incoming) = tokio::sync::mpsc::channel(4);
    let mut queue = Queue::new(incoming);
    sender.try_send(pending(unit(3, &["c"]))).unwrap();
    queue.fill();
    let sound = |unit| Pending { is_sound: true, ..pending(unit) };
    queue.give_back(vec![sound(unit(1, &["a"])), sound(unit(2, &["b"]))]);
    // A batch that was displaced meanwhile came back before them.
    queue.give_back(vec![pending(unit(4, &["d"]))]);
    let mut ids = || {
        let (batch, _) = queue.next_batch(BATCH_UNITS_MAX, &VecDeque::new());
        batch.iter().map(|pending| pending.unit.command_id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ids(), [4, 3]);
    assert_eq!(ids(), [1, 2]);
}

#[tokio::test]
async fn once_the_log_takes_nothing_more_a_unit_that_may_be_stored_is_not_called_refused() {
    let rewound = Rewound { stream: Position::new(9), log: Position::new(3) };
    let ((unsent, no), (unsure, maybe)) = (oneshot::channel(), oneshot::channel());
    let unsure = Pending { may_be_stored: true, ..Pending::new(unit(2, &["b"]), unsure) };
    turn_away(vec![Pending::new(unit(1, &["a"]), unsent), unsure], rewound);
    assert_eq!(no.await.unwrap(), Err(AppendError::Rewound(rewound)));
    assert_eq!(maybe.await.unwrap(), Err(AppendError::Unknown));
}
