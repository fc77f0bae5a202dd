//! Receipts: the memory of a command id, so that a command that is sent again has no second effect.

use serde_json::Value;

use crate::{Actor, CommandContext, LogError, Position, barrier};

/// The life of a receipt that has an end.
pub const RECEIPT_DAYS: i64 = 30;

/// Stands where the fingerprint of a command was, in a receipt that a recovery made again. No real one has this length.
pub(crate) const FORGOTTEN: &[u8] = b"the outcome was lost";

/// The first effect of a command id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Receipt {
    /// The position of the last event.
    pub(crate) position: Position,
    pub(crate) outcome: Value,
}

/// The receipt of this command, if it had its effect before.
///
/// # Errors
/// `CommandIdReused` when another command had this id, `OutcomeForgotten` when it had its effect but a restore lost the
/// answer.
pub(crate) async fn find(pool: &sqlx::PgPool, context: &CommandContext) -> Result<Option<Receipt>, LogError> {
    let found = sqlx::query!(
        r#"
        SELECT fingerprint, last_position AS "position: Position", outcome
        FROM command_receipts
        WHERE owner = $1 AND command_id = $2
        "#,
        context.actor.receipt_owner(),
        context.command_id,
    )
    .fetch_optional(pool)
    .await?;
    let Some(found) = found else { return Ok(None) };
    barrier::wait(pool).await?;
    let (fingerprint, position, outcome) = (found.fingerprint, found.position, found.outcome);
    let is_forgotten = fingerprint == FORGOTTEN;
    match context.actor {
        Actor::User(_) | Actor::Admin(_) | Actor::Anonymous if is_forgotten => {
            Err(LogError::OutcomeForgotten { position })
        }
        _ if is_forgotten || fingerprint == context.fingerprint => Ok(Some(Receipt { position, outcome })),
        _ => Err(LogError::CommandIdReused { command_id: context.command_id }),
    }
}
