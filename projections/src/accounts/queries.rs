//! Reads `users` and `sessions`.

use chrono::{DateTime, Utc};
use domain::UserId;
use event_log::LogError;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, Page, Reader, Rows, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    pub id: Uuid,
    pub email: String,
    pub username: String,
    /// `user` or `admin`.
    pub role: String,
    pub is_active: bool,
    pub subscription_tier: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccountSession {
    pub id: Uuid,
    pub started_at: DateTime<Utc>,
    pub refreshed_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// `logged_out`, `token_reused` or `account_erased`.
    pub end_reason: Option<String>,
}

/// The accounts that an admin wants to see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountFilter {
    /// A part of the address, in any letter case.
    pub email: Option<String>,
    pub is_active: Option<bool>,
    pub tier: Option<String>,
}

/// Reads an account.
pub async fn user(reader: &Reader, wanted: Wanted, id: UserId) -> Result<Fresh<Option<Account>>, LogError> {
    let statement = || {
        sqlx::query_as!(
            Account,
            r#"
            SELECT id, email, username, role, is_active, subscription_tier, created_at, updated_at, last_login
            FROM users
            WHERE id = $1
            "#,
            id.0,
        )
    };
    reader.lookup(NAME, wanted, statement).await
}

/// Accounts, newest first. For admins.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    filter: &AccountFilter,
    page: Page,
) -> Result<Fresh<Rows<Account>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "total!"
        FROM users
        WHERE ($1::text IS NULL OR position(lower($1) IN lower(email)) > 0)
          AND ($2::boolean IS NULL OR is_active = $2)
          AND ($3::text IS NULL OR subscription_tier = $3)
        "#,
        filter.email as _,
        filter.is_active as _,
        filter.tier as _,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = sqlx::query_as!(
        Account,
        r#"
        SELECT id, email, username, role, is_active, subscription_tier, created_at, updated_at, last_login
        FROM users
        WHERE ($1::text IS NULL OR position(lower($1) IN lower(email)) > 0)
          AND ($2::boolean IS NULL OR is_active = $2)
          AND ($3::text IS NULL OR subscription_tier = $3)
        ORDER BY created_at DESC, id
        LIMIT $4 OFFSET $5
        "#,
        filter.email as _,
        filter.is_active as _,
        filter.tier as _,
        page.limit,
        page.offset,
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(Rows { rows, total }))
}

/// A person's sessions, newest first.
pub async fn sessions(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    page: Page,
) -> Result<Fresh<Vec<AccountSession>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let rows = sqlx::query_as!(
        AccountSession,
        r#"
        SELECT id, started_at, refreshed_at, expires_at, ended_at, end_reason
        FROM sessions
        WHERE user_id = $1
        ORDER BY started_at DESC, id
        LIMIT $2 OFFSET $3
        "#,
        user.0,
        page.limit,
        page.offset,
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(rows))
}
