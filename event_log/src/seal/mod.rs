//! Seals what belongs to a person before it is stored, and opens it on load.
//!
//! A marked node `{"$personal": {"owner", "value"}}` becomes `{"$sealed": {"owner", "box"}}`, where the box is
//! base64 of a 24-byte nonce and the XChaCha20-Poly1305 ciphertext of the value's JSON, bound to the owner.
//! Every person has one data key, wrapped by a key that is derived from the master key. When the data key was
//! destroyed the node opens as `{"$erased": {"owner"}}`.

mod nodes;

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use moka::future::Cache;
use sha2::Sha256;
use sqlx::PgPool;
use uuid::Uuid;

use crate::upcast::Stored;
use crate::{EventForms, LogError, clock};
use nodes::{Node, PERSONAL, SEALED};

const NONCE_BYTES: usize = 24;
const CACHED_KEYS_MAX: u64 = 100_000;
/// Bounds how long a process goes on reading a person who was erased elsewhere.
const CACHED_KEY_LIFE: Duration = Duration::from_mins(1);

/// The secret from configuration that all other secrets of the log are derived from.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    pub fn from_secret(secret: &[u8]) -> Self {
        Self(keyed_hash(secret, &[b"routix master key"]))
    }

    /// A key for one purpose.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        keyed_hash(&self.0, &[purpose.as_bytes()])
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

type DataKey = Option<Arc<XChaCha20Poly1305>>;

/// Holds the data keys and hashes what must not be stored in the clear.
#[derive(Clone)]
pub struct Vault {
    pool: PgPool,
    wrapping: Arc<XChaCha20Poly1305>,
    fingerprints: [u8; 32],
    claims: [u8; 32],
    keys: Cache<Uuid, DataKey>,
    nonces: Arc<Nonces>,
    forms: EventForms,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    pub fn new(pool: PgPool, master: &MasterKey, forms: EventForms) -> Self {
        Self {
            pool,
            wrapping: Arc::new(XChaCha20Poly1305::new(&master.derive("wrap data keys").into())),
            fingerprints: master.derive("command fingerprints"),
            claims: master.derive("claims"),
            keys: Cache::builder().max_capacity(CACHED_KEYS_MAX).time_to_live(CACHED_KEY_LIFE).build(),
            nonces: Arc::new(Nonces::new()),
            forms,
        }
    }

    /// A keyed hash of what a command asks for. A bare hash of personal text could be guessed back.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        keyed_hash(&self.fingerprints, parts).to_vec()
    }

    pub(crate) fn claim_hash(&self, kind: &str, key: &str) -> Vec<u8> {
        keyed_hash(&self.claims, &[kind.as_bytes(), key.as_bytes()]).to_vec()
    }

    /// Forgets a person's key in this process.
    pub async fn forget(&self, owner: Uuid) {
        self.keys.invalidate(&owner).await;
    }

    /// Seals every personal node in a JSON text. Makes the key of a person who has none yet.
    pub async fn seal(&self, text: String) -> Result<String, LogError> {
        let Some((mut range, mut node)) = nodes::next(&text, PERSONAL, 0)? else { return Ok(text) };
        let mut sealed = String::with_capacity(text.len() + 128);
        let mut copied = 0;
        loop {
            sealed.push_str(&text[copied..range.start]);
            copied = range.end;
            let Node::Personal { owner, value } = node else {
                return Err(unreadable("a personal node is none"));
            };
            match self.key(owner, true).await? {
                Some(key) => {
                    let closed = self.nonces.close(&key, owner, value.get().as_bytes())?;
                    let _ = write!(sealed, r#"{{"$sealed":{{"owner":"{owner}","box":"{closed}"}}}}"#);
                }
                None => write_erased(&mut sealed, owner),
            }
            match nodes::next(&text, PERSONAL, copied)? {
                Some(next) => (range, node) = next,
                None => break,
            }
        }
        sealed.push_str(&text[copied..]);
        Ok(sealed)
    }

    /// The payload of a stored event as this program knows it: opened, and raised to today's form. Whoever
    /// reads events reads them through here.
    pub(crate) async fn read<'a>(
        &self,
        stored: &Stored<'_>,
        payload: &'a str,
    ) -> Result<Cow<'a, str>, LogError> {
        self.forms.raise(stored, self.open(payload).await?)
    }

    /// Opens every sealed node in a JSON text; those of an erased person become `erased`.
    pub async fn open<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, LogError> {
        let Some((mut range, mut node)) = nodes::next(text, SEALED, 0)? else {
            return Ok(Cow::Borrowed(text));
        };
        let mut opened = String::with_capacity(text.len());
        let mut copied = 0;
        loop {
            opened.push_str(&text[copied..range.start]);
            copied = range.end;
            let Node::Sealed { owner, sealed } = node else {
                return Err(unreadable("a sealed node is none"));
            };
            match self.key(owner, false).await? {
                Some(key) => {
                    let value = String::from_utf8(open(&key, owner, &sealed)?).map_err(unreadable)?;
                    let _ = write!(opened, r#"{{"$personal":{{"owner":"{owner}","value":{value}}}}}"#);
                }
                None => write_erased(&mut opened, owner),
            }
            match nodes::next(text, SEALED, copied)? {
                Some(next) => (range, node) = next,
                None => break,
            }
        }
        opened.push_str(&text[copied..]);
        Ok(Cow::Owned(opened))
    }

    /// Seals texts into strings, for places that hold strings only: `sealed:<owner>:<box>`. None when the
    /// person was erased.
    pub(crate) async fn seal_texts<const N: usize>(
        &self,
        owner: Uuid,
        texts: [Option<&str>; N],
    ) -> Result<[Option<String>; N], LogError> {
        let mut sealed = [const { None }; N];
        let Some(key) = self.key(owner, true).await? else { return Ok(sealed) };
        for (sealed, text) in sealed.iter_mut().zip(texts) {
            if let Some(text) = text {
                *sealed =
                    Some(format!("sealed:{owner}:{}", self.nonces.close(&key, owner, text.as_bytes())?));
            }
        }
        Ok(sealed)
    }

    /// Opens a text of the metadata. `None` when its person was erased. A text that was not sealed is itself.
    pub async fn open_text(&self, text: &str) -> Result<Option<String>, LogError> {
        let Some((owner, sealed)) = text.strip_prefix("sealed:").and_then(|rest| rest.split_once(':')) else {
            return Ok(Some(text.to_owned()));
        };
        let owner: Uuid = owner.parse().map_err(unreadable)?;
        let Some(key) = self.key(owner, false).await? else { return Ok(None) };
        Ok(Some(String::from_utf8(open(&key, owner, sealed)?).map_err(unreadable)?))
    }

    async fn key(&self, owner: Uuid, create: bool) -> Result<DataKey, LogError> {
        if let Some(key) = self.keys.get(&owner).await {
            return Ok(key);
        }
        let mut wrapped = self.read_key(owner).await?;
        if wrapped.is_none() && create {
            let mut fresh = [0; 32];
            fill_random(&mut fresh)?;
            let sealed = self.nonces.close(&self.wrapping, owner, &fresh)?;
            // Somebody else may make the key at the same moment: the first one stays.
            sqlx::query("INSERT INTO data_keys (owner, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(owner)
                .bind(sealed.as_bytes())
                .execute(&self.pool)
                .await?;
            wrapped = self.read_key(owner).await?;
        }
        // A key that is not there yet may be made at any moment: only what is known is remembered.
        let Some(wrapped) = wrapped else { return Ok(None) };
        let key = match wrapped {
            Some(wrapped) => {
                let text = String::from_utf8(wrapped).map_err(unreadable)?;
                let plain = open(&self.wrapping, owner, &text)?;
                Some(Arc::new(XChaCha20Poly1305::new_from_slice(&plain).map_err(unreadable)?))
            }
            None => None,
        };
        self.keys.insert(owner, key.clone()).await;
        Ok(key)
    }

    /// `None` when there is no key yet, `Some(None)` when it was destroyed.
    async fn read_key(&self, owner: Uuid) -> Result<Option<Option<Vec<u8>>>, LogError> {
        let wrapped = sqlx::query_scalar("SELECT wrapped FROM data_keys WHERE owner = $1")
            .bind(owner)
            .fetch_optional(&self.pool)
            .await?;
        Ok(wrapped)
    }
}

fn write_erased(text: &mut String, owner: Uuid) {
    let _ = write!(text, r#"{{"$erased":{{"owner":"{owner}"}}}}"#);
}

/// Nonces that never come twice: a random id of this process and a counter. 24 random bytes each time
/// would ask the operating system at every seal.
struct Nonces {
    process: [u8; NONCE_BYTES - 8],
    next: AtomicU64,
}

impl Nonces {
    fn new() -> Self {
        Self { process: clock::random_id().into_bytes(), next: AtomicU64::new(0) }
    }

    fn close(&self, key: &XChaCha20Poly1305, owner: Uuid, plain: &[u8]) -> Result<String, LogError> {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..self.process.len()].copy_from_slice(&self.process);
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        nonce[self.process.len()..].copy_from_slice(&count.to_be_bytes());
        let payload = Payload { msg: plain, aad: owner.as_bytes() };
        let sealed = key.encrypt(XNonce::from_slice(&nonce), payload).map_err(unreadable)?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }
}

fn open(key: &XChaCha20Poly1305, owner: Uuid, sealed: &str) -> Result<Vec<u8>, LogError> {
    let bytes = STANDARD.decode(sealed).map_err(unreadable)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(|| unreadable("it is too short"))?;
    key.decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: owner.as_bytes() })
        .map_err(|_| unreadable("the key does not fit: is ROUTIX_SECRET_KEY the one it was sealed with?"))
}

fn fill_random(bytes: &mut [u8]) -> Result<(), LogError> {
    getrandom::fill(bytes).map_err(|error| LogError::Refused { reason: format!("no randomness: {error}") })
}

fn unreadable(reason: impl std::fmt::Display) -> LogError {
    LogError::Unreadable { what: "a sealed node".to_owned(), reason: reason.to_string() }
}
