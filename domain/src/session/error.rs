//! Why a command to a session was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    #[error("this session was started already")]
    AlreadyStarted,
    #[error("there is no such session")]
    NotStarted,
    #[error("this session has ended")]
    Ended,
    #[error("this session has expired")]
    Expired,
}
