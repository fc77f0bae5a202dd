//! How much of a role a process does at once, how often a row is tried and when again. Pure: the runner asks.
//!
//! A try is a claim that came to the row's own end, or to none: a row that takes its worker down with it is counted as
//! well, because the claim counts from its beginning. A failure that is not the row's gives its try back: the database
//! was away, the log is behind its stream, or a read model has not come far enough. A provider that is away is a try
//! all the same. Nobody can tell its outage from a picture that it will never take, and the bound leaves it minutes.

use std::time::Duration;

use domain::reactions::Role;

use super::generation;
use crate::{CommandError, ReadSideError};

const DELAY_MIN: Duration = Duration::from_millis(200);
const DELAY_MAX: Duration = Duration::from_mins(1);

/// The number of rows of a role that a process does at the same time.
fn concurrency(role: Role) -> usize {
    match role {
        Role::Assistant => 16,
        Role::Generation | Role::Timers => 4,
        Role::Analysis => 2,
        Role::Cleanup => 1,
    }
}

/// The tries of a row of a role before it is parked. The pauses between them double up to a minute.
fn tries_max(role: Role) -> i32 {
    match role {
        // Four minutes: an answer that comes later finds nobody who waits for it.
        Role::Assistant | Role::Analysis => 12,
        // A row fails its request first. It is parked where even that fails.
        Role::Generation => generation::ROW_ATTEMPTS_MAX + 4,
        // Most of an hour: credits are held until it is done.
        Role::Timers => 60,
        // Two hours: a store of pictures may be away for longer than a provider, and somebody was promised erasure.
        Role::Cleanup => 120,
    }
}

/// The limits of a runner.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub concurrency: usize,
    pub tries_max: i32,
    /// The pause after the first failure; it doubles with each further one.
    pub delay_min: Duration,
    pub delay_max: Duration,
}

/// The lot of a row that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Again { delay: Duration, is_excused: bool },
    Park,
}

impl Pace {
    pub fn of(role: Role) -> Self {
        Self {
            concurrency: concurrency(role),
            tries_max: tries_max(role),
            delay_min: DELAY_MIN,
            delay_max: DELAY_MAX,
        }
    }

    /// Tells that a row has no tries left before this one: the workers of the last ones never came back.
    pub(super) fn is_over(&self, attempts: i32) -> bool {
        attempts > self.tries_max
    }

    pub(super) fn verdict(&self, attempts: i32, error: &CommandError) -> Verdict {
        let is_excused = is_excused(error);
        if !is_excused && attempts >= self.tries_max {
            return Verdict::Park;
        }
        Verdict::Again { delay: self.delay(attempts), is_excused }
    }

    fn delay(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or_default();
        self.delay_min.saturating_mul(1 << doublings).min(self.delay_max)
    }
}

fn is_excused(error: &CommandError) -> bool {
    match error {
        CommandError::Log(error) | CommandError::ReadSide(ReadSideError::Log(error)) => error.is_away(),
        CommandError::ReadSide(ReadSideError::Behind { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use event_log::{LogError, Position};
    use providers::ProviderError;

    use super::*;

    fn own() -> CommandError {
        CommandError::Provider(ProviderError::Timeout)
    }

    fn away() -> CommandError {
        CommandError::Log(LogError::Rewound { stream: Position::new(2), log: Position::new(1) })
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_the_last_failure_parks() {
        let pace = Pace::of(Role::Timers);
        let pauses: Vec<Verdict> =
            [1, 2, 3, 59].iter().map(|attempts| pace.verdict(*attempts, &own())).collect();
        let again = |ms| Verdict::Again { delay: Duration::from_millis(ms), is_excused: false };
        assert_eq!(pauses, [again(200), again(400), again(800), again(60_000)]);
        assert_eq!(pace.verdict(60, &own()), Verdict::Park);
        assert_eq!((pace.is_over(60), pace.is_over(61)), (false, true));
    }

    #[test]
    fn a_failure_that_is_not_the_rows_is_excused_for_ever() {
        let pace = Pace::of(Role::Assistant);
        let behind = CommandError::ReadSide(ReadSideError::Behind { events: 3 });
        for error in [away(), behind] {
            let verdict = pace.verdict(100, &error);
            assert_eq!(verdict, Verdict::Again { delay: DELAY_MAX, is_excused: true }, "{error}");
        }
    }

    #[test]
    fn every_role_gives_a_row_a_bounded_number_of_tries() {
        for role in Role::ALL {
            let pace = Pace::of(*role);
            assert!((2..=120).contains(&pace.tries_max) && pace.concurrency > 0, "{role:?}");
        }
    }
}
