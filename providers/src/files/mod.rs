//! Objects as files on disk, below one directory.
//!
//! Refuses every key that could leave the directory. A put is atomic and durable: a reader sees the
//! old bytes or the new ones, also after a crash. The content type follows from the extension.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{ObjectStore, ProviderError, StoredObject};

const KEY_CHARS_MAX: usize = 512;

/// Makes temporary names unique within the process; the process id makes them unique beyond it.
static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

pub(crate) struct FileStore {
    root: PathBuf,
}

impl FileStore {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, key: &str) -> Result<PathBuf, ProviderError> {
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
        Ok(self.root.join(key))
    }
}

#[async_trait]
impl ObjectStore for FileStore {
    /// `content_type` is not stored: the key's extension says it again on the way out.
    async fn put(&self, key: &str, bytes: Bytes, _content_type: &str) -> Result<(), ProviderError> {
        let path = self.path(key)?;
        blocking(move || write(&path, &bytes)).await
    }

    async fn get(&self, key: &str) -> Result<StoredObject, ProviderError> {
        let path = self.path(key)?;
        let content_type = content_type(key).to_owned();
        let bytes = blocking(move || fs::read(path)).await?;
        Ok(StoredObject { bytes: Bytes::from(bytes), content_type })
    }

    async fn delete(&self, key: &str) -> Result<(), ProviderError> {
        let path = self.path(key)?;
        match blocking(move || fs::remove_file(path)).await {
            Err(ProviderError::NotFound) => Ok(()),
            done => done,
        }
    }
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

/// Upper case keeps temporary names apart from every possible key.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
    let temporary = directory.join(format!("TEMPORARY-{}-{number}", std::process::id()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ProviderError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| ProviderError::Io { reason: error.to_string() })?;
    done.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ProviderError::NotFound,
        kind => ProviderError::Io { reason: kind.to_string() },
    })
}
