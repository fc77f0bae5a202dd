//! The commands to an account, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{AskedBy, Role, User, UserError, UserEvent};
use crate::{EmailAddress, Personal, Timestamp, UserId, Username};

#[derive(Debug, Clone)]
pub enum UserCommand {
    Register {
        user_id: UserId,
        email: EmailAddress,
        username: Username,
        password_hash: String,
        role: Role,
        at: Timestamp,
    },
    ChangePassword {
        password_hash: String,
        at: Timestamp,
    },
    /// The same password, hashed anew with stronger parameters.
    RaisePasswordHash {
        /// The hash that the password was verified by.
        instead_of: String,
        password_hash: String,
        at: Timestamp,
    },
    Deactivate {
        reason: String,
        at: Timestamp,
    },
    Reactivate {
        at: Timestamp,
    },
    /// Makes everything of the person unreadable. Cannot be undone.
    Erase {
        asked_by: AskedBy,
        at: Timestamp,
    },
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;
    type Services = ();

    async fn handle(
        &mut self,
        command: UserCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), UserError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: UserEvent) {
        self.fold(event);
    }
}

impl User {
    fn decide(&self, command: UserCommand) -> Result<Option<UserEvent>, UserError> {
        match (self, command) {
            (
                Self::Unregistered,
                UserCommand::Register { user_id, email, username, password_hash, role, at },
            ) => Ok(Some(UserEvent::UserRegistered {
                user_id,
                email: Personal::new(user_id, email),
                username: Personal::new(user_id, username),
                password_hash: Personal::new(user_id, password_hash),
                role,
                registered_at: at,
            })),
            (_, UserCommand::Register { .. }) => Err(UserError::AlreadyRegistered),
            (Self::Unregistered, _) => Err(UserError::NotRegistered),
            (Self::Erased { .. }, UserCommand::Erase { .. })
            | (Self::Active(_), UserCommand::Reactivate { .. })
            | (Self::Deactivated(_), UserCommand::Deactivate { .. }) => Ok(None),
            (Self::Erased { .. }, _) => Err(UserError::Erased),
            (Self::Active(profile) | Self::Deactivated(profile), UserCommand::Erase { asked_by, at }) => {
                Ok(Some(UserEvent::PersonErased { user_id: profile.user_id, asked_by, erased_at: at }))
            }
            (
                Self::Deactivated(_),
                UserCommand::ChangePassword { .. } | UserCommand::RaisePasswordHash { .. },
            ) => Err(UserError::Deactivated),
            (Self::Active(profile), UserCommand::RaisePasswordHash { instead_of, password_hash, at }) => {
                // Whoever changed the password meanwhile has a new hash already.
                let is_verified = profile.password_hash.known() == Some(&instead_of);
                Ok(is_verified.then(|| UserEvent::PasswordHashRaised {
                    password_hash: Personal::new(profile.user_id, password_hash),
                    raised_at: at,
                }))
            }
            (Self::Active(profile), UserCommand::ChangePassword { password_hash, at }) => {
                Ok(Some(UserEvent::PasswordChanged {
                    password_hash: Personal::new(profile.user_id, password_hash),
                    changed_at: at,
                }))
            }
            (Self::Active(_), UserCommand::Deactivate { reason, at }) => {
                Ok(Some(UserEvent::UserDeactivated { reason, deactivated_at: at }))
            }
            (Self::Deactivated(_), UserCommand::Reactivate { at }) => {
                Ok(Some(UserEvent::UserReactivated { reactivated_at: at }))
            }
        }
    }
}
