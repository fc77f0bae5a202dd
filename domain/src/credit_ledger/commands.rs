//! The commands to a ledger, and their decisions.

use cqrs_es::{Aggregate, event_sink::EventSink};

use super::{CreditLedger, CreditLedgerError, CreditLedgerEvent, GrantReason};
use crate::{Credits, GrantId, RequestId, Timestamp, UserId};

#[derive(Debug, Clone)]
pub enum CreditLedgerCommand {
    Grant {
        user_id: UserId,
        grant_id: GrantId,
        amount: Credits,
        reason: GrantReason,
        expires_at: Option<Timestamp>,
        at: Timestamp,
    },
    /// Sets `amount` aside for a request.
    Hold {
        user_id: UserId,
        request_id: RequestId,
        amount: Credits,
        /// The balance below which the user is warned.
        low_threshold: Credits,
        at: Timestamp,
    },
    Settle {
        user_id: UserId,
        request_id: RequestId,
        at: Timestamp,
    },
    Release {
        user_id: UserId,
        request_id: RequestId,
        at: Timestamp,
    },
    Withdraw {
        user_id: UserId,
        amount: Credits,
        note: String,
        at: Timestamp,
    },
    /// Writes off what has passed its end.
    Expire {
        user_id: UserId,
        at: Timestamp,
    },
}

impl Aggregate for CreditLedger {
    const TYPE: &'static str = "credit_ledger";
    type Command = CreditLedgerCommand;
    type Event = CreditLedgerEvent;
    type Error = CreditLedgerError;
    type Services = ();

    async fn handle(
        &mut self,
        command: CreditLedgerCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), CreditLedgerError> {
        let (user_id, at) = command.subject();
        // What has expired is no longer available, whatever is asked.
        for event in self.expire(user_id, at) {
            sink.write(event, self).await;
        }
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        for event in self.expire(user_id, at) {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: CreditLedgerEvent) {
        self.fold(event);
    }
}

impl CreditLedgerCommand {
    fn subject(&self) -> (UserId, Timestamp) {
        match self {
            Self::Grant { user_id, at, .. }
            | Self::Hold { user_id, at, .. }
            | Self::Settle { user_id, at, .. }
            | Self::Release { user_id, at, .. }
            | Self::Withdraw { user_id, at, .. }
            | Self::Expire { user_id, at } => (*user_id, *at),
        }
    }
}

impl CreditLedger {
    fn expire(&self, user_id: UserId, at: Timestamp) -> Vec<CreditLedgerEvent> {
        let mut balance = self.available();
        let due = self.grants.iter().filter(|grant| grant.expires_at.is_some_and(|end| end <= at));
        due.map(|grant| {
            balance = balance.minus(grant.remaining).unwrap_or_default();
            CreditLedgerEvent::CreditsExpired {
                user_id,
                grant_id: grant.grant_id,
                amount: grant.remaining,
                balance_after: balance,
                expired_at: at,
            }
        })
        .collect()
    }

    fn decide(&self, command: CreditLedgerCommand) -> Result<Option<CreditLedgerEvent>, CreditLedgerError> {
        let available = self.available();
        match command {
            CreditLedgerCommand::Grant { user_id, grant_id, amount, reason, expires_at, at } => {
                if amount == Credits::ZERO {
                    return Err(CreditLedgerError::NothingToDo);
                }
                Ok(Some(CreditLedgerEvent::CreditsGranted {
                    user_id,
                    grant_id,
                    amount,
                    reason,
                    expires_at,
                    balance_after: available.plus(amount),
                    granted_at: at,
                }))
            }
            CreditLedgerCommand::Hold { user_id, request_id, amount, low_threshold, at } => {
                if self.holds.contains_key(&request_id) {
                    return Err(CreditLedgerError::AlreadyHeld { request_id });
                }
                let left = self.left_after(amount)?;
                let crossed = available >= low_threshold && left < low_threshold;
                Ok(Some(CreditLedgerEvent::CreditsHeld {
                    user_id,
                    request_id,
                    amount,
                    parts: self.draw(amount),
                    balance_after: left,
                    crossed_low: crossed.then_some(low_threshold),
                    held_at: at,
                }))
            }
            CreditLedgerCommand::Settle { user_id, request_id, at } => {
                let amount = self.hold(request_id)?.iter().map(|part| part.amount).sum();
                Ok(Some(CreditLedgerEvent::HoldSettled {
                    user_id,
                    request_id,
                    amount,
                    balance_after: available,
                    settled_at: at,
                }))
            }
            CreditLedgerCommand::Release { user_id, request_id, at } => {
                let parts = self.hold(request_id)?.to_vec();
                let amount = parts.iter().map(|part| part.amount).sum();
                Ok(Some(CreditLedgerEvent::HoldReleased {
                    user_id,
                    request_id,
                    amount,
                    parts,
                    balance_after: available.plus(amount),
                    released_at: at,
                }))
            }
            CreditLedgerCommand::Withdraw { user_id, amount, note, at } => {
                if amount == Credits::ZERO {
                    return Err(CreditLedgerError::NothingToDo);
                }
                let left = self.left_after(amount)?;
                Ok(Some(CreditLedgerEvent::CreditsWithdrawn {
                    user_id,
                    amount,
                    parts: self.draw(amount),
                    note,
                    balance_after: left,
                    withdrawn_at: at,
                }))
            }
            CreditLedgerCommand::Expire { .. } => Ok(None),
        }
    }

    fn left_after(&self, amount: Credits) -> Result<Credits, CreditLedgerError> {
        let available = self.available();
        available.minus(amount).ok_or(CreditLedgerError::InsufficientCredits { required: amount, available })
    }

    fn hold(&self, request_id: RequestId) -> Result<&[super::Part], CreditLedgerError> {
        self.holds.get(&request_id).map(Vec::as_slice).ok_or(CreditLedgerError::NoSuchHold { request_id })
    }
}
