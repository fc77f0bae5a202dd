//! Seals objects outside the database: with the key of the person whom they are of, so that an object which nobody
//! deleted is unreadable once the person is erased, and with a key of the house for the rest.
//!
//! An object is a box as bytes (`wrap.rs`), bound to its person and its key in the store. Its nonce follows from both and
//! from its content, so that storing it again stores the same bytes.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit;
use uuid::Uuid;

use super::Vault;
use super::master::keyed_hash;
use super::wrap::{NONCE_BYTES, close_with, open_bytes};
use crate::LogError;

fn place(owner: Option<Uuid>, key: &str) -> Vec<u8> {
    [b"object ".as_slice(), owner.unwrap_or_default().as_bytes(), key.as_bytes()].concat()
}

impl Vault {
    /// Seals what is stored under a key for a person, or for the house. `None` when the person was erased.
    pub async fn seal_object(
        &self,
        owner: Option<Uuid>,
        key: &str,
        plain: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError> {
        let Some(cipher) = self.cipher(owner, true).await? else { return Ok(None) };
        let place = place(owner, key);
        let hash = keyed_hash(&self.secrets.objects, &[&place, plain]);
        let mut nonce = [0; NONCE_BYTES];
        nonce.copy_from_slice(&hash[..NONCE_BYTES]);
        close_with(&cipher, &nonce, &place, plain).map(Some)
    }

    /// Opens what is stored under a key. `None` when its person was erased.
    pub async fn open_object(
        &self,
        owner: Option<Uuid>,
        key: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, LogError> {
        let Some(cipher) = self.cipher(owner, false).await? else { return Ok(None) };
        open_bytes(&cipher, &place(owner, key), sealed).map(Some)
    }

    async fn cipher(&self, owner: Option<Uuid>, create: bool) -> Result<Option<XChaCha20Poly1305>, LogError> {
        match owner {
            Some(owner) => Ok(self.key(owner, create).await?.map(|key| (*key).clone())),
            None => Ok(Some(XChaCha20Poly1305::new(&self.secrets.objects.into()))),
        }
    }
}
