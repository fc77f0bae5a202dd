//! The keys of objects outside the database. A key is written down before its object is stored, so that an object which
//! no event names, because its command was refused or its worker died, can still be found and deleted.

use sqlx::PgPool;
use uuid::Uuid;

use crate::LogError;

/// An object that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewObject<'a> {
    pub key: &'a str,
    /// The aggregate that it belongs to.
    pub subject: Uuid,
    /// The person that it is of; `None` for what belongs to the house.
    pub owner: Option<Uuid>,
}

/// Writes the key of an object down. Doing it again changes nothing.
pub async fn name(pool: &PgPool, object: NewObject<'_>) -> Result<(), LogError> {
    sqlx::query!(
        "INSERT INTO objects (key, subject, owner_id) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING",
        object.key,
        object.subject,
        object.owner
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The keys of an aggregate's objects.
pub async fn of_subject(pool: &PgPool, subject: Uuid) -> Result<Vec<String>, LogError> {
    let keys = sqlx::query_scalar!("SELECT key FROM objects WHERE subject = $1 ORDER BY key", subject);
    Ok(keys.fetch_all(pool).await?)
}

/// The keys of a person's objects.
pub async fn of_owner(pool: &PgPool, owner: Uuid) -> Result<Vec<String>, LogError> {
    let keys = sqlx::query_scalar!("SELECT key FROM objects WHERE owner_id = $1 ORDER BY key", owner);
    Ok(keys.fetch_all(pool).await?)
}

/// Forgets a key whose object was deleted.
pub async fn forget(pool: &PgPool, key: &str) -> Result<(), LogError> {
    sqlx::query!("DELETE FROM objects WHERE key = $1", key).execute(pool).await?;
    Ok(())
}
