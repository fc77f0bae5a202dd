//! Commands to accounts.

use domain::credit_ledger::{CreditLedger, CreditLedgerCommand, GrantReason};
use domain::session::Session;
use domain::user::{Role, User, UserCommand};
use domain::{Credits, EmailAddress, GrantId, Timestamp, UserId, Username};
use event_log::{Actor, Claim, CommandContext, LogError, clock};
use serde::{Deserialize, Serialize};

use crate::session::SessionTokens;
use crate::{CommandError, Commands, Done, outcome};

pub(crate) const EMAIL_CLAIM: &str = "email address";

/// A new account.
#[derive(Debug, Clone)]
pub struct RegisterUser {
    pub email: EmailAddress,
    pub username: Username,
    pub password: String,
    pub role: Role,
}

/// Somebody whose address and password fit.
#[derive(Debug)]
pub struct Authenticated {
    pub actor: Actor,
    /// Where the hash is weaker than those of today.
    pub stronger: Option<StrongerHash>,
}

/// A hash of the same password with the parameters of today.
#[derive(Debug)]
pub struct StrongerHash {
    instead_of: String,
    hash: String,
}

/// The account that was made, and the session that was opened for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisteredUser {
    pub user_id: UserId,
    pub credits: Credits,
    pub registered_at: Timestamp,
    pub session: SessionTokens,
}

impl Commands {
    /// Registers an account, grants the credits of a signup and opens the first session.
    ///
    /// # Errors
    /// `LogError::Taken` when the address belongs to somebody, in whatever letter case.
    pub async fn register(
        &self,
        mut context: CommandContext,
        user: RegisterUser,
    ) -> Result<Done<RegisteredUser>, CommandError> {
        let at = clock::now();
        let user_id = UserId(clock::derived_id(context.command_id, "user"));
        let password_hash = self.passwords.hash(&user.password).await?;
        let session = self.new_session(context.command_id, user_id, at);
        let credits = Credits(self.settings.signup_credits);
        let email = user.email.normalised();
        context.owner = Some(user_id.0);
        let register = UserCommand::Register {
            user_id,
            email: user.email,
            username: user.username,
            password_hash,
            role: user.role,
            at,
        };
        let mut unit = self
            .log
            .unit::<CommandError>(context.clone())
            .create::<User>(user_id, [register])
            .create::<Session>(session.session_id, [session.start()])
            .claim(Claim::take(EMAIL_CLAIM, email, user_id.0));
        if credits > Credits::ZERO {
            let grant = CreditLedgerCommand::Grant {
                user_id,
                grant_id: GrantId(clock::derived_id(context.command_id, "signup grant")),
                amount: credits,
                reason: GrantReason::Signup,
                expires_at: None,
                at,
            };
            unit = unit.create::<CreditLedger>(user_id, [grant]);
        }
        outcome::commit(unit, &RegisteredUser { user_id, credits, registered_at: at, session }).await
    }

    /// The user with this address and password, if both fit and the account may be used.
    pub async fn authenticate(&self, email: &str, password: &str) -> Result<Authenticated, CommandError> {
        let user = match EmailAddress::parse(email) {
            Ok(email) => match self.log.claimed_by(EMAIL_CLAIM, &email.normalised()).await? {
                Some(user_id) => Some(self.log.load::<User>(user_id).await?.state),
                None => None,
            },
            Err(_) => None,
        };
        let profile = user.as_ref().and_then(User::profile);
        let hash = profile.and_then(|profile| profile.password_hash.known());
        let comparison = self.passwords.verify(password, hash.map(String::as_str)).await?;
        if !comparison.fits {
            return Err(CommandError::WrongCredentials);
        }
        let stronger = comparison.stronger.zip(hash);
        let stronger = stronger.map(|(hash, old)| StrongerHash { instead_of: old.clone(), hash });
        match (user.as_ref(), profile) {
            (Some(User::Active(_)), Some(profile)) => {
                Ok(Authenticated { actor: actor_of(profile.user_id, profile.role), stronger })
            }
            (Some(User::Deactivated(_)), _) => Err(domain::user::UserError::Deactivated.into()),
            _ => Err(CommandError::WrongCredentials),
        }
    }

    /// Puts a stronger hash in the place of the one that was just verified. A password that was changed meanwhile stays.
    pub async fn raise_password_hash(
        &self,
        context: CommandContext,
        user_id: UserId,
        stronger: StrongerHash,
    ) -> Result<Done<()>, CommandError> {
        let command_id = clock::derived_id(context.command_id, "raise password hash");
        let context = CommandContext { command_id, owner: Some(user_id.0), ..context };
        let StrongerHash { instead_of, hash } = stronger;
        let raise = UserCommand::RaisePasswordHash { instead_of, password_hash: hash, at: clock::now() };
        let unit = self.log.unit::<CommandError>(context).execute::<User>(user_id, [raise]);
        outcome::commit(unit, &()).await
    }

    /// The account of an address, if there is one.
    pub async fn user_of_email(&self, email: &EmailAddress) -> Result<Option<UserId>, LogError> {
        Ok(self.log.claimed_by(EMAIL_CLAIM, &email.normalised()).await?.map(UserId))
    }
}

/// The actor in the log when an account acts for itself.
pub fn actor_of(user_id: UserId, role: Role) -> Actor {
    match role {
        Role::User => Actor::User(user_id.0),
        Role::Admin => Actor::Admin(user_id.0),
    }
}
