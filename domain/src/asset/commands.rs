//! The commands to an asset, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{Asset, AssetError, AssetEvent};
use crate::conversation::PictureKind;
use crate::template::StoredPicture;
use crate::{AssetId, Personal, Timestamp, UserId};

#[derive(Debug, Clone)]
pub enum AssetCommand {
    Upload {
        asset_id: AssetId,
        owner: UserId,
        kind: PictureKind,
        picture: StoredPicture,
        file_name: String,
        at: Timestamp,
    },
    Delete {
        at: Timestamp,
    },
}

impl Aggregate for Asset {
    const TYPE: &'static str = "asset";
    type Command = AssetCommand;
    type Event = AssetEvent;
    type Error = AssetError;
    type Services = ();

    async fn handle(
        &mut self,
        command: AssetCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), AssetError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: AssetEvent) {
        self.fold(event);
    }
}

impl Asset {
    fn decide(&self, command: AssetCommand) -> Result<Option<AssetEvent>, AssetError> {
        match (self, command) {
            (Self::NotUploaded, AssetCommand::Upload { asset_id, owner, kind, picture, file_name, at }) => {
                Ok(Some(AssetEvent::AssetUploaded {
                    asset_id,
                    owner,
                    kind,
                    picture,
                    file_name: Personal::new(owner, file_name),
                    uploaded_at: at,
                }))
            }
            (_, AssetCommand::Upload { .. }) => Err(AssetError::AlreadyUploaded),
            (Self::NotUploaded, AssetCommand::Delete { .. }) => Err(AssetError::NotUploaded),
            (Self::Uploaded(asset), AssetCommand::Delete { at }) => {
                Ok(Some(AssetEvent::AssetDeleted { asset_id: asset.asset_id, deleted_at: at }))
            }
            (Self::Deleted { .. }, AssetCommand::Delete { .. }) => Ok(None),
        }
    }
}
