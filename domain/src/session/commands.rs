//! The commands to a session, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{EndReason, Session, SessionError, SessionEvent, TokenHash};
use crate::{SessionId, Timestamp, UserId};

#[derive(Debug, Clone)]
pub enum SessionCommand {
    Start { session_id: SessionId, user_id: UserId, token: TokenHash, at: Timestamp, expires_at: Timestamp },
    Refresh { presented: TokenHash, next: TokenHash, at: Timestamp, expires_at: Timestamp },
    LogOut { at: Timestamp },
}

impl Aggregate for Session {
    const TYPE: &'static str = "session";
    type Command = SessionCommand;
    type Event = SessionEvent;
    type Error = SessionError;
    type Services = ();

    async fn handle(
        &mut self,
        command: SessionCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), SessionError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: SessionEvent) {
        self.fold(event);
    }
}

impl Session {
    fn decide(&self, command: SessionCommand) -> Result<Option<SessionEvent>, SessionError> {
        match (self, command) {
            (Self::NotStarted, SessionCommand::Start { session_id, user_id, token, at, expires_at }) => {
                Ok(Some(SessionEvent::SessionStarted {
                    session_id,
                    user_id,
                    token,
                    started_at: at,
                    expires_at,
                }))
            }
            (_, SessionCommand::Start { .. }) => Err(SessionError::AlreadyStarted),
            (Self::NotStarted, _) => Err(SessionError::NotStarted),
            (Self::Ended { .. }, SessionCommand::LogOut { .. }) => Ok(None),
            (Self::Ended { .. }, SessionCommand::Refresh { .. }) => Err(SessionError::Ended),
            (
                Self::Open { session_id, user_id, token, expires_at: until },
                SessionCommand::Refresh { presented, next, at, expires_at },
            ) => {
                if *until <= at {
                    Err(SessionError::Expired)
                } else if presented == *token {
                    Ok(Some(SessionEvent::SessionRefreshed {
                        user_id: *user_id,
                        token: next,
                        refreshed_at: at,
                        expires_at,
                    }))
                } else {
                    Ok(Some(SessionEvent::SessionEnded {
                        session_id: *session_id,
                        user_id: *user_id,
                        reason: EndReason::TokenReused,
                        ended_at: at,
                    }))
                }
            }
            (Self::Open { session_id, user_id, .. }, SessionCommand::LogOut { at }) => {
                Ok(Some(SessionEvent::SessionEnded {
                    session_id: *session_id,
                    user_id: *user_id,
                    reason: EndReason::LoggedOut,
                    ended_at: at,
                }))
            }
        }
    }
}
