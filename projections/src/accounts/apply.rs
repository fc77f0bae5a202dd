//! Writes `users` and `sessions`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::session::{EndReason, Session, SessionEvent};
use domain::user::{Role, User, UserEvent};
use event_log::OpenedEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use crate::erasure::ERASED;
use crate::runtime::{ApplyError, Projection, one_row, subject};

/// Why a session ended whose person was erased. No event of the session says so: an erased account has none.
const ENDED_BY_ERASURE: &str = "account_erased";

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Accounts;

#[async_trait]
impl Projection for Accounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[User::TYPE, Session::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["users", "sessions"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        match event.recorded.aggregate_type.as_str() {
            User::TYPE => apply_user(tx, subject(event)?, event.parse()?).await,
            _ => apply_session(tx, subject(event)?, event.parse()?).await,
        }
    }
}

async fn apply_user(tx: &mut PgConnection, id: Uuid, event: UserEvent) -> Result<(), ApplyError> {
    let done = match event {
        UserEvent::UserRegistered { user_id, email, username, role, registered_at, .. } => {
            sqlx::query(
                "INSERT INTO users (id, email, username, role, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $5)",
            )
            .bind(user_id.0)
            .bind(email.text())
            .bind(username.text())
            .bind(role_name(role))
            .bind(registered_at)
            .execute(tx)
            .await?
        }
        UserEvent::PasswordChanged { changed_at, .. } => {
            sqlx::query("UPDATE users SET updated_at = $2 WHERE id = $1")
                .bind(id)
                .bind(changed_at)
                .execute(tx)
                .await?
        }
        UserEvent::UserDeactivated { deactivated_at, .. } => {
            sqlx::query("UPDATE users SET is_active = false, updated_at = $2 WHERE id = $1")
                .bind(id)
                .bind(deactivated_at)
                .execute(tx)
                .await?
        }
        UserEvent::PersonErased { erased_at, .. } => {
            sqlx::query(
                "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL",
            )
            .bind(id)
            .bind(erased_at)
            .bind(ENDED_BY_ERASURE)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE users SET email = $3, username = $3, is_active = false, updated_at = $2 WHERE id = $1",
            )
            .bind(id)
            .bind(erased_at)
            .bind(ERASED)
            .execute(tx)
            .await?
        }
        UserEvent::UserReactivated { reactivated_at } => {
            sqlx::query("UPDATE users SET is_active = true, updated_at = $2 WHERE id = $1")
                .bind(id)
                .bind(reactivated_at)
                .execute(tx)
                .await?
        }
    };
    one_row(&done, "users")
}

async fn apply_session(tx: &mut PgConnection, id: Uuid, event: SessionEvent) -> Result<(), ApplyError> {
    let done = match event {
        SessionEvent::SessionStarted { session_id, user_id, started_at, expires_at, .. } => {
            // The account may be parked, so it is not expected to be there.
            sqlx::query("UPDATE users SET last_login = greatest(last_login, $2) WHERE id = $1")
                .bind(user_id.0)
                .bind(started_at)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO sessions (id, user_id, started_at, refreshed_at, expires_at) \
                 VALUES ($1, $2, $3, $3, $4)",
            )
            .bind(session_id.0)
            .bind(user_id.0)
            .bind(started_at)
            .bind(expires_at)
            .execute(tx)
            .await?
        }
        SessionEvent::SessionRefreshed { refreshed_at, expires_at, .. } => {
            sqlx::query("UPDATE sessions SET refreshed_at = $2, expires_at = $3 WHERE id = $1")
                .bind(id)
                .bind(refreshed_at)
                .bind(expires_at)
                .execute(tx)
                .await?
        }
        SessionEvent::SessionEnded { session_id, reason, ended_at, .. } => {
            sqlx::query("UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1")
                .bind(session_id.0)
                .bind(ended_at)
                .bind(end_reason_name(reason))
                .execute(tx)
                .await?
        }
    };
    one_row(&done, "sessions")
}

pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Admin => "admin",
    }
}

pub(super) fn end_reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::LoggedOut => "logged_out",
        EndReason::TokenReused => "token_reused",
    }
}
