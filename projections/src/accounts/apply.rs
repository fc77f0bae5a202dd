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
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row, subject};

/// Why a session ended whose person was erased. No event of the session says so: an erased account has none.
const ENDED_BY_ERASURE: &str = "account_erased";

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[User::TYPE, Session::TYPE],
    ignored_events: &["PasswordHashRaised"],
    tables: &["users", "sessions"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Accounts;

#[async_trait]
impl Projection for Accounts {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            apply_event(tx, event).await?;
        }
        Ok(())
    }
}

async fn apply_event(tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
    match event.recorded.aggregate_type.as_str() {
        User::TYPE => apply_user(tx, subject(event)?, event.parse()?).await,
        _ => apply_session(tx, subject(event)?, event.parse()?).await,
    }
}

async fn apply_user(tx: &mut PgConnection, id: Uuid, event: UserEvent) -> Result<(), ApplyError> {
    let done = match event {
        UserEvent::UserRegistered { user_id, email, username, role, registered_at, .. } => {
            sqlx::query!(
                r#"
                INSERT INTO users (id, email, username, role, created_at, updated_at)
                VALUES ($1, $2, $3, $4, $5, $5)
                "#,
                user_id.0,
                email.text(),
                username.text(),
                role_name(role),
                registered_at,
            )
            .execute(tx)
            .await?
        }
        UserEvent::PasswordHashRaised { .. } => return Ok(()),
        UserEvent::PasswordChanged { changed_at, .. } => {
            sqlx::query!(r#"UPDATE users SET updated_at = $2 WHERE id = $1"#, id, changed_at)
                .execute(tx)
                .await?
        }
        UserEvent::UserDeactivated { deactivated_at, .. } => {
            sqlx::query!(
                r#"UPDATE users SET is_active = false, updated_at = $2 WHERE id = $1"#,
                id,
                deactivated_at
            )
            .execute(tx)
            .await?
        }
        UserEvent::PersonErased { erased_at, .. } => {
            sqlx::query!(
                r#"
                UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL
                "#,
                id,
                erased_at,
                ENDED_BY_ERASURE,
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                r#"
                UPDATE users SET email = $3, username = $3, is_active = false, updated_at = $2 WHERE id = $1
                "#,
                id,
                erased_at,
                ERASED,
            )
            .execute(tx)
            .await?
        }
        UserEvent::UserReactivated { reactivated_at } => {
            sqlx::query!(
                r#"UPDATE users SET is_active = true, updated_at = $2 WHERE id = $1"#,
                id,
                reactivated_at
            )
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
            sqlx::query!(
                r#"UPDATE users SET last_login = greatest(last_login, $2) WHERE id = $1"#,
                user_id.0,
                started_at
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                r#"
                INSERT INTO sessions (id, user_id, started_at, refreshed_at, expires_at)
                VALUES ($1, $2, $3, $3, $4)
                "#,
                session_id.0,
                user_id.0,
                started_at,
                expires_at,
            )
            .execute(tx)
            .await?
        }
        SessionEvent::SessionRefreshed { refreshed_at, expires_at, .. } => {
            sqlx::query!(
                r#"UPDATE sessions SET refreshed_at = $2, expires_at = $3 WHERE id = $1"#,
                id,
                refreshed_at,
                expires_at
            )
            .execute(tx)
            .await?
        }
        SessionEvent::SessionEnded { session_id, reason, ended_at, .. } => {
            sqlx::query!(
                r#"UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1"#,
                session_id.0,
                ended_at,
                end_reason_name(reason)
            )
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
