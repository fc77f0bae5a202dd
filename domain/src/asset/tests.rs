//! Given, when, then.

use super::*;
use crate::conversation::PictureKind;
use crate::tests::examples::{ALICE, FACE, given, hers, minute, picture};

fn upload() -> AssetCommand {
    AssetCommand::Upload {
        asset_id: FACE,
        owner: ALICE,
        kind: PictureKind::Face,
        picture: picture("assets/face.png"),
        file_name: "me on the beach.jpg".to_owned(),
        at: minute(0),
    }
}

fn uploaded() -> AssetEvent {
    AssetEvent::AssetUploaded {
        asset_id: FACE,
        owner: ALICE,
        kind: PictureKind::Face,
        picture: picture("assets/face.png"),
        file_name: hers("me on the beach.jpg".to_owned()),
        uploaded_at: minute(0),
    }
}

fn delete() -> AssetCommand {
    AssetCommand::Delete { at: minute(1) }
}

fn deleted() -> AssetEvent {
    AssetEvent::AssetDeleted { asset_id: FACE, deleted_at: minute(1) }
}

#[test]
fn a_face_is_uploaded_and_its_file_name_is_the_persons() {
    given::<Asset>(vec![]).when(upload()).then_expect_events(vec![uploaded()]);
}

#[test]
fn uploading_twice_is_refused() {
    given::<Asset>(vec![uploaded()]).when(upload()).then_expect_error(AssetError::AlreadyUploaded);
}

#[test]
fn a_deleted_asset_does_not_come_back() {
    given::<Asset>(vec![uploaded(), deleted()]).when(upload()).then_expect_error(AssetError::AlreadyUploaded);
}

#[test]
fn an_asset_can_be_deleted() {
    given::<Asset>(vec![uploaded()]).when(delete()).then_expect_events(vec![deleted()]);
}

#[test]
fn deleting_twice_changes_nothing() {
    given::<Asset>(vec![uploaded(), deleted()]).when(delete()).then_expect_events(vec![]);
}

#[test]
fn what_was_never_uploaded_cannot_be_deleted() {
    given::<Asset>(vec![]).when(delete()).then_expect_error(AssetError::NotUploaded);
}
