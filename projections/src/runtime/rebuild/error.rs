//! The reasons why a read model was not rebuilt.

use event_log::{LogError, Position};

use super::compare::Comparison;
use crate::runtime::halt::Halt;

/// The reason why a read model was not rebuilt. The live one is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("{projection} has no tables of its own: what it wrote must outlive a rebuild")]
    NoTables { projection: &'static str },
    #[error("{projection} is being rebuilt by somebody else")]
    AlreadyRunning { projection: &'static str },
    #[error("the rebuilt rows differ from the live ones at position {compared_at}")]
    Differs { compared_at: Position, tables: Vec<Comparison> },
    #[error("the event at position {position} cannot be applied: {reason}")]
    Stopped { position: Position, reason: String },
    #[error("the live read model was moved by somebody else while it was rebuilt")]
    Interrupted,
    #[error("the tables could not be locked: something reads them all the time")]
    Busy,
    #[error("the rebuild failed")]
    Log(#[from] LogError),
}

impl From<sqlx::Error> for RebuildError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

impl From<Halt> for RebuildError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Lost => Self::Interrupted,
            Halt::Stopped { position, reason } => Self::Stopped { position, reason },
            Halt::Failed(error) => Self::Log(error),
        }
    }
}
