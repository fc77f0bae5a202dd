//! Passwords: argon2id with the parameters that OWASP names (19 MiB, 2 passes, 1 lane), off the runtime's
//! threads, at most as many at once as there are processors.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use event_log::clock;
use tokio::sync::Semaphore;

use crate::CommandError;

pub(crate) const PASSWORD_CHARS_MIN: usize = 8;
pub(crate) const PASSWORD_CHARS_MAX: usize = 200;
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified when nobody has the address, so that the answer takes the same time.
    decoy: Arc<str>,
}

fn hasher() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
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
        Self { permits: Arc::new(Semaphore::new(cores)), decoy: decoy.into() }
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
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, CommandError> {
        let known = hash.is_some();
        let (password, hash) = (password.to_owned(), hash.unwrap_or(&self.decoy).to_owned());
        let fits = self
            .off_thread(move || {
                PasswordHash::new(&hash)
                    .is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(fits && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let _permit = self.permits.acquire().await.map_err(|_| CommandError::Stopped)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| CommandError::Stopped)
    }
}
