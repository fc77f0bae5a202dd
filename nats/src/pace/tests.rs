//! Rates and rests.

use super::*;

#[test]
fn a_rate_is_told_from_what_came_in_the_window() {
    let half_a_second = Duration::from_millis(500);
    for (events, rate) in
        [(0, Rate::Low), (99, Rate::Low), (100, Rate::Brisk), (999, Rate::Brisk), (1000, Rate::Busy)]
    {
        assert_eq!(Rate::of(events, half_a_second), rate, "{events}");
    }
}

#[test]
fn a_rest_is_as_long_as_the_rate_asks_for() {
    let (brisk, busy) = (Duration::from_millis(4), Duration::from_millis(25));
    let mut pace = Pace::new(Rests { brisk, busy });
    for (rate, rest) in [(Rate::Low, Duration::ZERO), (Rate::Brisk, brisk), (Rate::Busy, busy)] {
        pace.rate = rate;
        assert_eq!(pace.rest(), rest, "{rate:?}");
    }
}
