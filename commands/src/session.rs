//! Commands to sessions.

use domain::session::{Session, SessionCommand, SessionError, TokenHash};
use domain::{SessionId, Timestamp, UserId};
use event_log::{CommandContext, LogError, clock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{CommandError, Commands, Done, outcome};

/// The material of a session's tokens. The same command id gives the same tokens again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTokens {
    pub session_id: SessionId,
    pub user_id: UserId,
    /// The id of the refresh token. Only its hash is in the log.
    #[serde(skip)]
    pub refresh_id: Uuid,
    /// The command that the ids follow from.
    pub command_id: Uuid,
    pub issued_at: Timestamp,
    pub refresh_expires_at: Timestamp,
}

impl SessionTokens {
    pub(crate) fn start(&self) -> SessionCommand {
        SessionCommand::Start {
            session_id: self.session_id,
            user_id: self.user_id,
            token: hash_of(self.refresh_id),
            at: self.issued_at,
            expires_at: self.refresh_expires_at,
        }
    }
}

fn hash_of(token_id: Uuid) -> TokenHash {
    TokenHash(hex::encode(Sha256::digest(token_id.as_bytes())))
}

impl Commands {
    /// Refresh ids follow from the command id and a secret, so that a repeated command gives the same token
    /// and nobody else can compute it.
    fn refresh_id(&self, command_id: Uuid) -> Uuid {
        let secret = self.log.vault().fingerprint(&[b"refresh token", command_id.as_bytes()]);
        clock::derived_id(command_id, &hex::encode(secret))
    }

    pub(crate) fn new_session(&self, command_id: Uuid, user_id: UserId, at: Timestamp) -> SessionTokens {
        SessionTokens {
            session_id: SessionId(clock::derived_id(command_id, "session")),
            user_id,
            refresh_id: self.refresh_id(command_id),
            command_id,
            issued_at: at,
            refresh_expires_at: at + self.settings.refresh_token_life,
        }
    }

    /// Fills in what the receipt does not hold.
    pub fn complete_tokens(&self, tokens: &SessionTokens) -> SessionTokens {
        SessionTokens { refresh_id: self.refresh_id(tokens.command_id), ..tokens.clone() }
    }

    /// Opens a session for somebody whose password was checked.
    pub async fn log_in(
        &self,
        mut context: CommandContext,
        user_id: UserId,
    ) -> Result<Done<SessionTokens>, CommandError> {
        context.owner = Some(user_id.0);
        let session = self.new_session(context.command_id, user_id, clock::now());
        let unit =
            self.log.unit::<CommandError>(context).create::<Session>(session.session_id, [session.start()]);
        outcome::commit(unit, &session).await
    }

    /// Exchanges the newest refresh token of a session for the next. An older one ends the session.
    pub async fn refresh(
        &self,
        mut context: CommandContext,
        (session_id, user_id): (SessionId, UserId),
        presented: Uuid,
    ) -> Result<Done<SessionTokens>, CommandError> {
        let at = clock::now();
        context.owner = Some(user_id.0);
        let next = SessionTokens { session_id, ..self.new_session(context.command_id, user_id, at) };
        let refresh = SessionCommand::Refresh {
            presented: hash_of(presented),
            next: hash_of(next.refresh_id),
            at,
            expires_at: next.refresh_expires_at,
        };
        let unit = self.log.unit::<CommandError>(context).execute::<Session>(session_id, [refresh]);
        let done = match outcome::commit(unit, &next).await {
            Err(CommandError::Session(
                SessionError::NotStarted | SessionError::Ended | SessionError::Expired,
            )) => return Err(CommandError::RefreshTokenInvalid),
            other => other?,
        };
        // The command succeeds in both cases; whether the session lives on tells which one it was.
        match self.log.load_cached::<Session>(session_id).await?.state {
            Session::Open { .. } => Ok(done),
            Session::NotStarted | Session::Ended { .. } => Err(CommandError::RefreshTokenReused),
        }
    }

    /// Ends a session. Ending one that has ended changes nothing.
    pub async fn log_out(
        &self,
        context: CommandContext,
        session_id: SessionId,
    ) -> Result<Done<()>, CommandError> {
        let log_out = SessionCommand::LogOut { at: clock::now() };
        let unit = self.log.unit::<CommandError>(context).execute::<Session>(session_id, [log_out]);
        outcome::commit(unit, &()).await
    }

    /// Tells whether a session is open. Asked at every request, so answered from memory when it can be.
    pub async fn session_is_open(&self, session_id: SessionId) -> Result<bool, LogError> {
        let now = clock::now();
        let cached = self.log.load_cached::<Session>(session_id).await?;
        if cached.state.is_open(now) {
            return Ok(true);
        }
        Ok(self.log.load::<Session>(session_id).await?.state.is_open(now))
    }
}
