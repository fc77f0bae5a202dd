//! Writes `user_assets`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::asset::{Asset, AssetEvent};
use domain::user::User;
use event_log::OpenedEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Projection, one_row, pixels};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Assets;

#[async_trait]
impl Projection for Assets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Asset::TYPE, User::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["user_assets"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        if is_of_account(event) {
            return match erased_person(event)? {
                Some(person) => erase(tx, person).await,
                None => Ok(()),
            };
        }
        let done = match event.parse()? {
            AssetEvent::AssetUploaded { asset_id, owner, kind, picture, file_name, uploaded_at } => {
                sqlx::query(
                    "INSERT INTO user_assets ( \
                         id, user_id, asset_type, object_key, file_name, file_size, mime_type, width, height, \
                         created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(asset_id.0)
                .bind(owner.0)
                .bind(kind.name())
                .bind(picture.key)
                .bind(file_name.text().replace('\0', ""))
                .bind(i64::try_from(picture.size_bytes).unwrap_or(i64::MAX))
                .bind(picture.mime)
                .bind(pixels(picture.width))
                .bind(pixels(picture.height))
                .bind(uploaded_at)
                .execute(tx)
                .await?
            }
            AssetEvent::AssetDeleted { asset_id, deleted_at } => {
                sqlx::query("UPDATE user_assets SET is_active = false, deleted_at = $2 WHERE id = $1")
                    .bind(asset_id.0)
                    .bind(deleted_at)
                    .execute(tx)
                    .await?
            }
        };
        one_row(&done, "user_assets")
    }
}

async fn erase(tx: &mut PgConnection, person: Uuid) -> Result<(), ApplyError> {
    let names = sqlx::query("UPDATE user_assets SET file_name = $2 WHERE user_id = $1");
    names.bind(person).bind(ERASED).execute(tx).await?;
    Ok(())
}
