//! Reads `user_assets`. Everything is asked for by its owner; deleted assets are not there.

use chrono::{DateTime, Utc};
use event_log::LogError;
use futures::FutureExt;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, Page, Reader, Rows, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct AssetRow {
    pub id: Uuid,
    /// `face` or `logo`.
    pub asset_type: String,
    /// The place in the object store; not for clients.
    #[serde(skip)]
    pub object_key: String,
    pub file_name: String,
    pub file_size: i64,
    pub mime_type: String,
    pub width: i32,
    pub height: i32,
    pub created_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "id, asset_type, object_key, file_name, file_size, mime_type, width, height, created_at";

/// A person's assets, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    page: Page,
) -> Result<Fresh<Rows<AssetRow>>, LogError> {
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let total =
                    sqlx::query_scalar("SELECT count(*) FROM user_assets WHERE user_id = $1 AND is_active")
                        .bind(user)
                        .fetch_one(&mut *connection)
                        .await?;
                let select = format!(
                    "SELECT {COLUMNS} FROM user_assets WHERE user_id = $1 AND is_active \
                     ORDER BY created_at DESC, id LIMIT $2 OFFSET $3"
                );
                let rows = sqlx::query_as(&select)
                    .bind(user)
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

/// One asset.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    id: Uuid,
) -> Result<Fresh<Option<AssetRow>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let select =
                    format!("SELECT {COLUMNS} FROM user_assets WHERE id = $1 AND user_id = $2 AND is_active");
                Ok(sqlx::query_as(&select).bind(id).bind(user).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}
