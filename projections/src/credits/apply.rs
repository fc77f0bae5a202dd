//! Writes `credit_balances` and `credit_transactions`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::credit_ledger::CreditLedger;
use event_log::OpenedEvent;
use sqlx::PgConnection;

use super::NAME;
use super::entry::{Entry, entry_of};
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, one_row};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[CreditLedger::TYPE],
    ignored_events: &[],
    tables: &["credit_balances", "credit_transactions"],
    poison: PoisonPolicy::Stop,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct CreditAccounts;

#[async_trait]
impl Projection for CreditAccounts {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        for event in page {
            apply_event(tx, event).await?;
        }
        Ok(())
    }
}

async fn apply_event(tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
    let entry = entry_of(event.parse()?);
    change_balance(tx, &entry).await?;
    let done = sqlx::query!(
        r#"
        INSERT INTO credit_transactions (
            id, user_id, generation_request_id, transaction_type, amount, balance_after, description,
            created_at, position)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        event.recorded.event_id,
        entry.user_id.0,
        entry.request_id.map(|id| id.0),
        entry.kind.name(),
        entry.amount,
        entry.balance_after,
        entry.description,
        entry.at,
        event.recorded.position.get(),
    )
    .execute(tx)
    .await?;
    one_row(&done, "credit_transactions")
}

/// Refuses an event whose balance does not follow from the one before it.
async fn change_balance(tx: &mut PgConnection, entry: &Entry) -> Result<(), ApplyError> {
    let changed = sqlx::query!(
        r#"
        UPDATE credit_balances
        SET available = $2, held = held + $4, updated_at = greatest(updated_at, $5)
        WHERE user_id = $1 AND available + $3 = $2
        "#,
        entry.user_id.0,
        entry.balance_after,
        entry.amount,
        entry.held,
        entry.at,
    )
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    // A person's first event begins at nothing. Not an upsert: that would check the change as if it were
    // the whole balance.
    let opened = sqlx::query!(
        r#"
        INSERT INTO credit_balances (user_id, available, held, updated_at)
        SELECT $1, $2::bigint, $4::bigint, $5::timestamptz
        WHERE $3::bigint = $2 AND NOT EXISTS (SELECT 1 FROM credit_balances WHERE user_id = $1)
        "#,
        entry.user_id.0,
        entry.balance_after,
        entry.amount,
        entry.held,
        entry.at,
    )
    .execute(tx)
    .await?;
    one_row(&opened, "the balance does not follow from the one before")
}
