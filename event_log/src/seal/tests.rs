//! How long a cached key is believed.

use std::time::Instant;

use super::{CACHED_KEY_LIFE, CachedKey};

#[test]
fn a_key_is_read_again_once_its_person_may_have_been_erased_elsewhere() {
    let read_at = Instant::now();
    let cached = CachedKey { key: None, read_at };
    assert!(cached.clone().at(read_at).is_some());
    assert!(cached.at(read_at + CACHED_KEY_LIFE).is_none());
}
