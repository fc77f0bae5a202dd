//! The connections of a process to its database. One number bounds them all, and each user has a share of it, so that
//! slow queries cannot take what commands need.

use sqlx::PgPool;
use thiserror::Error;

/// The most connections of each pool. The appender has `APPENDER` more, and workers open theirs by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// For leases, rows of work, keys and receipts.
    pub general: u32,
    /// For what a command loads, and for pages of the log.
    pub loads: u32,
    /// For queries of read models.
    pub queries: u32,
}

/// The bound leaves a pool with less than it needs to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{total} connections to the database are too few: this process needs {needed} at least")]
pub struct TooFewConnections {
    pub total: u32,
    pub needed: u32,
}

/// The connections of a pool at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    pub max: usize,
    pub open: usize,
    pub idle: usize,
}

impl PoolUse {
    pub(crate) fn of_pool(pool: &PgPool) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            max: count(pool.options().get_max_connections()),
            open: count(pool.size()),
            idle: pool.num_idle(),
        }
    }
}

impl Connections {
    /// The connections of the appender: while one batch is written over one, the next is over the other.
    pub const APPENDER: u32 = 2;
    const EACH_MIN: u32 = 2;

    /// Divides what is left of `total` behind the appender and those whom others open: `apart`.
    ///
    /// # Errors
    /// When a pool would get less than two.
    pub fn divide(total: u32, apart: u32) -> Result<Self, TooFewConnections> {
        let taken = Self::APPENDER + apart;
        let needed = taken + 3 * Self::EACH_MIN;
        if total < needed {
            return Err(TooFewConnections { total, needed });
        }
        let left = total - taken;
        let third = left / 3;
        Ok(Self { general: third, loads: third, queries: left - 2 * third })
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self { general: 12, loads: 12, queries: 12 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_and_what_is_opened_apart_are_the_whole() {
        for (total, apart) in [(8, 0), (17, 9), (40, 9), (41, 0), (42, 3)] {
            let Connections { general, loads, queries } = Connections::divide(total, apart).unwrap();
            assert_eq!(general + loads + queries + apart + Connections::APPENDER, total);
            assert!(general >= 2 && loads >= 2 && queries >= 2, "{total} connections, {apart} apart");
        }
    }

    #[test]
    fn a_bound_that_leaves_a_pool_too_little_is_refused_with_what_is_needed() {
        assert_eq!(Connections::divide(16, 9), Err(TooFewConnections { total: 16, needed: 17 }));
    }
}
