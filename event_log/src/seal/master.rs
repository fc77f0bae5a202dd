//! The secret from configuration, and what is derived from it.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::{AnchorKey, Authenticator};

/// The secret from configuration that all other secrets of the log are wrapped by. While it is being changed
/// there are others beside it, which may still be read with and are never written with.
#[derive(Clone)]
pub struct MasterKey {
    current: [u8; 32],
    others: Vec<[u8; 32]>,
}

/// The secrets of a log, which stay the same for as long as it lives.
#[derive(Clone)]
pub(crate) struct LogSecrets {
    /// Hash the bodies of commands.
    pub(crate) fingerprints: [u8; 32],
    /// Hash the names of claims.
    pub(crate) claims: [u8; 32],
    /// Makes the authentication values of events and snapshots.
    pub(crate) authentication: [u8; 32],
    /// Signs anchors.
    pub(crate) anchors: [u8; 32],
    /// Seals objects of the house, and gives every object its nonce.
    pub(crate) objects: [u8; 32],
}

impl LogSecrets {
    pub(crate) const FINGERPRINTS: &'static str = "command fingerprints";
    pub(crate) const CLAIMS: &'static str = "claims";
    pub(crate) const AUTHENTICATION: &'static str = "authentication";
    pub(crate) const ANCHORS: &'static str = "anchors";
    pub(crate) const OBJECTS: &'static str = "objects";
    pub(crate) const ALL: [&'static str; 5] =
        [Self::FINGERPRINTS, Self::CLAIMS, Self::AUTHENTICATION, Self::ANCHORS, Self::OBJECTS];
}

/// The keys of one log: the master key and the secrets that it unlocked.
#[derive(Clone)]
pub struct LogKeys {
    pub(crate) master: MasterKey,
    pub(crate) secrets: LogSecrets,
    pub(crate) origin_id: Uuid,
}

impl std::fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogKeys(…)")
    }
}

impl LogKeys {
    pub fn master(&self) -> &MasterKey {
        &self.master
    }

    /// Signs the ends of this log.
    pub fn anchor_key(&self) -> AnchorKey {
        AnchorKey::from_seed(&self.secrets.anchors)
    }

    /// What tells the events of this log from others.
    pub fn authenticator(&self) -> Authenticator {
        Authenticator::new(&self.secrets.authentication, self.origin_id)
    }
}

impl MasterKey {
    pub fn from_secret(secret: &[u8]) -> Self {
        Self { current: of_secret(secret), others: Vec::new() }
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

    /// Keys for a log that was never written to and lies nowhere.
    pub fn first_keys(&self, origin_id: Uuid) -> LogKeys {
        let secrets = LogSecrets {
            fingerprints: self.derive(LogSecrets::FINGERPRINTS),
            claims: self.derive(LogSecrets::CLAIMS),
            authentication: self.derive(LogSecrets::AUTHENTICATION),
            anchors: self.derive(LogSecrets::ANCHORS),
            objects: self.derive(LogSecrets::OBJECTS),
        };
        LogKeys { master: self.clone(), secrets, origin_id }
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
