//! The one place where the time is read and random ids are made. Everything else is handed both.
#![allow(clippy::disallowed_methods)]

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

/// Now, in whole microseconds: what Postgres stores, so that a time survives the way there and back.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// A new id that sorts by the time it was made.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// An id derived from another: the same parts always give the same id, so repeating a step is harmless.
pub fn derived_id(from: Uuid, step: &str) -> Uuid {
    Uuid::new_v5(&from, step.as_bytes())
}

/// A new id of 122 random bits, for what must not be guessed.
pub fn random_id() -> Uuid {
    Uuid::new_v4()
}
