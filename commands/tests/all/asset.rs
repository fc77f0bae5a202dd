//! Commands to assets.

use commands::{UploadAsset, UploadedAsset};
use domain::UserId;
use domain::conversation::PictureKind;
use testing::{World, command_of, picture};

pub fn face(owner: UserId) -> UploadAsset {
    UploadAsset { owner, kind: PictureKind::Face, file_name: "me.png".to_owned(), bytes: picture(7) }
}

pub async fn uploaded(world: &World, owner: UserId) -> UploadedAsset {
    world.commands.upload_asset(command_of(owner), face(owner)).await.unwrap().value
}

/// Tells whether the bytes of a key are stored.
async fn is_stored(world: &World, key: &str) -> bool {
    world.providers.objects.get(key).await.is_ok()
}

mod upload_asset {
    use bytes::Bytes;
    use commands::{CommandError, UploadAsset};
    use domain::reactions::Role;
    use testing::{World, command_of, eventually};

    use super::{face, is_stored, uploaded};
    use crate::ask::{refused, twice};

    #[tokio::test]
    async fn happy_the_picture_is_stored_and_measured() {
        let world = World::start().await;
        let asset = uploaded(&world, world.user().await).await;
        assert_eq!((asset.picture.width, asset.picture.height), (64, 64));
        assert!(is_stored(&world, &asset.picture.key).await);
    }

    #[tokio::test]
    async fn refused_what_is_no_picture() {
        let world = World::start().await;
        let owner = world.user().await;
        let upload = UploadAsset { bytes: Bytes::from_static(b"no picture"), ..face(owner) };
        let refusal = refused(&world, world.commands.upload_asset(command_of(owner), upload)).await;
        assert!(matches!(refusal, CommandError::Picture(_)), "{refusal:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn repeated_after_the_asset_was_deleted_its_picture_does_not_come_back() {
        let world = World::with_projections().await;
        let owner = world.user().await;
        let context = command_of(owner);
        let upload = async || world.commands.upload_asset(context.clone(), face(owner)).await.unwrap();
        let asset = upload().await.value;
        world.commands.delete_asset(command_of(owner), (owner, asset.asset_id)).await.unwrap();
        let cleanup = world.work(Role::Cleanup);
        eventually("the picture is gone", async || !is_stored(&world, &asset.picture.key).await).await;
        cleanup.stop().await;
        assert!(upload().await.replayed);
        assert!(!is_stored(&world, &asset.picture.key).await);
    }

    #[tokio::test]
    async fn repeated_it_is_the_same_asset() {
        let world = World::start().await;
        let owner = world.user().await;
        let send = async |context| world.commands.upload_asset(context, face(owner)).await;
        twice(&world, command_of(owner), send).await;
    }
}

mod delete_asset {
    use domain::AssetId;
    use domain::reactions::Role;
    use testing::{World, command_of, eventually};
    use uuid::Uuid;

    use super::{is_stored, uploaded};
    use crate::ask::{is_absent, refused, twice};

    #[tokio::test(flavor = "multi_thread")]
    async fn happy_the_file_goes_with_it() {
        let world = World::with_projections().await;
        let owner = world.user().await;
        let asset = uploaded(&world, owner).await;
        assert!(is_stored(&world, &asset.picture.key).await);
        // As after a restore: the events came back from the stream, rows of the command side do not.
        world.run("DELETE FROM objects").await;
        world.commands.delete_asset(command_of(owner), (owner, asset.asset_id)).await.unwrap();
        let cleanup = world.work(Role::Cleanup);
        eventually("the picture is gone", async || !is_stored(&world, &asset.picture.key).await).await;
        cleanup.stop().await;
        assert_eq!(world.number("SELECT count(*) FROM objects").await, 0);
    }

    #[tokio::test]
    async fn refused_what_was_never_there() {
        let world = World::start().await;
        let owner = world.user().await;
        let nothing = (owner, AssetId(Uuid::from_u128(9)));
        assert!(is_absent(&refused(&world, world.commands.delete_asset(command_of(owner), nothing)).await));
    }

    #[tokio::test]
    async fn repeated_it_is_gone_once() {
        let world = World::start().await;
        let owner = world.user().await;
        let asset = uploaded(&world, owner).await.asset_id;
        let send = async |context| world.commands.delete_asset(context, (owner, asset)).await;
        twice(&world, command_of(owner), send).await;
        let again = world.commands.delete_asset(command_of(owner), (owner, asset)).await;
        assert!(again.is_ok(), "deleting what is deleted is no error: {again:?}");
    }

    #[tokio::test]
    async fn foreign_a_picture_of_somebody_else_stays() {
        let world = World::start().await;
        let (owner, other) = (world.user().await, world.user().await);
        let asset = uploaded(&world, owner).await;
        let delete = world.commands.delete_asset(command_of(other), (other, asset.asset_id));
        assert!(is_absent(&refused(&world, delete).await));
        assert!(is_stored(&world, &asset.picture.key).await);
    }
}
