//! Boxes: base64 of `form ‖ key ‖ nonce ‖ ciphertext`, where the first two are bytes and the nonce has 24. The cipher
//! is XChaCha20-Poly1305. A box is bound to its place: elsewhere it does not open. Values of persons, and the keys
//! themselves, lie in such boxes.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use super::nodes::unreadable;
use crate::{LogError, MasterKey};

pub(super) const NONCE_BYTES: usize = 24;
/// The form of the boxes that are made today, and the number of the key that they are made with.
const HEAD: [u8; 2] = [1, 1];

/// Puts a value into a box that opens at its place only.
pub(crate) fn close(key: &XChaCha20Poly1305, place: &[u8], plain: &[u8]) -> Result<String, LogError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce)?;
    Ok(STANDARD.encode(close_with(key, &nonce, place, plain)?))
}

pub(crate) fn open(key: &XChaCha20Poly1305, place: &[u8], sealed: &str) -> Result<Vec<u8>, LogError> {
    open_bytes(key, place, &STANDARD.decode(sealed).map_err(unreadable)?)
}

/// The box as bytes, with a nonce that comes for no other value.
pub(super) fn close_with(
    key: &XChaCha20Poly1305,
    nonce: &[u8; NONCE_BYTES],
    place: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, LogError> {
    let bound = [&HEAD, place].concat();
    let payload = Payload { msg: plain, aad: &bound };
    let sealed = key.encrypt(XNonce::from_slice(nonce), payload).map_err(unreadable)?;
    Ok([HEAD.as_slice(), nonce, &sealed].concat())
}

pub(super) fn open_bytes(key: &XChaCha20Poly1305, place: &[u8], bytes: &[u8]) -> Result<Vec<u8>, LogError> {
    let (head, sealed) = bytes.split_first_chunk().ok_or_else(|| unreadable("it is too short"))?;
    if *head != HEAD {
        return Err(unreadable("it is of a form that this program does not know"));
    }
    let (nonce, sealed) =
        sealed.split_at_checked(NONCE_BYTES).ok_or_else(|| unreadable("it is too short"))?;
    let bound = [&HEAD, place].concat();
    key.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: &bound }).map_err(|_| {
        unreadable(
            "the key does not fit: is ROUTIX_SECRET_KEY the one it was sealed with? Or the box was moved",
        )
    })
}

/// Wraps keys with the master key, and opens what it or one of those accepted beside it has wrapped.
pub(crate) struct Wrapping {
    keys: Vec<XChaCha20Poly1305>,
}

/// The key of a person, or the secret of a log, that a box holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wrapped<'a> {
    DataKey { owner: Uuid },
    Secret { purpose: &'a str },
}

impl Wrapped<'_> {
    fn place(self) -> Vec<u8> {
        match self {
            Self::DataKey { owner } => [b"data key ".as_slice(), owner.as_bytes()].concat(),
            Self::Secret { purpose } => [b"log secret ", purpose.as_bytes()].concat(),
        }
    }
}

/// A key that was taken out of its box.
pub(crate) struct Unwrapped {
    pub(crate) plain: Vec<u8>,
    /// Which key the box is of: 0 is the master key, the others are accepted beside it.
    pub(crate) place: usize,
}

impl Wrapping {
    pub(crate) fn new(master: &MasterKey) -> Self {
        Self { keys: master.wrapping() }
    }

    pub(crate) fn close(&self, what: Wrapped<'_>, plain: &[u8]) -> Result<Vec<u8>, LogError> {
        let key = self.keys.first().ok_or_else(|| unreadable("there is no master key"))?;
        Ok(close(key, &what.place(), plain)?.into_bytes())
    }

    /// The key in a box of the master key; `None` when it is in one already.
    pub(crate) fn again(&self, what: Wrapped<'_>, wrapped: &[u8]) -> Result<Option<Vec<u8>>, LogError> {
        let Unwrapped { plain, place } = self.open(what, wrapped)?;
        if place == 0 { Ok(None) } else { self.close(what, &plain).map(Some) }
    }

    pub(crate) fn open(&self, what: Wrapped<'_>, wrapped: &[u8]) -> Result<Unwrapped, LogError> {
        let text = std::str::from_utf8(wrapped).map_err(unreadable)?;
        let place = what.place();
        let mut refused = unreadable("there is no master key");
        for (number, key) in self.keys.iter().enumerate() {
            match open(key, &place, text) {
                Ok(plain) => return Ok(Unwrapped { plain, place: number }),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), LogError> {
    getrandom::fill(bytes).map_err(LogError::Randomness)
}
