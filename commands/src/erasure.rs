//! Erasing a person: the account is closed for good, the address is free again, and no word can be read any
//! more. The log destroys the key in the transaction that stores the event.

use domain::user::{AskedBy, User, UserCommand, UserError};
use domain::{Timestamp, UserId};
use event_log::{Claim, CommandContext, LogError, clock, erase};
use serde::{Deserialize, Serialize};

use crate::user::EMAIL_CLAIM;
use crate::{CommandError, Commands, Done, outcome};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedPerson {
    pub user_id: UserId,
    pub erased_at: Timestamp,
}

impl Commands {
    /// Erases a person. Erasing somebody again changes nothing.
    ///
    /// # Errors
    /// `UserError::NotRegistered` when nobody has this id.
    pub async fn erase_person(
        &self,
        mut context: CommandContext,
        user_id: UserId,
        asked_by: AskedBy,
    ) -> Result<Done<ErasedPerson>, CommandError> {
        let at = clock::now();
        context.owner = Some(user_id.0);
        let user = self.log.load::<User>(user_id).await?.state;
        let email = user.profile().and_then(|profile| profile.email.known());
        let erase = UserCommand::Erase { asked_by, at };
        let mut unit = self.log.unit::<CommandError>(context).execute::<User>(user_id, [erase]);
        if let Some(email) = email {
            unit = unit.claim(Claim::release(EMAIL_CLAIM, email.normalised(), user_id.0));
        }
        let nameless = user.profile().is_some() && email.is_none();
        let done = outcome::commit(unit, &ErasedPerson { user_id, erased_at: at }).await?;
        if nameless {
            // The key was gone before the event, so nobody knows which address to free.
            self.log.release_claims_of(EMAIL_CLAIM, user_id.0).await?;
        }
        self.log.forget_person(user_id.0);
        Ok(done)
    }

    /// Erases a person of whom a receipt says that it was done: the database was restored from before. The key
    /// is destroyed in any case; `false` when the log did not take the event yet.
    pub async fn erase_again(&self, user_id: UserId) -> Result<bool, LogError> {
        let context =
            CommandContext::for_process("erasure", user_id.0, clock::new_id(), Some(user_id.0), "again");
        let done = self.erase_person(context, user_id, AskedBy::Operator).await;
        erase::destroy_key(self.log.pool(), user_id.0).await?;
        self.log.forget_person(user_id.0);
        match done {
            Ok(_) | Err(CommandError::User(UserError::NotRegistered)) => Ok(true),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, %user_id, "a person's key is destroyed, and the log does not say so yet");
                Ok(false)
            }
        }
    }
}
