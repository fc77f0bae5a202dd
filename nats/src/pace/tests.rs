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
    let mut pace = Pace::new(Duration::from_millis(25));
    for (rate, rest) in [(Rate::Low, None), (Rate::Brisk, Some(4)), (Rate::Busy, Some(25))] {
        pace.rate = rate;
        assert_eq!(pace.rest(), rest.map(Duration::from_millis), "{rate:?}");
    }
}
