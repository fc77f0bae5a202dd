//! Reads `users` and `sessions`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_log::LogError;
use futures::FutureExt;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, Page, Reader, Rows, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
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

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct AccountSession {
    pub id: Uuid,
    pub started_at: DateTime<Utc>,
    pub refreshed_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    /// `logged_out`, `token_reused` or `account_erased`.
    pub end_reason: Option<String>,
}

/// Which accounts an admin wants to see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountFilter {
    /// A part of the address, in any letter case.
    pub email: Option<String>,
    pub is_active: Option<bool>,
    pub tier: Option<String>,
}

/// One account.
pub async fn user(reader: &Reader, wanted: Wanted, id: Uuid) -> Result<Fresh<Option<Account>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let row = sqlx::query_as(
                    "SELECT id, email, username, role, is_active, subscription_tier, created_at, updated_at, last_login \
                     FROM users WHERE id = $1",
                );
                Ok(row.bind(id).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// Accounts, newest first. For admins.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    filter: AccountFilter,
    page: Page,
) -> Result<Fresh<Rows<Account>>, LogError> {
    const MATCHING: &str = "FROM users \
         WHERE ($1::text IS NULL OR position(lower($1) IN lower(email)) > 0) \
           AND ($2::boolean IS NULL OR is_active = $2) \
           AND ($3::text IS NULL OR subscription_tier = $3)";
    let filter = Arc::new(filter);
    reader
        .read(NAME, wanted, move |connection| {
            let filter = filter.clone();
            async move {
                let count = format!("SELECT count(*) {MATCHING}");
                let total = sqlx::query_scalar(&count)
                    .bind(&filter.email)
                    .bind(filter.is_active)
                    .bind(&filter.tier)
                    .fetch_one(&mut *connection)
                    .await?;
                let select = format!(
                    "SELECT id, email, username, role, is_active, subscription_tier, created_at, updated_at, last_login \
                     {MATCHING} ORDER BY created_at DESC, id LIMIT $4 OFFSET $5"
                );
                let rows = sqlx::query_as(&select)
                    .bind(&filter.email)
                    .bind(filter.is_active)
                    .bind(&filter.tier)
                    .bind(page.limit)
                    .bind(page.offset)
                    .fetch_all(connection)
                    .await?;
                Ok(Rows { rows, total })
            }
            .boxed()
        })
        .await
}

/// A person's sessions, newest first.
pub async fn sessions(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    page: Page,
) -> Result<Fresh<Vec<AccountSession>>, LogError> {
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let rows = sqlx::query_as(
                    "SELECT id, started_at, refreshed_at, expires_at, ended_at, end_reason \
                     FROM sessions WHERE user_id = $1 ORDER BY started_at DESC, id LIMIT $2 OFFSET $3",
                );
                Ok(rows.bind(user).bind(page.limit).bind(page.offset).fetch_all(connection).await?)
            }
            .boxed()
        })
        .await
}
