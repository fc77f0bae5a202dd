//! Why a command was not carried out.

use domain::TextError;
use domain::algorithm::AlgorithmError;
use domain::asset::AssetError;
use domain::audit_trail::AuditTrailError;
use domain::conversation::ConversationError;
use domain::credit_ledger::CreditLedgerError;
use domain::generation_request::GenerationRequestError;
use domain::session::SessionError;
use domain::template::TemplateError;
use domain::user::UserError;
use event_log::LogError;
use providers::ProviderError;
use providers::pictures::PictureError;

use crate::ReadSideError;

/// The things that an order names and that [`CommandError::NotFound`] may miss.
pub(crate) const ASSET: &str = "asset";
pub(crate) const ALGORITHM: &str = "algorithm";

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Conversation(#[from] ConversationError),
    #[error(transparent)]
    GenerationRequest(#[from] GenerationRequestError),
    #[error(transparent)]
    CreditLedger(#[from] CreditLedgerError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    #[error(transparent)]
    Asset(#[from] AssetError),
    #[error(transparent)]
    Text(#[from] TextError),
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("a provider failed")]
    Provider(#[from] ProviderError),
    #[error("the read side failed")]
    ReadSide(#[from] ReadSideError),
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    #[error("the password must have {min} to {max} characters")]
    PasswordLength { min: usize, max: usize },
    #[error("this refresh token was used before: the session has ended")]
    RefreshTokenReused,
    #[error("this refresh token is not valid")]
    RefreshTokenInvalid,
    #[error("there is no such {what}")]
    NotFound { what: &'static str },
    #[error("{name} is not offered at the moment")]
    AlgorithmInactive { name: String },
    #[error("the content was rejected")]
    ContentRejected { categories: Vec<String> },
    #[error("asset {asset_id} shows a {actual}, not a {expected}")]
    WrongAssetKind { asset_id: domain::AssetId, expected: &'static str, actual: &'static str },
    #[error("too many passwords wait to be hashed")]
    TooBusy,
    #[error("the worker stopped unexpectedly")]
    Stopped,
}

impl From<AuditTrailError> for CommandError {
    fn from(never: AuditTrailError) -> Self {
        match never {}
    }
}
