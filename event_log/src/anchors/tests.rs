//! What an anchor says and who said it.

use super::*;

fn key() -> AnchorKey {
    AnchorKey::from_seed(&[5; 32])
}

fn head() -> LogHead {
    LogHead {
        log_id: Uuid::from_u128(1),
        position: Position::new(7),
        chain: vec![9; 32],
        at: DateTime::from_timestamp_micros(1_750_000_000_000_001).unwrap(),
    }
}

#[test]
fn an_anchor_says_what_was_signed_to_whoever_has_the_public_key() {
    let anchor = key().sign(&head());
    assert_eq!(anchor.len(), BYTES);
    let public: AnchorPublicKey = key().public().to_string().parse().unwrap();
    assert_eq!(public.open(&anchor), Some(head()));
    assert_eq!(AnchorKey::from_seed(&[6; 32]).public().open(&anchor), None, "another key");
}

#[test]
fn an_anchor_that_differs_in_one_bit_says_nothing() {
    let anchor = key().sign(&head());
    for place in 0..anchor.len() {
        let mut other = anchor.clone();
        other[place] ^= 1;
        assert_eq!(key().public().open(&other), None, "byte {place}");
    }
    assert_eq!(key().public().open(&anchor[..BYTES - 1]), None);
    assert!("00".parse::<AnchorPublicKey>().is_err());
}
