//! Boxes: base64 of a nonce and a ciphertext, bound to an owner. Values of persons, and the keys themselves,
//! lie in such boxes.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use super::nodes::unreadable;
use crate::{LogError, MasterKey, clock};

const NONCE_BYTES: usize = 24;

/// Nonces that never come twice: a random id of this process and a counter. 24 random bytes each time
/// would ask the operating system at every seal.
pub(crate) struct Nonces {
    process: [u8; NONCE_BYTES - 8],
    next: AtomicU64,
}

impl Nonces {
    pub(crate) fn new() -> Self {
        Self { process: clock::random_id().into_bytes(), next: AtomicU64::new(0) }
    }

    pub(crate) fn close(
        &self,
        key: &XChaCha20Poly1305,
        owner: Uuid,
        plain: &[u8],
    ) -> Result<String, LogError> {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..self.process.len()].copy_from_slice(&self.process);
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        nonce[self.process.len()..].copy_from_slice(&count.to_be_bytes());
        let payload = Payload { msg: plain, aad: owner.as_bytes() };
        let sealed = key.encrypt(XNonce::from_slice(&nonce), payload).map_err(unreadable)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }
}

pub(crate) fn open(key: &XChaCha20Poly1305, owner: Uuid, sealed: &str) -> Result<Vec<u8>, LogError> {
    let bytes = STANDARD.decode(sealed).map_err(unreadable)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(|| unreadable("it is too short"))?;
    key.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: owner.as_bytes() })
        .map_err(|_| unreadable("the key does not fit: is ROUTIX_SECRET_KEY the one it was sealed with?"))
}

/// Wraps keys with the master key, and opens what it or one of those accepted beside it has wrapped.
pub(crate) struct Wrapping {
    keys: Vec<XChaCha20Poly1305>,
    nonces: Nonces,
}

/// A key that was taken out of its box.
pub(crate) struct Unwrapped {
    pub(crate) plain: Vec<u8>,
    /// Which key the box is of: 0 is the master key, the others are accepted beside it.
    pub(crate) place: usize,
}

impl Wrapping {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self { keys: master.wrapping(), nonces: Nonces::new() }
    }

    pub(crate) fn close(&self, owner: Uuid, plain: &[u8]) -> Result<Vec<u8>, LogError> {
        let key = self.keys.first().ok_or_else(|| unreadable("there is no master key"))?;
        Ok(self.nonces.close(key, owner, plain)?.into_bytes())
    }

    /// The key in a box of the master key; `None` when it is in one already.
    pub(crate) fn again(&self, owner: Uuid, wrapped: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        let Unwrapped { plain, place } = self.open(owner, wrapped)?;
        if place == 0 { Ok(None) } else { self.close(owner, &plain).map(Some) }
    }

    pub(crate) fn open(&self, owner: Uuid, wrapped: &[u8]) -> Result<Unwrapped, LogError> {
        let text = std::str::from_utf8(wrapped).map_err(unreadable)?;
        let mut refused = unreadable("there is no master key");
        for (place, key) in self.keys.iter().enumerate() {
            match open(key, owner, text) {
                Ok(plain) => return Ok(Unwrapped { plain, place }),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}
