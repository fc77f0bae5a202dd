//! The answers of commands, made of the receipts, so that the same command id gives the same
//! answer for as long as its receipt lives.

use event_log::{CommandContext, Committed, Position, Unit, Version};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{CommandError, Commands};

/// The committed outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    pub value: T,
    /// The position of the command's last event: what a query must have seen to show it.
    pub position: Position,
    /// The version of the first aggregate of the unit; unknown when the answer is a repetition.
    pub version: Option<Version>,
    /// True when this command id had its effect before.
    pub replayed: bool,
}

/// Commits the unit with `value` as its outcome.
pub(crate) async fn commit<T: Serialize + DeserializeOwned>(
    unit: Unit<CommandError>,
    value: &T,
) -> Result<Done<T>, CommandError> {
    let outcome = serde_json::to_value(value).map_err(unreadable)?;
    done(unit.outcome(outcome).commit().await?)
}

impl Commands {
    /// Runs a command that checks something outside its unit. When such a check refuses what this command id
    /// had done before, the first outcome is the answer all the same.
    pub(crate) async fn idempotently<T: DeserializeOwned, F>(
        &self,
        context: CommandContext,
        run: impl FnOnce(CommandContext) -> F,
    ) -> Result<Done<T>, CommandError>
    where
        F: Future<Output = Result<Done<T>, CommandError>>,
    {
        match run(context.clone()).await {
            Ok(done) => Ok(done),
            Err(refusal) => match self.log.first_outcome(&context).await? {
                Some(first) => done(first),
                None => Err(refusal),
            },
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err as it is")]
fn unreadable(error: serde_json::Error) -> CommandError {
    let what = "the outcome of a command".to_owned();
    event_log::LogError::Unreadable { what, reason: error.to_string() }.into()
}

fn done<T: DeserializeOwned>(committed: Committed) -> Result<Done<T>, CommandError> {
    Ok(Done {
        value: serde_json::from_value(committed.outcome).map_err(unreadable)?,
        position: committed.position,
        version: committed.versions.first().copied(),
        replayed: committed.replayed,
    })
}
