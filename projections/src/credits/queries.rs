//! Reads `credit_balances` and `credit_transactions`, always one person's.

use chrono::{DateTime, Utc};
use event_log::{LogError, Position};
use futures::FutureExt;
use serde::Serialize;
use uuid::Uuid;

use super::{NAME, TransactionKind};
use crate::{Fresh, Page, Reader, Rows, Wanted};

/// Never a ground to accept a command: the ledger itself decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Balance {
    pub available: i64,
    pub held: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Transaction {
    /// The id of the event.
    pub id: Uuid,
    pub generation_request_id: Option<Uuid>,
    #[sqlx(try_from = "String")]
    pub transaction_type: TransactionKind,
    /// The change of the available balance.
    pub amount: i64,
    pub balance_after: i64,
    pub description: String,
    pub created_at: DateTime<Utc>,
    pub position: Position,
}

/// A person's balance; nothing of either for a person without a ledger.
pub async fn balance(reader: &Reader, wanted: Wanted, user: Uuid) -> Result<Fresh<Balance>, LogError> {
    let found = reader.lookup(NAME, wanted, move |connection| {
        async move {
            let row = sqlx::query_as("SELECT available, held FROM credit_balances WHERE user_id = $1");
            Ok(row.bind(user).fetch_optional(connection).await?)
        }
        .boxed()
    });
    Ok(found.await?.map(Option::unwrap_or_default))
}

/// A person's transactions, newest first.
pub async fn transactions(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    page: Page,
) -> Result<Fresh<Rows<Transaction>>, LogError> {
    reader
        .read(NAME, wanted, move |connection| {
            async move {
                let total = sqlx::query_scalar("SELECT count(*) FROM credit_transactions WHERE user_id = $1")
                    .bind(user)
                    .fetch_one(&mut *connection)
                    .await?;
                let rows = sqlx::query_as(
                    "SELECT id, generation_request_id, transaction_type, amount, balance_after, description, \
                            created_at, position \
                     FROM credit_transactions WHERE user_id = $1 ORDER BY position DESC LIMIT $2 OFFSET $3",
                )
                .bind(user)
                .bind(page.limit)
                .bind(page.offset)
                .fetch_all(connection)
                .await?;
                Ok(Rows { rows, total })
            }
            .boxed()
        })
        .await
}
