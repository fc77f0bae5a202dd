//! The columns that are never sent.

use super::AssetRow;

#[test]
fn the_place_in_the_object_store_is_never_sent() {
    let row = AssetRow {
        id: uuid::Uuid::nil(),
        asset_type: "face".to_owned(),
        object_key: "assets/secret".to_owned(),
        file_name: "me.png".to_owned(),
        file_size: 1,
        mime_type: "image/png".to_owned(),
        width: 1,
        height: 1,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let sent = serde_json::to_string(&row).unwrap();
    assert!(sent.contains("me.png"));
    assert!(!sent.contains("secret"));
}
