//! When a batch goes ahead again after one that did not fit.

use super::*;

/// How many batches have to be stored under the lock until the next may go ahead.
fn batches_under_the_lock(ahead: &mut Ahead) -> u32 {
    assert!(ahead.tip().is_none(), "what did not fit does not tell the end of the log");
    (1..=100)
        .find(|_| {
            ahead.learn(Some(Tip::default()));
            ahead.tip().is_some()
        })
        .unwrap()
}

#[test]
fn after_each_further_failure_twice_as_many_batches_go_under_the_lock() {
    let mut ahead = Ahead::default();
    ahead.learn(Some(Tip::default()));
    for _ in 0..2 {
        for rest in [1, 1, 2, 4, 8, 16, 32, 64, 64] {
            ahead.settled(0, false);
            assert_eq!(batches_under_the_lock(&mut ahead), rest);
        }
        // One that fits ends the row.
        ahead.settled(0, true);
        assert!(ahead.tip().is_some());
    }
}

#[test]
fn of_two_batches_under_way_that_fall_together_only_the_first_is_a_failure() {
    let mut ahead = Ahead::default();
    for _ in 0..2 {
        ahead.learn(Some(Tip::default()));
        ahead.settled(0, false);
        ahead.settled(0, false);
    }
    assert_eq!(batches_under_the_lock(&mut ahead), 1);
}
