//! The chain against values computed elsewhere (Python's hashlib), so that a log stays verifiable for ever.

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
    }
}

#[test]
fn digest_and_chain_are_those_of_the_documented_form() {
    let digest = event().compute();
    assert_eq!(hex::encode(digest), "5f505a23e5d3269bd724a3294800d291f974b8cd4d20e77b4edac97ab55a4b3d");
    let chain = link(&[0; 32], 1, FIRST_AT_US, &digest);
    assert_eq!(hex::encode(chain), "ef0ba88f16066cb896cdac108b2882696d9f072a5c40dcc0f462ec3d2e96624b");
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
    let first = link(&[0; 32], 1, FIRST_AT_US, &digest);
    assert_ne!(link(&[1; 32], 1, FIRST_AT_US, &digest), first);
    assert_ne!(link(&[0; 32], 2, FIRST_AT_US, &digest), first);
    assert_ne!(link(&[0; 32], 1, FIRST_AT_US + 1, &digest), first);
}
