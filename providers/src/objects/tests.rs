//! Objects on disk stay where they belong.

use std::fs;

use super::*;

fn store() -> (tempfile::TempDir, Objects) {
    let dir = tempfile::tempdir().unwrap();
    let store = Objects::on_disk(&dir.path().join("objects")).unwrap();
    (dir, store)
}

#[tokio::test]
async fn what_is_put_is_got_with_the_type_of_its_extension() {
    let (_dir, store) = store();
    store.put("results/ab/one.png", Bytes::from_static(b"first"), "image/png").await.unwrap();
    let object = store.get("results/ab/one.png").await.unwrap();
    assert_eq!(
        object,
        StoredObject { bytes: Bytes::from_static(b"first"), content_type: "image/png".to_owned() }
    );
}

#[tokio::test]
async fn a_put_can_be_repeated_but_replaces_nothing() {
    let (_dir, store) = store();
    for _ in 0..2 {
        store.put("results/one.png", Bytes::from_static(b"first"), "image/png").await.unwrap();
    }
    let replaced = store.put("results/one.png", Bytes::from_static(b"second"), "image/png").await;
    let taken = "object key is taken by other content".to_owned();
    assert_eq!(replaced, Err(ProviderError::BadRequest { reason: taken }));
    assert_eq!(store.get("results/one.png").await.unwrap().bytes, "first");
}

#[tokio::test]
async fn a_failed_file_operation_is_told_without_the_paths_of_the_machine() {
    let (dir, store) = store();
    fs::write(dir.path().join("objects"), "a file where the folder should be").unwrap();
    let refused = store.put("a/b.json", Bytes::from_static(b"{}"), "application/json").await;
    assert_eq!(refused, Err(ProviderError::Io { reason: "not a directory".to_owned() }));
}

#[tokio::test]
async fn a_folder_with_a_space_and_a_percent_sign_is_used_as_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("my %20 objects");
    let store = Objects::on_disk(&root).unwrap();
    store.put("a/b.txt", Bytes::from_static(b"here"), "text/plain").await.unwrap();
    assert_eq!(fs::read(root.join("a/b.txt")).unwrap(), b"here");
    assert_eq!(store.get("a/b.txt").await.unwrap().bytes, "here");
}

#[tokio::test]
async fn a_put_leaves_nothing_but_the_object() {
    let (dir, store) = store();
    store.put("a/b.json", Bytes::from_static(b"{}"), "application/json").await.unwrap();
    let names: Vec<_> =
        fs::read_dir(dir.path().join("objects/a")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["b.json"]);
}

#[tokio::test]
async fn what_was_never_put_or_was_deleted_is_not_found() {
    let (_dir, store) = store();
    assert_eq!(store.get("faces/none.jpg").await, Err(ProviderError::NotFound));
    store.put("faces/one.jpg", Bytes::from_static(b"x"), "image/jpeg").await.unwrap();
    store.delete("faces/one.jpg").await.unwrap();
    store.delete("faces/one.jpg").await.unwrap();
    assert_eq!(store.get("faces/one.jpg").await, Err(ProviderError::NotFound));
}

#[tokio::test]
async fn no_key_leaves_the_directory() {
    let (dir, store) = store();
    fs::write(dir.path().join("secret.txt"), "secret").unwrap();
    for key in [
        "../secret.txt",
        "a/../../secret.txt",
        "/etc/passwd",
        "a//b",
        "",
        ".",
        "..",
        "a/./b",
        ".hidden",
        "a/",
        "A.png",
        "a\\b",
        "a b",
        "ä.png",
        "a\0b",
        "%2e%2e/secret.txt",
    ] {
        let refused = store.get(key).await;
        assert!(matches!(refused, Err(ProviderError::BadRequest { .. })), "{key:?} gave {refused:?}");
        let put = store.put(key, Bytes::from_static(b"x"), "text/plain").await;
        assert!(matches!(put, Err(ProviderError::BadRequest { .. })), "{key:?} gave {put:?}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("secret.txt")).unwrap(), "secret");
}
