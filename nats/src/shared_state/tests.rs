//! Windows of a limit, by a clock of the test's own.

use super::*;

const LENGTH: Duration = Duration::from_mins(1);
const LIMIT: u32 = 3;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
}

/// The verdicts on requests at these seconds.
fn verdicts(seconds: &[i64]) -> Vec<RateVerdict> {
    let mut window = None;
    let mut hit = |now| {
        let hit = Window::hit(window, now, LENGTH);
        window = Some(hit);
        hit.verdict(LIMIT, now)
    };
    seconds.iter().map(|second| hit(at(*second))).collect()
}

#[test]
fn a_window_lets_in_as_many_as_its_limit_and_no_more() {
    let verdicts = verdicts(&[0, 1, 2, 3, 4]);
    assert_eq!(verdicts.iter().map(|v| v.allowed).collect::<Vec<_>>(), [true, true, true, false, false]);
    assert_eq!(verdicts.iter().map(|v| v.remaining).collect::<Vec<_>>(), [2, 1, 0, 0, 0]);
}

#[test]
fn a_window_ends_at_its_end_whoever_knocks() {
    let verdicts = verdicts(&[0, 20, 40, 59, 60]);
    assert_eq!(verdicts.iter().map(|v| v.allowed).collect::<Vec<_>>(), [true, true, true, false, true]);
    assert_eq!(verdicts.iter().map(|v| v.reset_seconds).collect::<Vec<_>>(), [60, 40, 20, 1, 60]);
}
