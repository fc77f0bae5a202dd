//! Reads `user_assets`. Everything is asked for by its owner; deleted assets are not there.

use chrono::{DateTime, Utc};
use domain::{AssetId, UserId};
use event_log::LogError;
use serde::Serialize;
use uuid::Uuid;

use super::NAME;
use crate::{Fresh, Page, Reader, Rows, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// A person's assets, newest first.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    page: Page,
) -> Result<Fresh<Rows<AssetRow>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "total!" FROM user_assets WHERE user_id = $1 AND is_active"#,
        user.0,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = sqlx::query_as!(
        AssetRow,
        r#"
        SELECT id, asset_type, object_key, file_name, file_size, mime_type, width, height, created_at
        FROM user_assets
        WHERE user_id = $1 AND is_active
        ORDER BY created_at DESC, id
        LIMIT $2 OFFSET $3
        "#,
        user.0,
        page.limit,
        page.offset,
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(Rows { rows, total }))
}

/// Reads an asset.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    id: AssetId,
) -> Result<Fresh<Option<AssetRow>>, LogError> {
    let statement = || {
        sqlx::query_as!(
            AssetRow,
            r#"
            SELECT id, asset_type, object_key, file_name, file_size, mime_type, width, height, created_at
            FROM user_assets
            WHERE id = $1 AND user_id = $2 AND is_active
            "#,
            id.0,
            user.0,
        )
    };
    reader.lookup(NAME, wanted, statement).await
}
