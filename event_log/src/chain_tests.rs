//! The chain against values computed elsewhere (Python's hashlib), so that a log stays verifiable for ever.

use crate::Position;
use uuid::Uuid;

use crate::chain::{EventDigest, link};

const FIRST_AT_US: i64 = 1_750_000_000_000_001;

fn event() -> EventDigest<'static> {
    EventDigest {
        aggregate_type: "jar",
        aggregate_id: "j1",
        sequence: 7,
        event_type: "CoinsPut",
        event_version: "1.0",
        event_id: Uuid::from_u128(5),
        payload: r#"{"amount":1}"#,
        metadata: r#"{"actor":"user:1"}"#,
        owner: Some(Uuid::from_u128(9)),
    }
}

#[test]
fn digest_and_chain_are_those_of_the_documented_form() {
    let digest = event().compute();
    assert_eq!(hex::encode(digest), "5685c05fa1f3729f2987408c62efd734316d28ec9408cf3bfbe212ea9280d524");
    let of_nobody = EventDigest { owner: None, ..event() }.compute();
    assert_eq!(hex::encode(of_nobody), "43c6706d231bd62c526a305b6680e3c2cf3e72928852952ab8d2a3a0e545cde9");
    let chain = link(&[0; 32], Position::new(1), FIRST_AT_US, &digest);
    assert_eq!(hex::encode(chain), "10541013b077a72533418f2b81320c6e29e2be6f34f72c5f53eed671a83e95c8");
}

#[test]
fn a_digest_covers_every_part_and_where_it_ends() {
    let changed = [
        EventDigest { aggregate_type: "jug", ..event() },
        EventDigest { aggregate_id: "j2", ..event() },
        EventDigest { sequence: 8, ..event() },
        EventDigest { event_type: "CoinsTaken", ..event() },
        EventDigest { event_version: "1.1", ..event() },
        EventDigest { event_id: Uuid::from_u128(6), ..event() },
        EventDigest { payload: r#"{"amount":2}"#, ..event() },
        EventDigest { metadata: r#"{"actor":"user:2"}"#, ..event() },
        EventDigest { owner: Some(Uuid::from_u128(10)), ..event() },
        EventDigest { owner: None, ..event() },
        // The same bytes, cut elsewhere.
        EventDigest { aggregate_type: "jarj", aggregate_id: "1", ..event() },
    ];
    for other in changed {
        assert_ne!(other.compute(), event().compute(), "{other:?}");
    }
}

#[test]
fn a_link_covers_predecessor_position_and_time() {
    let digest = event().compute();
    let first = link(&[0; 32], Position::new(1), FIRST_AT_US, &digest);
    assert_ne!(link(&[1; 32], Position::new(1), FIRST_AT_US, &digest), first);
    assert_ne!(link(&[0; 32], Position::new(2), FIRST_AT_US, &digest), first);
    assert_ne!(link(&[0; 32], Position::new(1), FIRST_AT_US + 1, &digest), first);
}
