//! The secret from configuration, and what is derived from it.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The secret from configuration that all other secrets of the log are wrapped by. While it is being changed
/// there are others beside it, which may still be read with and are never written with.
#[derive(Clone)]
pub struct MasterKey {
    current: [u8; 32],
    others: Vec<[u8; 32]>,
    log: Option<LogSecrets>,
}

/// The secrets with which the names of claims and the bodies of commands are hashed.
#[derive(Clone)]
pub(crate) struct LogSecrets {
    pub(crate) fingerprints: [u8; 32],
    pub(crate) claims: [u8; 32],
}

pub(crate) const FINGERPRINTS: &str = "command fingerprints";
pub(crate) const CLAIMS: &str = "claims";

impl MasterKey {
    pub fn from_secret(secret: &[u8]) -> Self {
        Self { current: of_secret(secret), others: Vec::new(), log: None }
    }

    /// Accepts what was made with another secret too.
    #[must_use]
    pub fn accepting(mut self, secret: &[u8]) -> Self {
        self.others.push(of_secret(secret));
        self
    }

    /// A key for one purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        keyed_hash(&self.current, &[purpose.as_bytes()])
    }

    /// The keys for one purpose: the one to write with first, then those that may still be read with.
    pub fn derive_all(&self, purpose: &str) -> Vec<[u8; 32]> {
        let others = self.others.iter().map(|key| keyed_hash(key, &[purpose.as_bytes()]));
        std::iter::once(self.derive(purpose)).chain(others).collect()
    }

    /// The keys that wrap data keys, in the same order.
    pub(crate) fn wrapping(&self) -> Vec<XChaCha20Poly1305> {
        let keys = self.derive_all("wrap data keys");
        keys.into_iter().map(|key| XChaCha20Poly1305::new(&key.into())).collect()
    }

    pub(crate) fn with_log_secrets(mut self, secrets: LogSecrets) -> Self {
        self.log = Some(secrets);
        self
    }

    /// The log's own secrets. Before a log was unlocked they are those that it begins with.
    pub(crate) fn log_secrets(&self) -> LogSecrets {
        self.log.clone().unwrap_or_else(|| LogSecrets {
            fingerprints: self.derive(FINGERPRINTS),
            claims: self.derive(CLAIMS),
        })
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn of_secret(secret: &[u8]) -> [u8; 32] {
    keyed_hash(secret, &[b"routix master key"])
}

pub(super) fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
