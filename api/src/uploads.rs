//! Uploads that are under way: how many of a user, and how many bytes of all.
//!
//! Both are taken before the first byte of a body is read. A body is held in memory until its picture is stored, so
//! whoever sends slowly would otherwise fill the memory with as many bodies as there are connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::BytesMut;
use domain::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::ApiError;

/// Uploads of one user at the same time.
const OF_ONE_USER_MAX: usize = 2;
/// Bodies of uploads in memory, in KiB.
const KIB_MAX: usize = 256 << 10;
/// The room that reading a body takes beside the body.
const READING_KIB: usize = 1 << 10;
/// An upload waits so long for others to end.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// The body of an upload arrives whole within this time.
const BODY_MAX: Duration = Duration::from_mins(2);

/// The uploads of this process. Cheap to clone.
#[derive(Clone)]
pub struct Uploads {
    kib: Arc<Semaphore>,
    of: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// An upload that may be read, for as long as this lives.
pub struct Admitted {
    /// The bytes that the body has at most.
    pub bytes_max: usize,
    _memory: OwnedSemaphorePermit,
    _place: Place,
}

/// A user's place for an upload; free again when it is dropped.
struct Place {
    uploads: Uploads,
    user: UserId,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { kib: Arc::new(Semaphore::new(KIB_MAX)), of: Arc::default() }
    }
}

impl Uploads {
    fn of(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a user upload a body of `bytes_max` bytes at most, or of as many as its headers announce.
    pub async fn admit(
        &self,
        user: UserId,
        headers: &HeaderMap,
        bytes_max: usize,
    ) -> Result<Admitted, ApiError> {
        let place = self.place(user).ok_or(ApiError::TooManyUploads)?;
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let announced = announced.and_then(|length| length.parse().ok()).unwrap_or(bytes_max);
        let bytes_max = announced.min(bytes_max);
        let kib = u32::try_from(bytes_max.div_ceil(1 << 10) + READING_KIB).unwrap_or(u32::MAX);
        let memory = timeout(WAIT_MAX, self.kib.clone().acquire_many_owned(kib)).await;
        let memory = memory.ok().and_then(Result::ok).ok_or(ApiError::Unavailable)?;
        Ok(Admitted { bytes_max, _memory: memory, _place: place })
    }

    fn place(&self, user: UserId) -> Option<Place> {
        let mut of = self.of();
        let taken = of.entry(user).or_default();
        if *taken >= OF_ONE_USER_MAX {
            return None;
        }
        *taken += 1;
        Some(Place { uploads: self.clone(), user })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.uploads.of();
        if let Some(taken) = of.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                of.remove(&self.user);
            }
        }
    }
}

impl Admitted {
    /// Reads a form within the time that an upload has.
    pub async fn in_time<T>(
        &self,
        form: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, ApiError> {
        let read = timeout(BODY_MAX, form).await.map_err(|_| ApiError::TooSlow)?;
        read.map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge { max_bytes: self.bytes_max }
            } else {
                ApiError::Malformed { detail: error.body_text() }
            }
        })
    }

    /// Reads a file into memory that is asked for once: a buffer that grows is copied, and holds both for a moment.
    pub async fn file(&self, mut field: Field<'_>) -> Result<Bytes, MultipartError> {
        let mut bytes = BytesMut::with_capacity(self.bytes_max);
        while let Some(chunk) = field.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }
}
