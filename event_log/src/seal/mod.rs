//! Seals what belongs to a person before it is stored, and opens it on load.
//!
//! A marked node `{"$personal": {"owner", "value"}}` becomes `{"$sealed": {"owner", "box"}}`, where the box (`wrap.rs`)
//! holds the value's JSON and is bound to its place (`place.rs`): owner, stream, sequence, and the how-manieth it is.
//! Every person has one data key, wrapped by a key that is derived from the master key. When the data key was
//! destroyed the node opens as `{"$erased": {"owner"}}`.

mod master;
mod nodes;
mod objects;
mod place;
#[cfg(test)]
mod tests;
mod wrap;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit;
use quick_cache::sync::Cache;
use sqlx::PgPool;
use uuid::Uuid;

use crate::upcast::Stored;
use crate::{Authenticator, EventForms, LogError};
use master::keyed_hash;
use nodes::{Node, PERSONAL, SEALED, unreadable};
use wrap::{close, open};

pub(crate) use master::LogSecrets;
pub use master::{LogKeys, MasterKey};
pub(crate) use place::Place;
pub(crate) use wrap::{Wrapped, Wrapping, fill_random};

const CACHED_KEYS_MAX: usize = 100_000;
/// Bounds how long a process goes on reading a person who was erased elsewhere.
const CACHED_KEY_LIFE: Duration = Duration::from_mins(1);

type DataKey = Option<Arc<XChaCha20Poly1305>>;

#[derive(Clone)]
struct CachedKey {
    key: DataKey,
    read_at: Instant,
}

impl CachedKey {
    /// The key, as long as it may be believed.
    fn at(self, now: Instant) -> Option<DataKey> {
        (now.saturating_duration_since(self.read_at) < CACHED_KEY_LIFE).then_some(self.key)
    }
}

/// Holds the data keys and hashes what must not be stored in the clear.
#[derive(Clone)]
pub struct Vault {
    pool: PgPool,
    wrapping: Arc<Wrapping>,
    secrets: LogSecrets,
    keys: Arc<Cache<Uuid, CachedKey>>,
    /// Counts the persons that were forgotten: what was read before that must not be remembered after it.
    forgotten: Arc<AtomicU64>,
    authenticator: Authenticator,
    forms: EventForms,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// The mark of snapshots of today's form.
    pub(crate) fn schema_tag(&self, aggregate_type: &str) -> String {
        self.forms.schema_tag(aggregate_type)
    }

    pub fn new(pool: PgPool, log_keys: &LogKeys, forms: EventForms) -> Self {
        Self {
            pool,
            wrapping: Arc::new(Wrapping::new(&log_keys.master)),
            secrets: log_keys.secrets.clone(),
            authenticator: log_keys.authenticator(),
            forgotten: Arc::default(),
            keys: Arc::new(Cache::new(CACHED_KEYS_MAX)),
            forms,
        }
    }

    /// A keyed hash of what a command asks for. A bare hash of personal text could be guessed back.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        keyed_hash(&self.secrets.fingerprints, parts).to_vec()
    }

    pub(crate) fn claim_hash(&self, kind: &str, key: &str) -> Vec<u8> {
        keyed_hash(&self.secrets.claims, &[kind.as_bytes(), key.as_bytes()]).to_vec()
    }

    /// Tells what this log wrote.
    pub fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// Forgets a person's key in this process.
    pub fn forget(&self, owner: Uuid) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.keys.remove(&owner);
    }

    /// Seals every personal node in a JSON text for its place. Makes the key of a person who has none yet.
    pub(crate) async fn seal(&self, text: String, place: Place<'_>) -> Result<String, LogError> {
        let Some((mut range, mut node)) = nodes::next(&text, PERSONAL, 0)? else { return Ok(text) };
        let mut sealed = String::with_capacity(text.len() + 128);
        let (mut copied, mut ordinal) = (0, 0);
        loop {
            sealed.push_str(&text[copied..range.start]);
            copied = range.end;
            let Node::Personal { owner, value } = node else {
                return Err(unreadable("a personal node is none"));
            };
            match self.key(owner, true).await? {
                Some(key) => {
                    let closed = close(&key, &place.of_node(owner, ordinal), value.get().as_bytes())?;
                    ordinal += 1;
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
        let place = Place::of_event(stored);
        self.forms.raise(stored, self.open(payload, place).await?)
    }

    /// Opens every sealed node in a JSON text at its place; those of an erased person become `erased`. Refuses words
    /// that nobody sealed, and those of another person than the place is of.
    pub(crate) async fn open<'a>(&self, text: &'a str, place: Place<'_>) -> Result<Cow<'a, str>, LogError> {
        if text.contains(PERSONAL) {
            return Err(unreadable("the words of a person are not sealed"));
        }
        let Some((mut range, mut node)) = nodes::next(text, SEALED, 0)? else {
            return Ok(Cow::Borrowed(text));
        };
        let mut opened = String::with_capacity(text.len());
        let mut copied = 0;
        for ordinal in 0.. {
            opened.push_str(&text[copied..range.start]);
            copied = range.end;
            let Node::Sealed { owner, sealed } = node else {
                return Err(unreadable("a sealed node is none"));
            };
            if place.is_foreign(owner) {
                return Err(unreadable("it is of another person"));
            }
            match self.key(owner, false).await? {
                Some(key) => {
                    let value = open(&key, &place.of_node(owner, ordinal), &sealed)?;
                    let value = String::from_utf8(value).map_err(unreadable)?;
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

    /// Seals texts of a command's metadata into strings: `sealed:<owner>:<box>`. None when the person was erased.
    pub(crate) async fn seal_texts<const N: usize>(
        &self,
        owner: Uuid,
        command_id: Uuid,
        texts: [Option<&str>; N],
    ) -> Result<[Option<String>; N], LogError> {
        let mut sealed = [const { None }; N];
        let Some(key) = self.key(owner, true).await? else { return Ok(sealed) };
        for ((ordinal, sealed), text) in (0..).zip(sealed.iter_mut()).zip(texts) {
            if let Some(text) = text {
                let place = Place::Command { command_id }.of_node(owner, ordinal);
                *sealed = Some(format!("sealed:{owner}:{}", close(&key, &place, text.as_bytes())?));
            }
        }
        Ok(sealed)
    }

    /// Opens the text of a command's metadata that was sealed as the how-manieth, from 0. `None` when its person was
    /// erased. A text that was not sealed is itself.
    pub async fn open_text(
        &self,
        command_id: Uuid,
        ordinal: u32,
        text: &str,
    ) -> Result<Option<String>, LogError> {
        let Some((owner, sealed)) = text.strip_prefix("sealed:").and_then(|rest| rest.split_once(':')) else {
            return Ok(Some(text.to_owned()));
        };
        let owner: Uuid = owner.parse().map_err(unreadable)?;
        let Some(key) = self.key(owner, false).await? else { return Ok(None) };
        let place = Place::Command { command_id }.of_node(owner, ordinal);
        Ok(Some(String::from_utf8(open(&key, &place, sealed)?).map_err(unreadable)?))
    }

    async fn key(&self, owner: Uuid, create: bool) -> Result<DataKey, LogError> {
        let read_at = Instant::now();
        if let Some(key) = self.keys.get(&owner).and_then(|cached| cached.at(read_at)) {
            return Ok(key);
        }
        let mark = self.forgotten.load(Ordering::SeqCst);
        let mut wrapped = self.read_key(owner).await?;
        if wrapped.is_none() && create {
            let mut fresh = [0; 32];
            fill_random(&mut fresh)?;
            let sealed = self.wrapping.close(Wrapped::DataKey { owner }, &fresh)?;
            // Somebody else may make the key at the same moment: the first one stays.
            sqlx::query!(
                r#"INSERT INTO data_keys (owner, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING"#,
                owner,
                sealed
            )
            .execute(&self.pool)
            .await?;
            wrapped = self.read_key(owner).await?;
        }
        // A key that is not there yet may be made at any moment: only what is known is remembered.
        let Some(wrapped) = wrapped else { return Ok(None) };
        let key = match wrapped {
            Some(wrapped) => {
                let plain = self.wrapping.open(Wrapped::DataKey { owner }, &wrapped)?.plain;
                Some(Arc::new(XChaCha20Poly1305::new_from_slice(&plain).map_err(unreadable)?))
            }
            None => None,
        };
        self.keys.insert(owner, CachedKey { key: key.clone(), read_at });
        if self.forgotten.load(Ordering::SeqCst) != mark {
            // Somebody was erased meanwhile, perhaps this person: what was read may be older than that.
            self.keys.remove(&owner);
        }
        Ok(key)
    }

    /// `None` when there is no key yet, `Some(None)` when it was destroyed.
    async fn read_key(&self, owner: Uuid) -> Result<Option<Option<Vec<u8>>>, LogError> {
        let wrapped = sqlx::query_scalar!(r#"SELECT wrapped FROM data_keys WHERE owner = $1"#, owner)
            .fetch_optional(&self.pool)
            .await?;
        Ok(wrapped)
    }
}

/// Whose words are sealed in an event: in nodes of the payload and in texts of the metadata.
pub(crate) fn sealed_owners(payload: &str, metadata: &str) -> Result<BTreeSet<Uuid>, LogError> {
    let mut owners = BTreeSet::new();
    let mut from = 0;
    while let Some((place, node)) = nodes::next(payload, SEALED, from)? {
        if let Node::Sealed { owner, .. } = node {
            owners.insert(owner);
        }
        from = place.end;
    }
    let metadata: BTreeMap<&str, Cow<'_, str>> = serde_json::from_str(metadata).map_err(unreadable)?;
    let sealed = metadata.values().filter_map(|text| text.strip_prefix("sealed:")?.split(':').next());
    owners.extend(sealed.filter_map(|owner| owner.parse::<Uuid>().ok()));
    Ok(owners)
}

fn write_erased(text: &mut String, owner: Uuid) {
    let _ = write!(text, r#"{{"$erased":{{"owner":"{owner}"}}}}"#);
}
