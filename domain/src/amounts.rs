//! Amounts. Credits and money are integers; nothing here is ever a float.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number of credits, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credits(pub u32);

impl Credits {
    pub const ZERO: Self = Self(0);

    /// The sum, or the largest amount there is: a ledger never wraps round.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The rest, or `None` if `other` is more than there is.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Credits {
    /// The amount in a sentence: `1 credit`, `4 credits`.
    pub fn in_words(self) -> String {
        if self.0 == 1 { "1 credit".to_owned() } else { format!("{} credits", self.0) }
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::iter::Sum for Credits {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

/// Money in millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroUsd(pub i64);
