//! Errors of the log itself, by the remedies of a caller.

use sqlx::migrate::MigrateError;
use uuid::Uuid;

use crate::rewound::Rewound;
use crate::{Position, Version};

/// Errors of the log. Refusals of the business are not among them.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The stream is not at the version that the caller expects.
    #[error("{stream} is at version {actual}, not at {expected}")]
    VersionMismatch { stream: String, expected: Version, actual: Version },
    /// Others wrote to the same stream faster than this command could be decided.
    #[error("{stream} changed {attempts} times while the command was decided")]
    Contention { stream: String, attempts: u32 },
    /// The command id was used before for something else.
    #[error("command id {command_id} was used for another command")]
    CommandIdReused { command_id: Uuid },
    /// A name that must be unique belongs to somebody else.
    #[error("the {kind} is taken")]
    Taken { kind: String },
    /// May succeed when tried again.
    #[error("the log is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The command was sent, but its outcome is not known yet. Repeating it under the same id is safe.
    #[error("the outcome of the command is not known yet")]
    OutcomeUnknown,
    /// The log is behind what was published of it: nothing is appended until the operator decides.
    #[error("the log is at {log} and does not hold what was published up to {stream}")]
    Rewound { stream: Position, log: Position },
    /// The command had its effect before the log was recovered; its answer was lost.
    #[error("the command had its effect at position {position}, but its answer was lost with a restore")]
    OutcomeForgotten { position: Position },
    /// Whoever follows the log must start anew: this is another log now.
    #[error("the log was replaced by {log_id}")]
    Replaced { log_id: Uuid },
    /// The event is larger than the log takes.
    #[error("an event of {bytes} bytes is larger than the {max_bytes} that the log takes")]
    EventTooLarge { bytes: usize, max_bytes: usize },
    /// The tables of the database have another form than the program's.
    #[error(
        "the database was made by another form of Routix that was never released: remove the data folder, or name an \
         empty database, and start anew"
    )]
    OtherSchema,
    /// Cannot succeed, whoever tries.
    #[error("the log refused the operation: {reason}")]
    Refused { reason: String },
    /// The database refused a statement, and would refuse it again.
    #[error("the database refused the operation")]
    Database(#[source] sqlx::Error),
    /// The migrations could not be applied.
    #[error("the schema could not be brought up to date")]
    Migration(#[source] Box<MigrateError>),
    /// A value has no form as JSON.
    #[error("a value cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
    /// The operating system gives no randomness.
    #[error("there is no randomness for a key")]
    Randomness(#[source] getrandom::Error),
    /// The command stopped by a fault of the program. It wrote everything or nothing.
    #[error("the command stopped by a fault of the program")]
    Panicked,
    /// Somebody else wrote to the stream, past this log.
    #[error("{stream} holds an event that this log did not write")]
    Forged { stream: String },
    /// A stored event or snapshot does not have the form it should have.
    #[error("{what} cannot be read: {reason}")]
    Unreadable { what: String, reason: String },
}

impl LogError {
    /// Tells whether the log itself was not to be had: the database is away, or the log is behind its stream. Then the
    /// operation was never tried. A statement that the database gave up in the middle was: a timeout or a serialization
    /// failure may come from the operation, and may come again for ever.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(error)) => {
                let code = error.code();
                code.is_some_and(|code| code.starts_with("08") || code.starts_with("57P"))
            }
            Self::Rewound { .. } | Self::OutcomeUnknown | Self::Unavailable(_) => true,
            _ => false,
        }
    }
}

impl From<Rewound> for LogError {
    fn from(Rewound { stream, log }: Rewound) -> Self {
        Self::Rewound { stream, log }
    }
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if !is_transient(database.code().as_deref()) => {
                Self::Database(error)
            }
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnNotFound(_) => {
                Self::Unreadable { what: "a row".to_owned(), reason: error.to_string() }
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// Tells whether an error of Postgres passes by itself: lost connections, shutdown, lack of resources,
/// serialization and lock failures, timeouts. Source: the `SQLSTATE` classes of the manual.
pub(crate) fn is_transient(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        matches!(code.get(..2), Some("08" | "40" | "53" | "57" | "58"))
            || matches!(code, "55P03" | "25P03" | "25P04" | "25006")
    })
}
