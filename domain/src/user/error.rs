//! Why a command to an account was refused.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("this account is registered already")]
    AlreadyRegistered,
    #[error("there is no such account")]
    NotRegistered,
    #[error("the person of this account was erased")]
    Erased,
    #[error("this account is deactivated")]
    Deactivated,
}
