//! Time, as the domain has it.

/// The clock that domain types speak: UTC, handed in by whoever sends the command.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
