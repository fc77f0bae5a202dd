//! The events of an asset.

use serde::{Deserialize, Serialize};

use crate::conversation::PictureKind;
use crate::event_names::event_names;
use crate::template::StoredPicture;
use crate::{AssetId, Personal, Timestamp, UserId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AssetEvent {
    AssetUploaded {
        asset_id: AssetId,
        owner: UserId,
        kind: PictureKind,
        picture: StoredPicture,
        file_name: Personal<String>,
        uploaded_at: Timestamp,
    },
    AssetDeleted {
        asset_id: AssetId,
        deleted_at: Timestamp,
    },
}

event_names!(AssetEvent {
    AssetUploaded => "1.0",
    AssetDeleted => "1.0",
});
