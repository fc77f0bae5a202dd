//! The pace of batches, without a database.

use std::time::Duration;

use tokio::time::Instant;

use super::pacing::{Pacing, Situation, Step};
use super::queue::BATCH_UNITS_MAX;
use crate::{Position, Span};

/// Long enough for every patience, too short for a proof to grow old.
const LATER: Duration = Duration::from_millis(4);

fn span(before: i64, last: i64) -> Span {
    Span { after: Position::new(before), upto: Position::new(last) }
}

fn situation(now: Instant, waiting: usize) -> Situation {
    Situation { now, waiting, is_owed: false, batches: 0, units: 0, knows_end: false }
}

fn ahead(now: Instant, waiting: usize) -> Situation {
    Situation { knows_end: true, ..situation(now, waiting) }
}

/// A pacing of a process that is alone and has so many callers, all answered at `now`.
fn with_callers(now: Instant, callers: usize) -> Pacing {
    let mut pacing = Pacing::new(now);
    pacing.stored(now, true, span(0, 1));
    pacing.answered(&ahead(now, 0), callers);
    pacing
}

#[test]
fn nothing_is_sent_while_nothing_waits() {
    let now = Instant::now();
    assert_eq!(Pacing::new(now).next(&situation(now, 0)), Step::Wait(None));
}

#[test]
fn a_single_caller_never_waits_for_company() {
    let now = Instant::now();
    assert_eq!(with_callers(now, 1).next(&situation(now, 1)), Step::Lead);
}

#[test]
fn a_single_unit_goes_at_the_lock_and_two_go_ahead_where_the_end_is_known() {
    let now = Instant::now();
    let pacing = with_callers(now, 2);
    let later = now + LATER;
    assert_eq!(pacing.next(&ahead(later, 1)), Step::Lead);
    assert_eq!(pacing.next(&ahead(later, 2)), Step::Follow { units_max: BATCH_UNITS_MAX });
    assert_eq!(pacing.next(&situation(later, 2)), Step::Lead, "the end is not known");
}

#[test]
fn an_early_caller_waits_for_those_who_were_answered_with_it_but_not_for_long() {
    let now = Instant::now();
    let pacing = with_callers(now, 16);
    let Step::Wait(Some(until)) = pacing.next(&situation(now, 1)) else { panic!("it waits") };
    assert!(until > now && until < now + Duration::from_micros(100), "{:?}", until - now);
    assert_eq!(pacing.next(&situation(until, 1)), Step::Lead);
    assert_eq!(pacing.next(&situation(now, 14)), Step::Lead, "an eighth is not waited for");
}

#[test]
fn units_that_are_owed_a_batch_wait_for_nobody() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 16);
    pacing.stored(now, false, span(6, 9));
    pacing.answered(&situation(now, 0), 16);
    assert_eq!(pacing.next(&Situation { is_owed: true, ..situation(now, 3) }), Step::Lead);
}

#[test]
fn behind_others_a_batch_waits_longer_and_for_all() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 16);
    assert!(!pacing.stored(now, false, span(6, 9)), "the positions between were written by others");
    pacing.answered(&situation(now, 0), 16);
    let Step::Wait(Some(until)) = pacing.next(&situation(now, 15)) else { panic!("it waits") };
    assert_eq!(until - now, Duration::from_millis(3));
    assert_eq!(pacing.next(&situation(now, 16)), Step::Lead);
}

#[test]
fn of_many_callers_half_go_ahead_and_others_behind_them_while_batches_fit() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 64);
    assert_eq!(pacing.next(&ahead(now, 23)), Step::Wait(Some(now + Duration::from_micros(500))));
    assert_eq!(pacing.next(&ahead(now, 24)), Step::Follow { units_max: 32 });
    pacing.sent_ahead(now, true);
    let one_under_way = Situation { batches: 1, units: 32, ..ahead(now, 32) };
    assert_eq!(pacing.next(&one_under_way), Step::Follow { units_max: 32 });
    pacing.sent_ahead(now, false);
    assert_eq!(pacing.next(&Situation { batches: 2, ..one_under_way }), Step::Wait(None), "two are enough");
}

#[test]
fn without_a_fit_of_late_no_batch_follows_another() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 64);
    let late = now + Duration::from_millis(5);
    pacing.sent_ahead(late, true);
    assert_eq!(pacing.next(&Situation { batches: 1, units: 32, ..ahead(late, 32) }), Step::Wait(None));
}

/// The number of batches that have to be stored at the lock until the next may go ahead.
fn batches_at_the_lock(pacing: &mut Pacing, now: Instant) -> usize {
    (0..100)
        .find(|_| {
            let goes_ahead = matches!(pacing.next(&ahead(now, 64)), Step::Follow { .. });
            if !goes_ahead {
                pacing.led();
            }
            goes_ahead
        })
        .unwrap()
}

#[test]
fn after_each_further_misfit_twice_as_many_batches_go_at_the_lock() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 64);
    for _ in 0..2 {
        for rest in [0, 1, 2, 4, 8, 16, 32, 64, 64] {
            pacing.misfitted(true);
            // The batch that did not fit always goes at the lock: the end of the log is not known then.
            assert_eq!(batches_at_the_lock(&mut pacing, now), rest);
        }
        pacing.stored(now, true, span(1, 1));
    }
}

#[test]
fn of_two_batches_that_fall_together_only_the_first_is_a_misfit() {
    let now = Instant::now();
    let mut pacing = with_callers(now, 64);
    for _ in 0..2 {
        pacing.misfitted(true);
        pacing.misfitted(false);
    }
    assert_eq!(batches_at_the_lock(&mut pacing, now), 1);
}

#[test]
fn after_a_failure_nothing_is_sent_for_a_while_that_doubles_up_to_a_second() {
    let mut now = Instant::now();
    let mut pacing = with_callers(now, 1);
    for delay_ms in [20, 40, 80, 160, 320, 640, 1000, 1000] {
        pacing.failed(now);
        let retry = now + Duration::from_millis(delay_ms);
        assert_eq!(pacing.next(&situation(now, 9)), Step::Wait(Some(retry)));
        assert_eq!(pacing.next(&situation(retry, 9)), Step::Lead);
        now = retry;
    }
    pacing.led();
    pacing.failed(now);
    assert_eq!(pacing.next(&situation(now, 9)), Step::Wait(Some(now + Duration::from_millis(20))));
}
