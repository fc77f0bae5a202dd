//! Writes `user_assets`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::UserId;
use domain::asset::{Asset, AssetEvent};
use domain::user::User;
use event_log::OpenedEvent;
use sqlx::PgConnection;

use super::NAME;
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row, pixels};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[Asset::TYPE, User::TYPE],
    ignored_events: &[],
    tables: &["user_assets"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Assets;

#[async_trait]
impl Projection for Assets {
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
    if is_of_account(event) {
        return match erased_person(event)? {
            Some(person) => erase(tx, person).await,
            None => Ok(()),
        };
    }
    let done = match event.parse()? {
        AssetEvent::AssetUploaded { asset_id, owner, kind, picture, file_name, uploaded_at } => {
            sqlx::query!(
                r#"
                INSERT INTO user_assets (
                    id, user_id, asset_type, object_key, file_name, file_size, mime_type, width, height,
                    created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                "#,
                asset_id.0,
                owner.0,
                kind.name(),
                picture.key,
                file_name.text().replace('\0', ""),
                i64::try_from(picture.size_bytes).unwrap_or(i64::MAX),
                picture.mime,
                pixels(picture.width),
                pixels(picture.height),
                uploaded_at,
            )
            .execute(tx)
            .await?
        }
        AssetEvent::AssetDeleted { asset_id, deleted_at } => {
            sqlx::query!(
                r#"UPDATE user_assets SET is_active = false, deleted_at = $2 WHERE id = $1"#,
                asset_id.0,
                deleted_at
            )
            .execute(tx)
            .await?
        }
    };
    one_row(&done, "user_assets")
}

async fn erase(tx: &mut PgConnection, person: UserId) -> Result<(), ApplyError> {
    let names = sqlx::query!(r#"UPDATE user_assets SET file_name = $2 WHERE user_id = $1"#, person.0, ERASED);
    names.execute(tx).await?;
    Ok(())
}
