//! Passwords: argon2id with the parameters that OWASP names (19 MiB, 2 passes, 1 lane), off the runtime's threads.
//!
//! One processor is left to everybody else. A hash that was begun is not given up, so its place is free only when it is
//! done, however long its client stays; the queue for the places is short, and who finds it full comes back later.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use event_log::clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::CommandError;

pub(crate) const PASSWORD_CHARS_MIN: usize = 8;
pub(crate) const PASSWORD_CHARS_MAX: usize = 200;
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords that wait to be hashed.
const WAITING_MAX: usize = 64;

#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Verified when nobody has the address, so that the answer takes the same time.
    decoy: Arc<str>,
}

fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Tells whether a hash was made with weaker parameters than those of today.
fn is_weak(hash: &PasswordHash<'_>) -> bool {
    let is_of_today = hash.algorithm == Algorithm::Argon2id.ident()
        && Params::try_from(hash)
            .is_ok_and(|params| params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES);
    !is_of_today
}

/// Compares a password with its hash, and makes a stronger one where it fits and the hash is weak.
fn compare(password: &[u8], known: &str) -> Comparison {
    let Ok(parsed) = PasswordHash::new(known) else { return Comparison::default() };
    let fits = hasher().verify_password(password, &parsed).is_ok();
    let stronger = (fits && is_weak(&parsed)).then(|| hash(password).ok()).flatten();
    Comparison { fits, stronger }
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) fits: bool,
    /// The hash that takes the place of a weak one.
    pub(crate) stronger: Option<String>,
}

fn hash(password: &[u8]) -> Result<String, CommandError> {
    // 122 random bits, as many as a salt needs to be unique.
    let salt = SaltString::encode_b64(clock::random_id().as_bytes()).map_err(|_| CommandError::Stopped)?;
    let hash = hasher().hash_password(password, &salt).map_err(|_| CommandError::Stopped)?;
    Ok(hash.to_string())
}

impl Passwords {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let decoy = hash(b"nobody's password").unwrap_or_default();
        Self {
            permits: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            queue: Arc::new(Semaphore::new(WAITING_MAX)),
            decoy: decoy.into(),
        }
    }

    /// The PHC string of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, CommandError> {
        let length = password.chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
            return Err(CommandError::PasswordLength { min: PASSWORD_CHARS_MIN, max: PASSWORD_CHARS_MAX });
        }
        let password = password.to_owned();
        self.off_thread(move || hash(password.as_bytes())).await?
    }

    /// Compares a password with its hash. Without a hash it takes as long and is wrong.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<&str>,
    ) -> Result<Comparison, CommandError> {
        let is_known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(&self.decoy).to_owned());
        let comparison = self.off_thread(move || compare(password.as_bytes(), &hash)).await?;
        Ok(if is_known { comparison } else { Comparison::default() })
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let permit = self.permit().await?;
        let work = move || {
            // Given back when the work is done, not when the request is gone.
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| CommandError::Stopped)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CommandError> {
        let _place = self.queue.try_acquire().map_err(|_| CommandError::TooBusy)?;
        self.permits.clone().acquire_owned().await.map_err(|_| CommandError::Stopped)
    }
}

#[cfg(test)]
mod tests;
