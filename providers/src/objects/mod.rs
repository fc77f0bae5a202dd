//! The adapter from [`ObjectStore`] to the crate `object_store`, which knows disks and clouds.
//!
//! Refuses every key that could leave the store, and every second content under one key: a put is atomic, durable
//! and happens once. The content type follows from the extension.

#[cfg(test)]
mod tests;

use std::{error::Error, io, path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use object_store::{
    ObjectStore as Store, ObjectStoreExt, PutMode, local::LocalFileSystem, path::Path as Location,
    prefix::PrefixStore,
};

use crate::ports::{ObjectStore, ProviderError, StoredObject};

const KEY_CHARS_MAX: usize = 512;

pub(crate) struct Objects {
    store: Arc<dyn Store>,
}

impl Objects {
    /// Objects as files below `root`, which the first put creates. A relative root is taken from the folder in
    /// which the process was started, once.
    pub(crate) fn on_disk(root: &Path) -> Result<Self, ProviderError> {
        let unusable =
            |reason: String| ProviderError::Io { reason: format!("the folder of objects: {reason}") };
        let root = std::path::absolute(root).map_err(|error| unusable(error.kind().to_string()))?;
        let prefix = Location::from_absolute_path(root).map_err(|error| unusable(error.to_string()))?;
        let files = LocalFileSystem::new().with_fsync(true);
        Ok(Self { store: Arc::new(PrefixStore::new(files, prefix)) })
    }
}

#[async_trait]
impl ObjectStore for Objects {
    /// `content_type` is not stored: the key's extension says it again on the way out.
    async fn put(&self, key: &str, bytes: Bytes, _content_type: &str) -> Result<(), ProviderError> {
        let location = location(key)?;
        match self.store.put_opts(&location, bytes.clone().into(), PutMode::Create.into()).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) if self.get(key).await?.bytes == bytes => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn get(&self, key: &str) -> Result<StoredObject, ProviderError> {
        let object = self.store.get(&location(key)?).await.map_err(|error| failure(&error))?;
        let bytes = object.bytes().await.map_err(|error| failure(&error))?;
        Ok(StoredObject { bytes, content_type: content_type(key).to_owned() })
    }

    async fn delete(&self, key: &str) -> Result<(), ProviderError> {
        match self.store.delete(&location(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// `object_store` escapes what it does not like in a path, so that two keys could name one object. These keys need
/// no escape.
fn location(key: &str) -> Result<Location, ProviderError> {
    let refuse = |reason: &str| ProviderError::BadRequest { reason: format!("object key {reason}") };
    if key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(refuse("is empty or too long"));
    }
    let is_allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'/' | b'_' | b'.' | b'-');
    if !key.bytes().all(is_allowed) {
        return Err(refuse("has characters outside a-z 0-9 / _ . -"));
    }
    if key.split('/').any(|segment| segment.is_empty() || segment.starts_with('.')) {
        return Err(refuse("has an empty segment or one that starts with a dot"));
    }
    Location::parse(key).map_err(|_| refuse("is no path"))
}

fn content_type(key: &str) -> &'static str {
    match Path::new(key).extension().and_then(|extension| extension.to_str()) {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The class of an error. Its text names the machine's paths, so only the kind of a failed file operation is kept.
fn failure(error: &object_store::Error) -> ProviderError {
    match error {
        object_store::Error::NotFound { .. } => ProviderError::NotFound,
        object_store::Error::AlreadyExists { .. } => {
            ProviderError::BadRequest { reason: "object key is taken by other content".to_owned() }
        }
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            ProviderError::Auth
        }
        other => ProviderError::Io { reason: io_kind(other).unwrap_or("the object store failed".to_owned()) },
    }
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<String> {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.filter_map(|error| error.downcast_ref::<io::Error>()).map(|error| error.kind().to_string()).next()
}
