//! The business of Routix as aggregates: what can be asked, what is refused, what is recorded.
//!
//! Pure: no I/O, no clock, no randomness. Ids, prices and the time arrive in the command. One folder per
//! aggregate, always the same files: `events`, `commands` (and `handle`), `state` (and `apply`), `error`.

mod amounts;
mod event_names;
mod ids;
mod named;
mod personal;
#[cfg(test)]
mod tests;
mod text;

pub mod algorithm;
pub mod asset;
pub mod conversation;
pub mod credit_ledger;
pub mod generation_request;
pub mod language;
pub mod reactions;
pub mod session;
pub mod template;
pub mod user;

pub use amounts::{Credits, MicroUsd};
pub use event_names::{StoredForms, Upcast};
pub use ids::{
    AlgorithmId, AssetId, AttemptId, ConversationId, GrantId, MessageId, RequestId, SessionId, TemplateId,
    UserId,
};
pub use named::UnknownWord;
pub use personal::Personal;
pub use text::{CustomText, EmailAddress, MessageText, Prompt, Slug, TextError, Title, Username};

/// The stored forms of every aggregate.
pub const fn stored_forms() -> [StoredForms; 8] {
    use cqrs_es::Aggregate;
    macro_rules! forms {
        ($($aggregate:ty, $events:ty;)+) => {
            [$(StoredForms {
                aggregate_type: <$aggregate>::TYPE,
                snapshot_form: <$aggregate>::SNAPSHOT_FORM,
                versions: <$events>::VERSIONS,
                upcasters: <$events>::UPCASTERS,
            }),+]
        };
    }
    forms! {
        algorithm::Algorithm, algorithm::AlgorithmEvent;
        asset::Asset, asset::AssetEvent;
        conversation::Conversation, conversation::ConversationEvent;
        credit_ledger::CreditLedger, credit_ledger::CreditLedgerEvent;
        generation_request::GenerationRequest, generation_request::GenerationRequestEvent;
        session::Session, session::SessionEvent;
        template::Template, template::TemplateEvent;
        user::User, user::UserEvent;
    }
}

/// The clock that domain types speak: UTC, handed in by whoever sends the command.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
