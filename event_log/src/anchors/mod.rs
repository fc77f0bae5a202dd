//! Anchors: the end of the log, signed (Ed25519), and kept where neither Postgres nor NATS reach. A log that was cut off
//! or written anew, with a chain that is whole, does not hold what an anchor says.
//!
//! An anchor has 130 bytes: form and key, a byte each; log id (16); position and time in microseconds since 1970, each a
//! big-endian i64; the chain value (32); the signature over all before it (64). Whoever has the public key can check it.

mod folder;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use uuid::Uuid;

use crate::Position;
use crate::verify::Anchor;

pub use folder::{AnchorFolder, Standing as AnchorStanding};

/// The form of the anchors that are made today, and the number of the key that signs them.
const HEAD: [u8; 2] = [1, 1];
const SIGNED_BYTES: usize = 2 + 16 + 8 + 8 + 32;
const BYTES: usize = SIGNED_BYTES + 64;

/// The end of a log at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    pub log_id: Uuid,
    pub position: Position,
    pub chain: Vec<u8>,
    pub at: DateTime<Utc>,
}

impl LogHead {
    fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(HEAD);
        bytes.extend(self.log_id.as_bytes());
        bytes.extend(self.position.get().to_be_bytes());
        bytes.extend(self.at.timestamp_micros().to_be_bytes());
        bytes.extend(&self.chain);
        bytes
    }

    /// What the chain must say.
    pub fn anchor(&self) -> Anchor {
        Anchor { position: self.position, chain: self.chain.clone() }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&HEAD)?;
        let (log_id, rest) = rest.split_first_chunk::<16>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let (micros, chain) = rest.split_first_chunk::<8>()?;
        (chain.len() == 32).then_some(())?;
        Some(Self {
            log_id: Uuid::from_bytes(*log_id),
            position: Position::new(i64::from_be_bytes(*position)),
            chain: chain.to_vec(),
            at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
        })
    }
}

/// Signs anchors.
pub struct AnchorKey(Ed25519KeyPair);

impl std::fmt::Debug for AnchorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnchorKey(…)")
    }
}

impl AnchorKey {
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32 bytes are a seed"))
    }

    pub fn public(&self) -> AnchorPublicKey {
        AnchorPublicKey(self.0.public_key().as_ref().to_vec())
    }

    pub fn sign(&self, head: &LogHead) -> Vec<u8> {
        let mut bytes = head.to_be_signed();
        let signature = self.0.sign(&bytes);
        bytes.extend(signature.as_ref());
        bytes
    }
}

/// Checks anchors. As text it is 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorPublicKey(Vec<u8>);

/// The text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 64 hexadecimal digits")]
pub struct NotAKey;

impl std::str::FromStr for AnchorPublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let bytes = hex::decode(text.trim()).map_err(|_| NotAKey)?;
        if bytes.len() == 32 { Ok(Self(bytes)) } else { Err(NotAKey) }
    }
}

impl std::fmt::Display for AnchorPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl AnchorPublicKey {
    /// What an anchor says; `None` where this key's holder did not sign it.
    pub fn open(&self, anchor: &[u8]) -> Option<LogHead> {
        let (signed, signature) = anchor.split_at_checked(SIGNED_BYTES)?;
        UnparsedPublicKey::new(&ED25519, &self.0).verify(signed, signature).ok()?;
        LogHead::parse(signed)
    }
}
