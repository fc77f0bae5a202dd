//! Commands to credit ledgers, as an admin sends them.

use domain::credit_ledger::{CreditLedger, CreditLedgerCommand, GrantReason};
use domain::user::User;
use domain::{Credits, GrantId, Timestamp, UserId};
use event_log::{CommandContext, clock};
use serde::{Deserialize, Serialize};

use crate::{CommandError, Commands, Done, outcome};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedCredits {
    pub grant_id: GrantId,
    pub amount: Credits,
    pub granted_at: Timestamp,
}

impl Commands {
    /// Gives a user credits.
    pub async fn grant_credits(
        &self,
        mut context: CommandContext,
        user_id: UserId,
        amount: Credits,
        reason: GrantReason,
    ) -> Result<Done<GrantedCredits>, CommandError> {
        if self.log.load::<User>(user_id).await?.state.profile().is_none() {
            return Err(CommandError::NotFound { what: "user" });
        }
        let at = clock::now();
        let grant_id = GrantId(clock::derived_id(context.command_id, "grant"));
        context.owner = Some(user_id.0);
        let grant = CreditLedgerCommand::Grant { user_id, grant_id, amount, reason, expires_at: None, at };
        let unit = self.log.unit::<CommandError>(context).execute::<CreditLedger>(user_id, [grant]);
        outcome::commit(unit, &GrantedCredits { grant_id, amount, granted_at: at }).await
    }

    /// The balance of a user, as the log has it now.
    pub async fn available_credits(&self, user_id: UserId) -> Result<Credits, CommandError> {
        Ok(self.log.load::<CreditLedger>(user_id).await?.state.available())
    }
}
