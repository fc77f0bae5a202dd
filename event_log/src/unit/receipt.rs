//! What a command id did before: read from its receipt.

use serde_json::Value;

use super::Committed;
use crate::{Actor, CommandContext, LogError, recover};

/// Clients repeat a command within minutes; this is more than enough.
pub(crate) const CLIENT_RECEIPT_DAYS: i64 = 30;

/// What this command id answered before, if it did.
///
/// # Errors
/// `CommandIdReused` when it was another command that had this id, `OutcomeForgotten` when it had its effect
/// but a restore lost the answer.
pub(crate) async fn first_outcome(
    pool: &sqlx::PgPool,
    context: &CommandContext,
) -> Result<Option<Committed>, LogError> {
    let receipt: Option<(Vec<u8>, i64, Value)> = sqlx::query_as(
        "SELECT fingerprint, last_position, outcome FROM command_receipts WHERE owner = $1 AND command_id = $2",
    )
    .bind(context.actor.receipt_owner())
    .bind(context.command_id)
    .fetch_optional(pool)
    .await?;
    match receipt {
        None => Ok(None),
        Some((fingerprint, position, outcome)) if recover::is_forgotten(&fingerprint) => {
            match context.actor {
                Actor::Process(_) => Ok(Some(replayed(position, outcome))),
                Actor::User(_) | Actor::Admin(_) | Actor::Anonymous => {
                    Err(LogError::OutcomeForgotten { position })
                }
            }
        }
        Some((fingerprint, ..)) if fingerprint != context.fingerprint => {
            Err(LogError::CommandIdReused { command_id: context.command_id })
        }
        Some((_, position, outcome)) => Ok(Some(replayed(position, outcome))),
    }
}

/// The answer to a command that had its effect before.
pub(super) fn replayed(position: i64, outcome: Value) -> Committed {
    Committed { position, versions: vec![], events: vec![], outcome, replayed: true }
}
