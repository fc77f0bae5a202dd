//! The business of Routix as aggregates: what can be asked, what is refused, what is recorded.
//!
//! Pure: no I/O, no clock, no randomness. Ids, prices and the time arrive in the command. One folder per
//! aggregate, always the same files: `events`, `commands` (and `handle`), `state` (and `apply`), `error`.

mod amounts;
mod event_names;
mod forms;
mod ids;
mod named;
mod personal;
#[cfg(test)]
mod tests;
mod text;
mod time;

pub mod algorithm;
pub mod asset;
pub mod audit_trail;
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
pub use forms::stored_forms;
pub use ids::{
    AlgorithmId, AssetId, AttemptId, ConversationId, GrantId, MessageId, RequestId, SessionId, TemplateId,
    UserId,
};
pub use named::UnknownWord;
pub use personal::Personal;
pub use text::{CustomText, EmailAddress, MessageText, Prompt, Slug, TextError, Title, Username};
pub use time::Timestamp;
