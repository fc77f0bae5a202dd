//! The caller's credits.

use axum::extract::State;
use chrono::{DateTime, Utc};
use projections::credits;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Paging;
use crate::auth::CurrentUser;
use crate::extract::{ApiQuery, Freshness};
use crate::problem::ApiError;
use crate::reply::QueryReply;
use crate::state::App;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(balance)).routes(routes!(transactions))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceView {
    /// The credits that can be spent.
    balance: i64,
    /// The credits that are set aside for generations under way.
    held: i64,
}

/// A line of the ledger. `balance_after` is always the line before plus `amount`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditTransaction)]
pub struct TransactionView {
    id: Uuid,
    generation_request_id: Option<Uuid>,
    /// `grant`, `hold`, `settle`, `release`, `refund`, `adjust` or `expire`.
    transaction_type: String,
    /// The change of the balance: negative for a hold, zero for its settlement.
    amount: i64,
    balance_after: i64,
    description: String,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TransactionList {
    transactions: Vec<TransactionView>,
    total: i64,
}

/// The balance of the caller.
#[utoipa::path(
    get,
    path = "/api/v1/credits/balance",
    tag = "credits",
    responses((status = 200, description = "The balance", body = BalanceView)),
    security(("bearerAuth" = []))
)]
async fn balance(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
) -> Result<QueryReply<BalanceView>, ApiError> {
    let fresh = credits::balance(app.reader(), wanted, user.user_id).await?;
    let body = BalanceView { balance: fresh.value.available, held: fresh.value.held };
    Ok(QueryReply::new(&fresh, body))
}

/// The caller's ledger, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/credits/transactions",
    tag = "credits",
    params(Paging),
    responses((status = 200, description = "The ledger", body = TransactionList)),
    security(("bearerAuth" = []))
)]
async fn transactions(
    State(app): State<App>,
    user: CurrentUser,
    Freshness(wanted): Freshness,
    ApiQuery(paging): ApiQuery<Paging>,
) -> Result<QueryReply<TransactionList>, ApiError> {
    let fresh = credits::transactions(app.reader(), wanted, user.user_id, paging.into()).await?;
    let transactions = fresh
        .value
        .rows
        .iter()
        .map(|row| TransactionView {
            id: row.id,
            generation_request_id: row.generation_request_id,
            transaction_type: row.transaction_type.name().to_owned(),
            amount: row.amount,
            balance_after: row.balance_after,
            description: row.description.clone(),
            created_at: row.created_at,
        })
        .collect();
    Ok(QueryReply::new(&fresh, TransactionList { transactions, total: fresh.value.total }))
}
