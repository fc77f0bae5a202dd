//! Reads `credit_balances` and `credit_transactions`, always one person's.

use chrono::{DateTime, Utc};
use domain::UserId;
use event_log::{LogError, Position};
use serde::Serialize;
use uuid::Uuid;

use super::{NAME, TransactionKind};
use crate::word::Word;
use crate::{Fresh, Page, Reader, Rows, Wanted};

/// Never a ground to accept a command: the ledger itself decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    pub available: i64,
    pub held: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Transaction {
    /// The id of the event.
    pub id: Uuid,
    pub generation_request_id: Option<Uuid>,
    pub transaction_type: TransactionKind,
    /// The change of the available balance.
    pub amount: i64,
    pub balance_after: i64,
    pub description: String,
    pub created_at: DateTime<Utc>,
    pub position: Position,
}

/// A person's balance; nothing of either for a person without a ledger.
pub async fn balance(reader: &Reader, wanted: Wanted, user: UserId) -> Result<Fresh<Balance>, LogError> {
    let statement = || {
        sqlx::query_as!(Balance, r#"SELECT available, held FROM credit_balances WHERE user_id = $1"#, user.0)
    };
    let found = reader.lookup(NAME, wanted, statement).await?;
    Ok(found.map(Option::unwrap_or_default))
}

/// A person's transactions, newest first.
pub async fn transactions(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    page: Page,
) -> Result<Fresh<Rows<Transaction>>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "total!" FROM credit_transactions WHERE user_id = $1"#,
        user.0,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = sqlx::query_as!(
        Transaction,
        r#"
        SELECT
            id,
            generation_request_id,
            transaction_type AS "transaction_type: Word<TransactionKind>",
            amount,
            balance_after,
            description,
            created_at,
            position AS "position: Position"
        FROM credit_transactions
        WHERE user_id = $1
        ORDER BY position DESC
        LIMIT $2 OFFSET $3
        "#,
        user.0,
        page.limit,
        page.offset,
    );
    let rows = rows.fetch_all(&mut *read).await?;
    Ok(read.finish(Rows { rows, total }))
}
