//! Names that must be unique. A claim is taken or released in the same append as the events that need it.
//!
//! The key is stored as a keyed hash, so that the table tells nobody which addresses are registered.

use sqlx::PgPool;
use uuid::Uuid;

use crate::LogError;

/// A name that a unit takes or gives up.
#[derive(Debug, Clone)]
pub struct Claim {
    pub kind: &'static str,
    /// The name in the form under which it is unique.
    pub key: String,
    /// Whose it is: an aggregate's id.
    pub owner: Uuid,
    pub taken: bool,
}

impl Claim {
    pub fn take(kind: &'static str, key: impl Into<String>, owner: Uuid) -> Self {
        Self { kind, key: key.into(), owner, taken: true }
    }

    pub fn release(kind: &'static str, key: impl Into<String>, owner: Uuid) -> Self {
        Self { kind, key: key.into(), owner, taken: false }
    }
}

pub(crate) async fn owner_of(pool: &PgPool, kind: &str, key_hash: &[u8]) -> Result<Option<Uuid>, LogError> {
    let owner =
        sqlx::query_scalar!(r#"SELECT owner FROM claims WHERE kind = $1 AND key_hash = $2"#, kind, key_hash)
            .fetch_optional(pool)
            .await?;
    Ok(owner)
}

pub(crate) async fn release_all(pool: &PgPool, kind: &str, owner: Uuid) -> Result<(), LogError> {
    sqlx::query!(r#"DELETE FROM claims WHERE kind = $1 AND owner = $2"#, kind, owner).execute(pool).await?;
    Ok(())
}
