//! Leases: one holder at a time, by the database's clock. An epoch tells an old holder from the new one.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Epoch, LogError};

/// A lease that was held when it was last renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    pub holder: Uuid,
    /// Rises with every change of holder.
    pub epoch: Epoch,
}

/// Takes the lease, or renews it for its holder. `None` while somebody else holds it.
pub async fn acquire(
    pool: &PgPool,
    name: &str,
    holder: Uuid,
    life: Duration,
) -> Result<Option<Lease>, LogError> {
    let epoch = sqlx::query_scalar!(
        r#"
        INSERT INTO leases AS held (name, holder, epoch, held_until)
        VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT ON CONSTRAINT leases_pkey DO UPDATE
        SET holder = excluded.holder,
            epoch = held.epoch + CASE WHEN held.holder = excluded.holder THEN 0 ELSE 1 END,
            held_until = excluded.held_until
        WHERE held.holder = excluded.holder OR held.held_until < clock_timestamp()
        RETURNING epoch AS "epoch: Epoch"
        "#,
        name,
        holder,
        life.as_secs_f64()
    )
    .fetch_optional(pool)
    .await?;
    Ok(epoch.map(|epoch| Lease { name: name.to_owned(), holder, epoch }))
}

/// Gives the lease back, so that the next holder need not wait for its end.
pub async fn release(pool: &PgPool, lease: &Lease) -> Result<(), LogError> {
    sqlx::query!(
        r#"UPDATE leases SET held_until = clock_timestamp() WHERE name = $1 AND holder = $2 AND epoch = $3"#,
        &lease.name,
        lease.holder,
        lease.epoch.get()
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Gives back whatever these hold: their process ends.
pub async fn release_all(pool: &PgPool, holders: &[Uuid]) -> Result<(), LogError> {
    sqlx::query!(
        r#"
        UPDATE leases SET held_until = clock_timestamp()
        WHERE holder = ANY($1) AND held_until > clock_timestamp()
        "#,
        holders
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Begins a new epoch without taking the lease: whoever holds it notices at its next renewal, and whatever it
/// still writes under the old epoch is refused.
pub async fn supersede_in_tx(connection: &mut PgConnection, name: &str) -> Result<Epoch, LogError> {
    let epoch = sqlx::query_scalar!(
        r#"
        INSERT INTO leases AS held (name, holder, epoch, held_until)
        VALUES ($1, $2, 1, clock_timestamp())
        ON CONFLICT ON CONSTRAINT leases_pkey DO UPDATE SET epoch = held.epoch + 1
        RETURNING epoch AS "epoch: Epoch"
        "#,
        name,
        Uuid::nil(),
    );
    Ok(epoch.fetch_one(connection).await?)
}
