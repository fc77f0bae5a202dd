//! Puts back what a restored log lost, from events that were published before: exactly as they were, each
//! verified by the chain. Or gives up what was lost and makes the log another one.
//!
//! Receipts are made again from the metadata of the events. The fingerprint and the answer of a command are
//! not in its events, so such a receipt says only that the command had its effect: a repetition is told so
//! and has no second one. Refuses an event that does not follow from the one before it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Duration, Utc};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::chain::chain_of;
use crate::receipts::{FORGOTTEN, RECEIPT_DAYS};
use crate::{Claim, EventLog, LogError, Position, RecordedEvent, barrier, clock, reader, seal};

/// Why events were not put back.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The event follows from another log than this one.
    #[error("position {position} does not follow from what the log holds: the stream is of another history")]
    OtherHistory { position: Position },
    /// Somebody else wrote to the log meanwhile.
    #[error("the log moved to {head} meanwhile: start again")]
    Moved { head: Position },
    #[error("position {position} holds no readable metadata")]
    Unreadable { position: Position },
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<sqlx::Error> for RecoverError {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}

/// The events that were put back, and what is missing with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    pub events: u64,
    pub claims: u64,
    /// Events whose words are sealed with a key that is not in the database.
    pub sealed_for_good: u64,
    /// The people whose keys are missing.
    pub lost_keys: BTreeSet<Uuid>,
    /// The last command that was put back, and its first position. Where publishing stopped inside it, its
    /// rest is missing: events do not tell how many there were.
    pub last_command: Option<(Uuid, Position)>,
}

/// Puts events back behind the head of the log, page by page.
#[derive(Debug)]
pub struct Recovery {
    log: EventLog,
    head: Position,
    chain: Vec<u8>,
    recovered: Recovered,
}

impl Recovery {
    /// Begins behind the head as it is now.
    pub async fn start(log: &EventLog) -> Result<Self, LogError> {
        let head = log.head().await?;
        let chain = log.chain_at(head).await?.unwrap_or_default();
        Ok(Self { log: log.clone(), head, chain, recovered: Recovered::default() })
    }

    /// The last position that the log holds.
    pub fn head(&self) -> Position {
        self.head
    }

    pub fn chain(&self) -> &[u8] {
        &self.chain
    }

    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Puts back the next events, with the claims that they took or released, in one transaction.
    ///
    /// # Errors
    /// When an event does not follow. Nothing of the page is stored then.
    pub async fn append(&mut self, page: &[RecordedEvent], claims: &[Claim]) -> Result<(), RecoverError> {
        let Some(last) = page.last() else { return Ok(()) };
        self.must_follow(page)?;
        let mut connection = self.log.pool().acquire().await?;
        let mut tx = connection.begin().await?;
        // The lock of `append`: whoever appends waits, and sees all of this or nothing.
        sqlx::query!(r#"SELECT pg_advisory_xact_lock(7012025)"#).fetch_one(&mut *tx).await?;
        let head = reader::head(&mut *tx).await?;
        if head != self.head || reader::chain_at(&mut *tx, head).await?.as_ref() != Some(&self.chain) {
            return Err(RecoverError::Moved { head });
        }
        sequences_must_follow_in_tx(&mut tx, page).await?;
        insert_events_in_tx(&mut tx, page).await?;
        let receipts = receipts_of(page)?;
        insert_receipts_in_tx(&mut tx, &receipts).await?;
        for claim in claims {
            self.apply_claim_in_tx(&mut tx, claim).await?;
        }
        let lost = mark_lost_keys_in_tx(&mut tx, page).await?;
        tx.commit().await?;
        barrier::wait(&mut *connection).await?;
        self.head = last.position;
        self.chain.clone_from(&last.chain);
        self.recovered.events += page.len() as u64;
        self.recovered.claims += claims.len() as u64;
        for event in page {
            let owners = seal::sealed_owners(&event.payload, &event.metadata)?;
            self.recovered.sealed_for_good += u64::from(!owners.is_disjoint(&lost));
        }
        self.recovered.lost_keys.extend(lost);
        self.recovered.last_command = receipts.last().map(|receipt| (receipt.command_id, receipt.first));
        Ok(())
    }

    fn must_follow(&self, page: &[RecordedEvent]) -> Result<(), RecoverError> {
        let (mut position, mut chain) = (self.head, self.chain.as_slice());
        for event in page {
            let follows =
                event.position == position.next() && chain_of(chain, event).as_slice() == event.chain;
            if !follows || !self.log.vault().authenticator().is_authentic(event) {
                return Err(RecoverError::OtherHistory { position: event.position });
            }
            (position, chain) = (event.position, &event.chain);
        }
        Ok(())
    }

    async fn apply_claim_in_tx(&self, tx: &mut PgConnection, claim: &Claim) -> Result<(), LogError> {
        let key_hash = self.log.vault().claim_hash(claim.kind, &claim.key);
        let statement = if claim.taken {
            sqlx::query!(
                r#"
                INSERT INTO claims (kind, key_hash, owner) VALUES ($1, $2, $3)
                ON CONFLICT ON CONSTRAINT claims_pkey DO UPDATE SET owner = excluded.owner
                "#,
                claim.kind,
                key_hash,
                claim.owner,
            )
        } else {
            sqlx::query!(
                r#"DELETE FROM claims WHERE kind = $1 AND key_hash = $2 AND owner = $3"#,
                claim.kind,
                key_hash,
                claim.owner,
            )
        };
        statement.execute(tx).await?;
        Ok(())
    }
}

/// Gives up what was lost: the log becomes another one, with a new id. Returns the new id.
pub async fn start_new_log(pool: &PgPool) -> Result<Uuid, LogError> {
    let log_id = clock::new_id();
    let mut connection = pool.acquire().await?;
    let mut tx = connection.begin().await?;
    sqlx::query!(r#"SELECT pg_advisory_xact_lock(7012025)"#).fetch_one(&mut *tx).await?;
    sqlx::query!(r#"UPDATE log_identity SET log_id = $1"#, log_id).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(log_id)
}

/// The chain covers the sequence, so this fails only where the stored log itself is not what it was.
async fn sequences_must_follow_in_tx(
    tx: &mut PgConnection,
    page: &[RecordedEvent],
) -> Result<(), RecoverError> {
    let mut known: HashMap<(&str, &str), i64> = HashMap::new();
    for event in page {
        let stream = (event.aggregate_type.as_str(), event.aggregate_id.as_str());
        let last = match known.get(&stream) {
            Some(last) => *last,
            None => {
                let last = sqlx::query_scalar!(
                    r#"SELECT max(sequence) FROM events WHERE aggregate_type = $1 AND aggregate_id = $2"#,
                    stream.0,
                    stream.1
                )
                .fetch_one(&mut *tx)
                .await?;
                last.unwrap_or(0)
            }
        };
        if event.sequence != last + 1 {
            return Err(RecoverError::OtherHistory { position: event.position });
        }
        known.insert(stream, event.sequence);
    }
    Ok(())
}

async fn insert_events_in_tx(tx: &mut PgConnection, page: &[RecordedEvent]) -> Result<(), LogError> {
    for event in page {
        sqlx::query!(
            r#"
            INSERT INTO events (
                position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, metadata, event_id, owner_id, recorded_at, chain, authentication
            ) VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11, $12, $13)
            "#,
            event.position.get(),
            event.aggregate_type,
            event.aggregate_id,
            event.sequence,
            event.event_type,
            event.event_version,
            &event.payload as _,
            &event.metadata as _,
            event.event_id,
            event.owner_id,
            event.recorded_at,
            event.chain,
            event.authentication
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

struct Receipt {
    owner: Uuid,
    command_id: Uuid,
    first: Position,
    last: Position,
    expires_at: Option<DateTime<Utc>>,
}

/// Makes one receipt per command; its events stand together. That of a process has no end here, because events do not
/// tell which of its commands had one.
fn receipts_of(page: &[RecordedEvent]) -> Result<Vec<Receipt>, RecoverError> {
    let mut receipts: Vec<Receipt> = Vec::new();
    for event in page {
        let unreadable = || RecoverError::Unreadable { position: event.position };
        let metadata: HashMap<String, String> =
            serde_json::from_str(&event.metadata).map_err(|_| unreadable())?;
        let actor = metadata.get("actor").map(String::as_str).unwrap_or_default();
        let command_id = metadata.get("command_id").and_then(|id| id.parse().ok()).ok_or_else(unreadable)?;
        let (kind, name) = actor.split_once(':').unwrap_or((actor, ""));
        let owner = match kind {
            "user" | "admin" => name.parse().map_err(|_| unreadable())?,
            _ => Uuid::nil(),
        };
        match receipts.last_mut() {
            Some(last) if (last.owner, last.command_id) == (owner, command_id) => last.last = event.position,
            _ => receipts.push(Receipt {
                owner,
                command_id,
                first: event.position,
                last: event.position,
                expires_at: (kind != "process").then(|| event.recorded_at + Duration::days(RECEIPT_DAYS)),
            }),
        }
    }
    Ok(receipts)
}

/// A command whose events are in two pages has its receipt from the first one; the second lengthens it.
async fn insert_receipts_in_tx(tx: &mut PgConnection, receipts: &[Receipt]) -> Result<(), LogError> {
    for receipt in receipts {
        sqlx::query!(
            r#"
            INSERT INTO command_receipts (
                owner, command_id, fingerprint, first_position, last_position, outcome, expires_at
            ) VALUES ($1, $2, $3, $4, $5, 'null', $6)
            ON CONFLICT ON CONSTRAINT command_receipts_pkey DO UPDATE
            SET last_position = excluded.last_position
            "#,
            receipt.owner,
            receipt.command_id,
            FORGOTTEN,
            receipt.first.get(),
            receipt.last.get(),
            receipt.expires_at
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// People whose key is not there get a row that says so: a new key would not open the old words. Returns
/// everybody on the page whose key is lost.
async fn mark_lost_keys_in_tx(
    tx: &mut PgConnection,
    page: &[RecordedEvent],
) -> Result<BTreeSet<Uuid>, LogError> {
    let mut owners = BTreeSet::new();
    for event in page {
        owners.extend(seal::sealed_owners(&event.payload, &event.metadata)?);
    }
    let owners: Vec<Uuid> = owners.into_iter().collect();
    sqlx::query!(
        r#"
        INSERT INTO data_keys (owner, wrapped, erased_at, lost_at)
        SELECT owner, NULL, clock_timestamp(), clock_timestamp() FROM unnest($1::uuid[]) AS o (owner)
        ON CONFLICT ON CONSTRAINT data_keys_pkey DO NOTHING
        "#,
        &owners
    )
    .execute(&mut *tx)
    .await?;
    let lost = sqlx::query_scalar!(
        r#"SELECT owner FROM data_keys WHERE owner = ANY ($1) AND lost_at IS NOT NULL"#,
        &owners
    )
    .fetch_all(tx)
    .await?;
    Ok(lost.into_iter().collect())
}
