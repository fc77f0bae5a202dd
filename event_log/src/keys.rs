//! The keys beside the log: its own secrets, the change of the master key, and a copy of the data keys that is
//! kept apart. Everything stays wrapped: nothing here shows a key.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::erase::ErasureReceipt;
use crate::seal::{LogSecrets, Wrapped, Wrapping, fill_random};
use crate::{LogError, LogKeys, MasterKey, reader};

/// Keys that are read at once.
const PAGE_KEYS: i64 = 500;

impl MasterKey {
    /// Reads the log's own secrets. A log without events has none yet: they are made, and kept from then on.
    ///
    /// # Errors
    /// `Unreadable` when neither this key nor one that is accepted beside it is the log's, and when secrets are missing
    /// that events were written with.
    pub async fn unlock(&self, pool: &PgPool) -> Result<LogKeys, LogError> {
        let wrapping = Wrapping::new(self);
        for purpose in LogSecrets::ALL {
            let mut fresh = [0; 32];
            fill_random(&mut fresh)?;
            // Whoever is first makes them, and nobody makes others for a log that was written to.
            sqlx::query!(
                r#"
                INSERT INTO log_secrets (purpose, wrapped)
                SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM log_secrets WHERE purpose = $1)
                    AND NOT EXISTS (SELECT FROM events)
                ON CONFLICT DO NOTHING
                "#,
                purpose,
                wrapping.close(Wrapped::Secret { purpose }, &fresh)? as _
            )
            .execute(pool)
            .await?;
        }
        let secret = async |purpose: &str| -> Result<[u8; 32], LogError> {
            let wrapped =
                sqlx::query_scalar!(r#"SELECT wrapped FROM log_secrets WHERE purpose = $1"#, purpose)
                    .fetch_optional(pool)
                    .await?;
            let wrapped = wrapped.ok_or_else(|| LogError::Unreadable {
                what: format!("the log's secret for {purpose}"),
                reason: "it is not in the database: routix keys restore puts it back".to_owned(),
            })?;
            let plain = wrapping.open(Wrapped::Secret { purpose }, &wrapped)?.plain;
            plain.try_into().map_err(|_| LogError::Unreadable {
                what: format!("the log's secret for {purpose}"),
                reason: "it does not have 32 bytes".to_owned(),
            })
        };
        let secrets = LogSecrets {
            fingerprints: secret(LogSecrets::FINGERPRINTS).await?,
            claims: secret(LogSecrets::CLAIMS).await?,
            authentication: secret(LogSecrets::AUTHENTICATION).await?,
            anchors: secret(LogSecrets::ANCHORS).await?,
            objects: secret(LogSecrets::OBJECTS).await?,
        };
        let origin_id = reader::identity(pool).await?.origin_id;
        Ok(LogKeys { master: self.clone(), secrets, origin_id })
    }
}

/// The result of a change of the master key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Wrapped by the master key now.
    pub rewrapped: u64,
    /// Were so before.
    pub current: u64,
}

/// Wraps every key with the master key that is not yet. Ends where there is none left; may be stopped at any
/// moment and run again, while everything goes on. `watch` is told after every page.
///
/// # Errors
/// `Unreadable` at the first key that neither the master key nor one accepted beside it opens.
pub async fn rotate(
    pool: &PgPool,
    master: &MasterKey,
    watch: &(dyn Fn(Rotated) + Sync),
) -> Result<Rotated, LogError> {
    let wrapping = Wrapping::new(master);
    let mut rotated = Rotated::default();
    for secret in secrets(pool).await? {
        let what = Wrapped::Secret { purpose: &secret.purpose };
        let Some(again) = wrapping.again(what, &secret.wrapped)? else {
            rotated.current += 1;
            continue;
        };
        let done = sqlx::query!(
            r#"UPDATE log_secrets SET wrapped = $2 WHERE purpose = $1 AND wrapped = $3"#,
            secret.purpose,
            again as _,
            secret.wrapped,
        );
        rotated.rewrapped += done.execute(pool).await?.rows_affected();
    }
    let mut after = Uuid::nil();
    loop {
        let page = page(pool, after).await?;
        let Some(last) = page.last() else { return Ok(rotated) };
        after = last.owner;
        for key in page {
            let what = Wrapped::DataKey { owner: key.owner };
            let Some(again) = wrapping.again(what, &key.wrapped)? else {
                rotated.current += 1;
                continue;
            };
            // A person who is erased at this moment has no key any more, and gets none.
            let done = sqlx::query!(
                r#"UPDATE data_keys SET wrapped = $2 WHERE owner = $1 AND wrapped = $3"#,
                key.owner,
                again as _,
                key.wrapped,
            );
            rotated.rewrapped += done.execute(pool).await?.rows_affected();
        }
        watch(rotated);
    }
}

/// A secret of the log, wrapped.
struct Secret {
    purpose: String,
    wrapped: Vec<u8>,
}

async fn secrets(pool: &PgPool) -> Result<Vec<Secret>, LogError> {
    let secrets = sqlx::query_as!(Secret, r#"SELECT purpose, wrapped FROM log_secrets ORDER BY purpose"#);
    Ok(secrets.fetch_all(pool).await?)
}

/// The key of a person, wrapped.
struct DataKey {
    owner: Uuid,
    wrapped: Vec<u8>,
}

async fn page(pool: &PgPool, after: Uuid) -> Result<Vec<DataKey>, LogError> {
    let page = sqlx::query_as!(
        DataKey,
        r#"
        SELECT owner, wrapped AS "wrapped!" FROM data_keys
        WHERE owner > $1 AND wrapped IS NOT NULL ORDER BY owner LIMIT $2
        "#,
        after,
        PAGE_KEYS,
    );
    Ok(page.fetch_all(pool).await?)
}

/// A line of a key backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum BackupLine {
    Log { log_id: Uuid },
    Secret { purpose: String, wrapped: String },
    Key { owner: Uuid, wrapped: String },
}

/// All keys, still wrapped, each given to `take` as a line. Returns how many keys there are.
///
/// # Errors
/// When the database is away, or what `take` gives.
pub async fn backup<E: From<LogError>>(
    pool: &PgPool,
    mut take: impl FnMut(&BackupLine) -> Result<(), E>,
) -> Result<u64, E> {
    let log_id = reader::identity(pool).await?.log_id;
    take(&BackupLine::Log { log_id })?;
    for Secret { purpose, wrapped } in secrets(pool).await? {
        take(&BackupLine::Secret { purpose, wrapped: text(wrapped)? })?;
    }
    let (mut after, mut keys) = (Uuid::nil(), 0);
    loop {
        let page = page(pool, after).await?;
        let Some(last) = page.last() else { return Ok(keys) };
        after = last.owner;
        for DataKey { owner, wrapped } in page {
            take(&BackupLine::Key { owner, wrapped: text(wrapped)? })?;
            keys += 1;
        }
    }
}

/// The result of a restore of keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Were missing and are there again.
    pub restored: u64,
    /// Were there.
    pub present: u64,
    /// Keys of persons who were erased: they stay destroyed.
    pub erased: u64,
    /// Another key is there: it stays.
    pub differing: u64,
}

/// Puts back keys that are missing. A person who was erased, by the receipts or by the database, stays so;
/// a key that is there is never replaced.
///
/// # Errors
/// `Refused` for the backup of another log; `Unreadable` for a key that no master key opens.
pub async fn restore(
    pool: &PgPool,
    master: &MasterKey,
    lines: &[BackupLine],
    receipts: &[ErasureReceipt],
) -> Result<Restored, LogError> {
    let here = reader::identity(pool).await?.log_id;
    let wrapping = Wrapping::new(master);
    let erased: HashSet<Uuid> = receipts.iter().map(|receipt| receipt.person).collect();
    let mut restored = Restored::default();
    for line in lines {
        match line {
            BackupLine::Log { log_id } if *log_id != here => {
                let reason = format!("the backup is of log {log_id}, and this is {here}");
                return Err(LogError::Refused { reason });
            }
            BackupLine::Log { .. } => {}
            BackupLine::Secret { purpose, wrapped } => {
                wrapping.open(Wrapped::Secret { purpose }, wrapped.as_bytes())?;
                sqlx::query!(
                    r#"INSERT INTO log_secrets (purpose, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING"#,
                    purpose,
                    wrapped.as_bytes(),
                )
                .execute(pool)
                .await?;
            }
            BackupLine::Key { owner, .. } if erased.contains(owner) => restored.erased += 1,
            BackupLine::Key { owner, wrapped } => {
                let what = Wrapped::DataKey { owner: *owner };
                let plain = wrapping.open(what, wrapped.as_bytes())?.plain;
                // A recovery may have noted the key as lost: here it is.
                let done = sqlx::query!(
                    r#"
                    INSERT INTO data_keys (owner, wrapped) VALUES ($1, $2)
                    ON CONFLICT (owner) DO UPDATE
                    SET wrapped = excluded.wrapped, erased_at = NULL, lost_at = NULL
                    WHERE data_keys.lost_at IS NOT NULL
                    "#,
                    owner,
                    wrapped.as_bytes(),
                );
                if done.execute(pool).await?.rows_affected() > 0 {
                    restored.restored += 1;
                    continue;
                }
                let there = sqlx::query_scalar!(r#"SELECT wrapped FROM data_keys WHERE owner = $1"#, owner)
                    .fetch_one(pool)
                    .await?;
                match there {
                    None => restored.erased += 1,
                    Some(there) if wrapping.open(what, &there)?.plain == plain => restored.present += 1,
                    Some(_) => restored.differing += 1,
                }
            }
        }
    }
    Ok(restored)
}

fn text(wrapped: Vec<u8>) -> Result<String, LogError> {
    String::from_utf8(wrapped)
        .map_err(|error| LogError::Unreadable { what: "a wrapped key".to_owned(), reason: error.to_string() })
}
