//! The state that decisions about an asset, and about chats that use it, rest on.

use serde::{Deserialize, Serialize};

use super::AssetEvent;
use crate::conversation::PictureKind;
use crate::template::StoredPicture;
use crate::{AssetId, UserId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UploadedAsset {
    pub asset_id: AssetId,
    pub owner: UserId,
    pub kind: PictureKind,
    pub picture: StoredPicture,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Asset {
    #[default]
    NotUploaded,
    Uploaded(UploadedAsset),
    Deleted {
        owner: UserId,
        /// The key of the picture, which is to be gone.
        key: String,
    },
}

impl Asset {
    /// Raised when the form of this state changes: older snapshots are then ignored and replaced.
    pub const SNAPSHOT_FORM: &'static str = "1";

    pub(super) fn fold(&mut self, event: AssetEvent) {
        match event {
            AssetEvent::AssetUploaded { asset_id, owner, kind, picture, .. } => {
                *self = Self::Uploaded(UploadedAsset { asset_id, owner, kind, picture });
            }
            AssetEvent::AssetDeleted { .. } => {
                if let Self::Uploaded(asset) = self {
                    *self = Self::Deleted { owner: asset.owner, key: asset.picture.key.clone() };
                }
            }
        }
    }
}
