//! The reasons that end a page before its end.

use event_log::{LogError, Position};

/// The reason why a page was not applied to its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// Another worker moves this checkpoint now.
    Lost,
    Stopped {
        position: Position,
        reason: String,
    },
    Failed(LogError),
}

impl From<LogError> for Halt {
    fn from(error: LogError) -> Self {
        Self::Failed(error)
    }
}

impl From<sqlx::Error> for Halt {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
