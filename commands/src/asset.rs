//! Commands to assets: a picture is checked, re-encoded and stored before the log hears of it.

use bytes::Bytes;
use domain::asset::{Asset, AssetCommand};
use domain::conversation::PictureKind;
use domain::template::StoredPicture;
use domain::{AssetId, Timestamp, UserId};
use event_log::{CommandContext, clock};
use providers::pictures::{self, Picture, PictureError, PictureLimits};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ASSET;
use crate::objects::Belongs;
use crate::{CommandError, Commands, Done, outcome};

/// An upload as it arrived.
#[derive(Debug, Clone)]
pub struct UploadAsset {
    pub owner: UserId,
    pub kind: PictureKind,
    pub file_name: String,
    pub bytes: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedAsset {
    pub asset_id: AssetId,
    pub picture: StoredPicture,
    pub uploaded_at: Timestamp,
}

impl Commands {
    pub async fn upload_asset(
        &self,
        context: CommandContext,
        upload: UploadAsset,
    ) -> Result<Done<UploadedAsset>, CommandError> {
        let asset_id = AssetId(clock::derived_id(context.command_id, "asset"));
        let picture = self.check_picture(upload.bytes, self.settings.asset_bytes_max).await?;
        let belongs = Belongs { subject: asset_id.0, owner: Some(upload.owner.0) };
        let picture = self.store("assets", belongs, picture).await?;
        let at = clock::now();
        let command = AssetCommand::Upload {
            asset_id,
            owner: upload.owner,
            kind: upload.kind,
            picture: picture.clone(),
            file_name: upload.file_name,
            at,
        };
        let unit = self.log.unit::<CommandError>(context).create::<Asset>(asset_id, [command]);
        let done = outcome::commit(unit, &UploadedAsset { asset_id, picture, uploaded_at: at }).await?;
        if done.replayed && matches!(self.log.load::<Asset>(asset_id).await?.state, Asset::Deleted { .. }) {
            // The picture of a deleted asset was stored once more just now.
            self.delete_object(&done.value.picture.key).await?;
        }
        Ok(done)
    }

    /// Deletes an asset. The picture itself goes as soon as the process manager `cleanup` hears of it.
    pub async fn delete_asset(
        &self,
        context: CommandContext,
        (owner, asset_id): (UserId, AssetId),
    ) -> Result<Done<()>, CommandError> {
        match self.log.load::<Asset>(asset_id).await?.state {
            Asset::Uploaded(asset) if asset.owner == owner => {}
            Asset::Deleted { owner: was, .. } if was == owner => {}
            Asset::Uploaded(_) | Asset::Deleted { .. } | Asset::NotUploaded => {
                return Err(CommandError::NotFound { what: ASSET });
            }
        }
        let delete = AssetCommand::Delete { at: clock::now() };
        let unit = self.log.unit::<CommandError>(context).execute::<Asset>(asset_id, [delete]);
        outcome::commit(unit, &()).await
    }

    /// Decodes off the runtime's threads, few at once: a picture of the largest size takes hundreds of
    /// megabytes while it is decoded. Whoever hangs up does not free the place before the work has ended.
    pub(crate) async fn decode(
        &self,
        work: impl FnOnce() -> Result<Picture, PictureError> + Send + 'static,
    ) -> Result<Picture, CommandError> {
        let permit = self.decoding.clone().acquire_owned().await.map_err(|_| CommandError::Stopped)?;
        let decoded = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        Ok(decoded.await.map_err(|_| CommandError::Stopped)??)
    }

    /// Checks a picture by its bytes and re-encodes it, off the runtime's threads.
    pub(crate) async fn check_picture(
        &self,
        bytes: Bytes,
        bytes_max: usize,
    ) -> Result<Picture, CommandError> {
        let limits = PictureLimits {
            max_bytes: bytes_max,
            max_pixels: self.settings.picture_pixels_max,
            ..PictureLimits::default()
        };
        self.decode(move || pictures::normalise(&bytes, &limits)).await
    }

    /// Puts a checked picture into the object store. Its key names the content too: a command that is refused
    /// afterwards, because its id was used for another picture, has overwritten nothing.
    pub(crate) async fn store(
        &self,
        kind: &str,
        to: Belongs,
        picture: Picture,
    ) -> Result<StoredPicture, CommandError> {
        const DIGEST_BYTES: usize = 8;
        let digest = Sha256::digest(&picture.bytes);
        let stored = StoredPicture {
            key: format!(
                "{}/{}-{}.{}",
                to.folder(kind),
                to.subject,
                hex::encode(&digest[..DIGEST_BYTES]),
                picture.extension
            ),
            mime: picture.mime.to_owned(),
            size_bytes: picture.bytes.len() as u64,
            width: picture.width,
            height: picture.height,
        };
        self.put_object(to, &stored, picture.bytes.into()).await?;
        Ok(stored)
    }
}
