//! Erased persons. The event that erases somebody destroys their key in the transaction that stores it (a
//! trigger of the table of events does); here is what stands around it: receipts that are kept apart from the
//! log, because a restored database has the key again, and the destruction of a key without an event, for when
//! the event cannot be appended yet.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

use crate::LogError;

/// The one event that the log itself acts on: type of the aggregate, whose id is the person, and of the event.
pub const ERASURE: (&str, &str) = ("user", "PersonErased");

/// The proof that a person was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureReceipt {
    pub person: Uuid,
    pub erased_at: DateTime<Utc>,
    /// The event that says so. `None` while it is still to be appended.
    pub event_id: Option<Uuid>,
}

/// The persons that the database knows to be erased.
pub async fn erased_persons(pool: &PgPool) -> Result<Vec<ErasureReceipt>, LogError> {
    let persons = sqlx::query_as!(
        ErasureReceipt,
        r#"
        SELECT owner AS person, erased_at AS "erased_at!", erased_by AS event_id FROM data_keys
        WHERE erased_at IS NOT NULL AND lost_at IS NULL ORDER BY owner
        "#
    );
    Ok(persons.fetch_all(pool).await?)
}

/// Destroys the key of a person, or sees to it that there never is one.
pub async fn destroy_key(pool: &PgPool, person: Uuid) -> Result<(), LogError> {
    sqlx::query!(
        r#"
        INSERT INTO data_keys (owner, wrapped, erased_at) VALUES ($1, NULL, now())
        ON CONFLICT (owner) DO UPDATE
        SET wrapped = NULL, lost_at = NULL, erased_at = coalesce(data_keys.erased_at, now())
        "#,
        person
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A file of receipts, one JSON object a line, only ever added to.
#[derive(Debug, Clone)]
pub struct KeptReceipts {
    path: PathBuf,
}

impl KeptReceipts {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// All receipts; none when there is no file yet. A last line that was cut off by a crash counts for
    /// nothing: the log still has what it was to say.
    ///
    /// # Errors
    /// When the file is there and cannot be read, or another line than the last is no receipt.
    pub fn all(&self) -> io::Result<Vec<ErasureReceipt>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error),
        };
        let mut receipts = Vec::new();
        for line in text.split_inclusive('\n').filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(receipt) => receipts.push(receipt),
                Err(_) if !line.ends_with('\n') => {}
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        Ok(receipts)
    }

    /// Adds those that are not there yet; durable when it returns.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn keep(&self, receipts: &[ErasureReceipt]) -> io::Result<()> {
        let there: HashSet<Uuid> = self.all()?.into_iter().map(|receipt| receipt.person).collect();
        let mut lines = String::new();
        for receipt in receipts.iter().filter(|receipt| !there.contains(&receipt.person)) {
            lines += &serde_json::to_string(receipt)?;
            lines.push('\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        if self.is_cut_off()? {
            // A line that a crash cut off must not spoil the next one; as a line of its own it stays unread.
            self.mend()?;
            file = OpenOptions::new().append(true).open(&self.path)?;
        }
        file.write_all(lines.as_bytes())?;
        file.sync_all()
    }

    fn is_cut_off(&self) -> io::Result<bool> {
        let bytes = fs::read(&self.path)?;
        Ok(bytes.last().is_some_and(|last| *last != b'\n'))
    }

    /// Takes the cut-off line away, keeping every whole one.
    fn mend(&self) -> io::Result<()> {
        let bytes = fs::read(&self.path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let file = OpenOptions::new().write(true).open(&self.path)?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        file.sync_all()
    }
}
