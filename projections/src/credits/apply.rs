//! Writes `credit_balances` and `credit_transactions`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::credit_ledger::CreditLedger;
use event_log::OpenedEvent;
use sqlx::PgConnection;

use super::NAME;
use super::entry::entry_of;
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
        // Neither branch changes a row when the balance after the event does not follow from the one before.
        let done = sqlx::query(
            "INSERT INTO credit_balances AS b (user_id, available, held, updated_at) \
             SELECT $1, $2, $4, $5 \
             WHERE $3 = $2 OR EXISTS (SELECT 1 FROM credit_balances WHERE user_id = $1) \
             ON CONFLICT ON CONSTRAINT credit_balances_pkey DO UPDATE \
             SET available = $2, \
                 held = b.held + $4, \
                 updated_at = greatest(b.updated_at, $5) \
             WHERE b.available + $3 = $2",
        )
        .bind(entry.user_id.0)
        .bind(entry.balance_after)
        .bind(entry.amount)
        .bind(entry.held)
        .bind(entry.at)
        .execute(&mut *tx)
        .await?;
        one_row(&done, "the balance does not follow from the one before")?;
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
