//! Writes `credit_balances` and `credit_transactions`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::credit_ledger::CreditLedger;
use event_log::OpenedEvent;
use sqlx::PgConnection;

use super::NAME;
use super::entry::{Entry, entry_of};
use crate::runtime::{ApplyError, PoisonPolicy, Projection, one_row};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct CreditAccounts;

#[async_trait]
impl Projection for CreditAccounts {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[CreditLedger::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["credit_balances", "credit_transactions"]
    }

    fn poison(&self) -> PoisonPolicy {
        PoisonPolicy::Stop
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        let entry = entry_of(event.parse()?);
        change_balance(tx, &entry).await?;
        let done = sqlx::query(
            "INSERT INTO credit_transactions ( \
                 id, user_id, generation_request_id, transaction_type, amount, balance_after, description, \
                 created_at, position) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(event.recorded.event_id)
        .bind(entry.user_id.0)
        .bind(entry.request_id.map(|id| id.0))
        .bind(entry.kind.name())
        .bind(entry.amount)
        .bind(entry.balance_after)
        .bind(entry.description)
        .bind(entry.at)
        .bind(event.recorded.position)
        .execute(tx)
        .await?;
        one_row(&done, "credit_transactions")
    }
}

/// Refuses an event whose balance does not follow from the one before it.
async fn change_balance(tx: &mut PgConnection, entry: &Entry) -> Result<(), ApplyError> {
    let changed = sqlx::query(
        "UPDATE credit_balances \
         SET available = $2, held = held + $4, updated_at = greatest(updated_at, $5) \
         WHERE user_id = $1 AND available + $3 = $2",
    )
    .bind(entry.user_id.0)
    .bind(entry.balance_after)
    .bind(entry.amount)
    .bind(entry.held)
    .bind(entry.at)
    .execute(&mut *tx)
    .await?;
    if changed.rows_affected() == 1 {
        return Ok(());
    }
    // A person's first event begins at nothing. Not an upsert: that would check the change as if it were
    // the whole balance.
    let opened = sqlx::query(
        "INSERT INTO credit_balances (user_id, available, held, updated_at) \
         SELECT $1, $2, $4, $5 \
         WHERE $3 = $2 AND NOT EXISTS (SELECT 1 FROM credit_balances WHERE user_id = $1)",
    )
    .bind(entry.user_id.0)
    .bind(entry.balance_after)
    .bind(entry.amount)
    .bind(entry.held)
    .bind(entry.at)
    .execute(tx)
    .await?;
    one_row(&opened, "the balance does not follow from the one before")
}
