//! Why a command to a chat was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    #[error("this conversation was started already")]
    AlreadyStarted,
    #[error("there is no such conversation")]
    NotStarted,
    #[error("this conversation is archived")]
    Archived,
    #[error("say what the thumbnail should show before choosing an algorithm")]
    NoOpenBrief,
}
