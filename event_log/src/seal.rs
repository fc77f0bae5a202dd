//! Seals what belongs to a person before it is stored, and opens it on load.
//!
//! A marked node `{"$personal": {"owner", "value"}}` becomes `{"$sealed": {"owner", "box"}}`, where the box is
//! base64 of a 24-byte nonce and the XChaCha20-Poly1305 ciphertext of the value's JSON, bound to the owner.
//! Every person has one data key, wrapped by a key that is derived from the master key. When the data key was
//! destroyed the node opens as `{"$erased": {"owner"}}`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use futures::future::BoxFuture;
use hmac::{Hmac, Mac};
use moka::future::Cache;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use sqlx::PgPool;
use uuid::Uuid;

use crate::LogError;

const PERSONAL: &str = "$personal";
const SEALED: &str = "$sealed";
const ERASED: &str = "$erased";
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
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    pub fn new(pool: PgPool, master: &MasterKey) -> Self {
        Self {
            pool,
            wrapping: Arc::new(XChaCha20Poly1305::new(&master.derive("wrap data keys").into())),
            fingerprints: master.derive("command fingerprints"),
            claims: master.derive("claims"),
            keys: Cache::builder().max_capacity(CACHED_KEYS_MAX).time_to_live(CACHED_KEY_LIFE).build(),
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

    /// Seals every personal node in `value`. Makes the key of a person who has none yet.
    pub async fn seal(&self, value: &mut Value) -> Result<(), LogError> {
        if let Some(node) = marked(value, PERSONAL) {
            let owner = node_owner(node)?;
            let plain = node.get("value").map(Value::to_string).unwrap_or_default();
            *value = match self.key(owner, true).await? {
                Some(key) => {
                    json!({ SEALED: { "owner": owner, "box": close(&key, owner, plain.as_bytes())? } })
                }
                None => json!({ ERASED: { "owner": owner } }),
            };
            return Ok(());
        }
        for child in children(value) {
            self.seal_boxed(child).await?;
        }
        Ok(())
    }

    fn seal_boxed<'a>(&'a self, value: &'a mut Value) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(self.seal(value))
    }

    /// Opens every sealed node in `value`; those of an erased person become `erased`.
    pub async fn open(&self, value: &mut Value) -> Result<(), LogError> {
        if let Some(node) = marked(value, SEALED) {
            let owner = node_owner(node)?;
            let sealed = node.get("box").and_then(Value::as_str).unwrap_or_default();
            *value = match self.key(owner, false).await? {
                Some(key) => {
                    let plain = open(&key, owner, sealed)?;
                    let inner: Value = serde_json::from_slice(&plain).map_err(unreadable)?;
                    json!({ PERSONAL: { "owner": owner, "value": inner } })
                }
                None => json!({ ERASED: { "owner": owner } }),
            };
            return Ok(());
        }
        for child in children(value) {
            self.open_boxed(child).await?;
        }
        Ok(())
    }

    fn open_boxed<'a>(&'a self, value: &'a mut Value) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(self.open(value))
    }

    /// Seals one text into a string, for places that hold strings only: `sealed:<owner>:<box>`.
    pub(crate) async fn seal_texts(
        &self,
        owner: Uuid,
        texts: &[&str],
    ) -> Result<Vec<Option<String>>, LogError> {
        let Some(key) = self.key(owner, true).await? else { return Ok(vec![None; texts.len()]) };
        texts
            .iter()
            .map(|text| Ok(Some(format!("sealed:{owner}:{}", close(&key, owner, text.as_bytes())?))))
            .collect()
    }

    async fn key(&self, owner: Uuid, create: bool) -> Result<DataKey, LogError> {
        if let Some(key) = self.keys.get(&owner).await {
            return Ok(key);
        }
        let mut wrapped = self.read_key(owner).await?;
        if wrapped.is_none() && create {
            let mut fresh = [0; 32];
            fill_random(&mut fresh)?;
            let sealed = close(&self.wrapping, owner, &fresh)?;
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

fn marked<'a>(value: &'a Value, mark: &str) -> Option<&'a Map<String, Value>> {
    let object = value.as_object()?;
    if object.len() == 1 { object.get(mark)?.as_object() } else { None }
}

fn node_owner(node: &Map<String, Value>) -> Result<Uuid, LogError> {
    node.get("owner")
        .and_then(Value::as_str)
        .and_then(|owner| owner.parse().ok())
        .ok_or_else(|| unreadable("a personal node names no owner"))
}

/// Collects whose words are sealed in `value`, in nodes and in texts.
pub(crate) fn sealed_owners(value: &Value, owners: &mut BTreeSet<Uuid>) {
    if let Some(owner) = marked(value, SEALED).and_then(|node| node_owner(node).ok()) {
        owners.insert(owner);
        return;
    }
    match value {
        Value::String(text) => {
            let owner: Option<Uuid> =
                text.strip_prefix("sealed:").and_then(|rest| rest.split(':').next()?.parse().ok());
            owners.extend(owner);
        }
        Value::Array(items) => items.iter().for_each(|item| sealed_owners(item, owners)),
        Value::Object(fields) => fields.values().for_each(|field| sealed_owners(field, owners)),
        _ => {}
    }
}

fn children(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + Send + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

fn close(key: &XChaCha20Poly1305, owner: Uuid, plain: &[u8]) -> Result<String, LogError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce)?;
    let payload = Payload { msg: plain, aad: owner.as_bytes() };
    let sealed = key.encrypt(XNonce::from_slice(&nonce), payload).map_err(unreadable)?;
    Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
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
