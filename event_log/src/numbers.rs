//! The numbers that order events and fence writers. Each is a type of its own, so that none passes for another.

use std::cmp::Ordering;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The number in front of the first one.
            pub const ZERO: Self = Self(0);

            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            pub const fn get(self) -> i64 {
                self.0
            }

            #[must_use]
            pub const fn next(self) -> Self {
                self.plus(1)
            }

            /// The number `steps` further on.
            #[must_use]
            pub const fn plus(self, steps: i64) -> Self {
                Self(self.0.saturating_add(steps))
            }

            /// The steps from `earlier` to here; negative when `earlier` is later.
            pub const fn since(self, earlier: Self) -> i64 {
                self.0.saturating_sub(earlier.0)
            }
        }

        impl From<i64> for $name {
            fn from(number: i64) -> Self {
                Self(number)
            }
        }

        /// Compares with a plain number, as tests and figures have it.
        impl PartialEq<i64> for $name {
            fn eq(&self, number: &i64) -> bool {
                self.0 == *number
            }
        }

        impl PartialOrd<i64> for $name {
            fn partial_cmp(&self, number: &i64) -> Option<Ordering> {
                self.0.partial_cmp(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, ParseIntError> {
                text.parse().map(Self)
            }
        }
    )+};
}

number! {
    /// The place of an event in the whole log, from 1. The JetStream sequence of its message is the same number.
    Position,
    /// The number of events of a stream. The sequence of an event is the version of its stream with it.
    Version,
    /// The reign of a lease's holder. It rises with every change, so that an older holder is refused.
    Epoch,
}

/// Consecutive positions: behind `after`, up to and with `upto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub after: Position,
    pub upto: Position,
}

impl Position {
    /// Behind every event.
    pub const LAST: Self = Self(i64::MAX);

    /// The position of the message with this JetStream sequence.
    pub fn of_sequence(sequence: u64) -> Self {
        Self(i64::try_from(sequence).unwrap_or(i64::MAX))
    }

    /// The JetStream sequence of the event's message.
    pub fn sequence(self) -> u64 {
        u64::try_from(self.0).unwrap_or_default()
    }

    #[must_use]
    pub const fn previous(self) -> Self {
        self.plus(-1)
    }
}

impl Span {
    /// The number of positions.
    pub const fn len(self) -> i64 {
        self.upto.since(self.after)
    }

    pub const fn is_empty(self) -> bool {
        self.len() <= 0
    }
}
