//! Why a command to a ledger was refused.

use crate::{Credits, RequestId};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditLedgerError {
    #[error("{} needed, {available} available", required.in_words())]
    InsufficientCredits { required: Credits, available: Credits },
    #[error("request {request_id} has a hold already")]
    AlreadyHeld { request_id: RequestId },
    #[error("request {request_id} has no open hold")]
    NoSuchHold { request_id: RequestId },
    #[error("an amount of credits must be more than none")]
    NothingToDo,
}
