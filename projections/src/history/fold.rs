//! Folds a stream by the domain's own `apply`, whatever aggregate it is.

use cqrs_es::Aggregate;
use domain::algorithm::Algorithm;
use domain::asset::Asset;
use domain::audit_trail::AuditTrail;
use domain::conversation::Conversation;
use domain::credit_ledger::CreditLedger;
use domain::generation_request::GenerationRequest;
use domain::session::Session;
use domain::template::Template;
use domain::user::User;
use event_log::{LogError, OpenedEvent};
use serde::Serialize;
use serde_json::Value;

use super::shown::plain;

/// A state that is being folded, of a type that is known at run time only.
pub(super) trait Folding: Send {
    fn apply(&mut self, event: &OpenedEvent) -> Result<(), LogError>;

    /// The state as JSON, personal words in the clear, secrets still in it.
    fn state(&self) -> Value;
}

struct Fold<A>(A);

impl<A: Aggregate + Serialize> Folding for Fold<A> {
    fn apply(&mut self, event: &OpenedEvent) -> Result<(), LogError> {
        self.0.apply(event.parse()?);
        Ok(())
    }

    fn state(&self) -> Value {
        plain(serde_json::to_value(&self.0).unwrap_or_default())
    }
}

fn fold<A: Aggregate + Serialize + 'static>() -> Box<dyn Folding> {
    Box::new(Fold(A::default()))
}

/// The state before the first event; `None` for a type of aggregate that does not exist.
pub(super) fn beginning(aggregate_type: &str) -> Option<Box<dyn Folding>> {
    Some(match aggregate_type {
        Algorithm::TYPE => fold::<Algorithm>(),
        Asset::TYPE => fold::<Asset>(),
        AuditTrail::TYPE => fold::<AuditTrail>(),
        Conversation::TYPE => fold::<Conversation>(),
        CreditLedger::TYPE => fold::<CreditLedger>(),
        GenerationRequest::TYPE => fold::<GenerationRequest>(),
        Session::TYPE => fold::<Session>(),
        Template::TYPE => fold::<Template>(),
        User::TYPE => fold::<User>(),
        _ => return None,
    })
}
